"""A problem with computed features, its contract, a record and a file's rows."""

from typing import Any

import numpy as np
import pandas as pd

from driftline.cleaning import clean
from driftline.contract import Contract, parse_contract
from driftline.dataset import draft_contract
from driftline.problem import Problem
from tests.support import make_problem

DATE = {"kind": "date", "range": ["2000-01-01", "2030-12-31"], "missing": "allow"}
COLUMNS: dict[str, Any] = {
    "weight [kg]": {"range": [0, 300]},
    "height": {"range": [0, 2.5], "missing": "allow"},
    "sex": {"kind": "category", "categories": ["F", "M"]},
    "came": DATE | {"parts": ["month"], "format": "day_first"},
    "left": DATE,
}
FEATURES: dict[str, Any] = {
    "heavy": "bins(bmi, [18.5, 25, 30])",
    "bmi": "'weight [kg]' / height ** 2",
    "stay": {"formula": "days(came, left)"},
    "speed": {"formula": "1 / (stay - 3)", "undefined": "refuse"},
}
RECORD = {
    "weight [kg]": 70, "height": 1.75, "sex": "M", "came": "2024-02-28", "left": "2024-03-02",
}  # fmt: skip


def make(**changes: Any) -> Problem:
    return make_problem(**({"columns": COLUMNS, "features": FEATURES} | changes))


def contract_of(problem: Problem) -> Contract:
    return parse_contract(draft_contract(problem).to_json())


def rows(count: int = 60, seed: int = 0) -> pd.DataFrame:
    """A file's rows: every feature tells of the outcome, and some heights are missing or 0."""
    rng = np.random.default_rng(seed)
    came = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, count), unit="D")
    left = came + pd.to_timedelta(rng.integers(4, 30, count), unit="D")
    height = np.round(rng.uniform(1.4, 2.0, count), 2)
    height[::9], height[4::9] = np.nan, 0
    weight = np.round(rng.uniform(40, 150, count), 1)
    return pd.DataFrame(
        {
            "weight [kg]": weight,
            "height": height,
            "sex": rng.choice(["F", "M"], count),
            "came": came.strftime("%d.%m.%Y"),
            "left": left.strftime("%Y-%m-%d"),
            "outcome": (weight > 80).astype(int),
        }
    )


def cleaned(problem: Problem, raw: pd.DataFrame) -> pd.DataFrame:
    return clean(raw, problem, source="rows.csv", with_target=True).table

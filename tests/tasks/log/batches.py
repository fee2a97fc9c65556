"""Large batches that a model scores into the store, and what the log knows of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import func, select

from driftline.served import ServedModel
from driftline.verdicts import Window
from tasks.log import predictions, scoring
from tasks.log.records import open_records
from tasks.settings import get_settings
from tests.bentos.models import tiny_problem

PROBLEM = tiny_problem()
ROWS, REFUSED = 1_200, 7
VERSION = "7"


def some_rows(count: int = ROWS) -> pd.DataFrame:
    """Rows of which one is refused."""
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(
        {
            "age": rng.integers(18, 90, count),
            "level": rng.normal(size=count).round(3),
            "sex": rng.choice(["F", "M"], count),
            "ward": rng.choice(["north", "south", None], count),
        }
    )
    rows.loc[REFUSED, "age"] = 500
    return rows


def score(model: ServedModel, folder: Path, rows: pd.DataFrame | None = None) -> pd.DataFrame:
    """Score rows as one piece; returns the answers."""
    scorer = scoring.Scorer(PROBLEM, model, source="rows", sha256="ab" * 32, output=str(folder))
    scoring.score_part.fn(scorer, 0, some_rows() if rows is None else rows, start=0)
    return pd.read_parquet(folder / "part-00000.parquet")


def files() -> list[Path]:
    return sorted((get_settings().home / "parts" / PROBLEM.name).glob("*"))


def count(table: Any) -> int:
    with open_records().connect() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def read() -> Window:
    return predictions.read_window.fn(PROBLEM, VERSION)

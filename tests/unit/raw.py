"""Raw rows of a problem whose columns have other names in files, and what they are read as."""

import pandas as pd
import pytest

from driftline.cleaning import CleanTable, clean
from driftline.errors import DataError
from driftline.problem import Problem
from tests.support import make_problem

ALIASED = make_problem(
    columns={
        "age": {"kind": "integer", "range": [0, 120], "aliases": ["Age in years"]},
        "level": {"missing": "allow", "missing_codes": [-9]},
    },
    ignored=["id"],
    target={
        "name": "outcome",
        "aliases": ["result"],
        "classes": {"well": [0], "ill": [1, "sick"]},
        "positive": "ill",
    },
)


def raw_table(**columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame({"age": ["40", "50"], "level": ["1", "2"], "outcome": ["0", "1"]} | columns)


def cleaned(raw: pd.DataFrame, problem: Problem = ALIASED) -> CleanTable:
    return clean(raw, problem, source="rows.csv", with_target=True)


def refusal(raw: pd.DataFrame, problem: Problem = ALIASED) -> str:
    with pytest.raises(DataError) as raised:
        cleaned(raw, problem)
    return str(raised.value)

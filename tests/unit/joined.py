"""A join that training and serving are tried with."""

from typing import Any

import pandas as pd

from driftline.problem import Problem
from tests.support import make_problem

LABS: dict[str, Any] = {
    "source": "labs.csv",
    "key": "patient",
    "as_of": "visited",
    "at": "taken",
    "fields": ["level", "sex"],
    "max_age": "90 days",
}
NO_JOIN: dict[str, Any] = {"ignored": ["patient", "visited"]}


def joining(**changes: Any) -> Problem:
    return make_problem(**NO_JOIN, joins={"labs": LABS | changes})


def labs(**columns: list[Any]) -> pd.DataFrame:
    table = {"patient": ["1"], "taken": ["2024-03-01"], "level": ["1.5"], "sex": ["F"]}
    return pd.DataFrame(table | columns)


def visits(**columns: list[Any]) -> pd.DataFrame:
    table = {"patient": ["1"], "visited": ["2024-03-10"], "age": ["30"]}
    return pd.DataFrame(table | columns)

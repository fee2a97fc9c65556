from typing import Any

import pandas as pd
import pytest

from driftline.errors import ProblemError
from driftline.row_conditions import settle_condition
from driftline.settling import settle_value
from tests.support import make_problem

PROBLEM = make_problem(
    columns={
        "stage": {"kind": "category", "categories": {"1": ["one"], "2": []}},
        "age": {"kind": "integer"},
        "blood sugar": {},
        "seen": {"kind": "date"},
    }
)
COLUMNS = {**PROBLEM.columns, "outcome": PROBLEM.target}
TABLE = pd.DataFrame(
    {
        "stage": ["1", "2", None],
        "age": [30.0, 50.0, 70.0],
        "blood sugar": [90.0, 100.0, 110.0],
        "seen": [19723.0, 19730.0, 19800.0],
        "outcome": ["well", "ill", "ill"],
    }
)


def settled(given: Any) -> dict[str, Any]:
    return settle_condition(
        given,
        COLUMNS,
        lambda value, name: settle_value(value, name, PROBLEM, key="row_condition"),
        "row_condition",
    )


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        ("stage == 1", [0]),
        ("1 == stage", [0]),
        ("stage != 'one'", [1, 2]),
        ("stage in [1, 2.0]", [0, 1]),
        ("stage.isin([2])", [1]),
        ("stage == 1 | outcome == 1 & age > 60", [0, 2]),
        ("~(stage == 1) and outcome == 'ill'", [1, 2]),
        ("seen >= '2024-01-08'", [1, 2]),
        ("`blood sugar` > 95 and age < 60", [1]),
        ('col("blood sugar") > 95 and col("stage").notNull()', [1]),
        ("age > -5 and age * 2 < 90", [0]),
        ("stage == +1 or stage in [+2]", [0, 1]),
        ("stage.isnull()", [2]),
    ],
)
def test_a_condition_holds_for_the_rows_that_it_means(condition: str, rows: list[int]) -> None:
    """Whatever stands for a code, a class or a date in it."""
    found = settled(condition)

    assert found["condition_parser"] == "pandas"
    assert TABLE.query(found["row_condition"]).index.tolist() == rows


def test_a_condition_may_be_a_mapping() -> None:
    one = {"type": "comparison", "column": {"name": "stage"}, "operator": "IN", "parameter": [1, 2]}
    other = {
        "type": "comparison",
        "column": {"name": "seen"},
        "operator": ">",
        "parameter": "2024-01-08",
    }

    found = settled({"type": "and", "conditions": [one, other]})["row_condition"]

    assert [each["parameter"] for each in found["conditions"]] == [["1", "2"], 19730.0]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("agee > 40", "got the name 'agee', wanted one of age, "),
        ("stage == 7", "got 7 for 'stage', wanted one of 1, 2"),
        ("stage == -1", "got -1 for 'stage', wanted one of 1, 2"),
        ("age == 'NA'", "got 'NA' for 'age', which means missing; wanted .isnull()"),
        ("outcome == 'dead'", "got 'dead' for 'outcome', wanted one of well, ill"),
        ("stage > 1", "'stage' is a category, which has no order; wanted == or in"),
        ("age > 'old'", "got 'old', wanted numbers"),
        ("seen > 'yesterday'", "got 'yesterday', wanted a date"),
        ("stage = 1", "cannot be read, wanted a condition such as "),
        ({"column": {"name": "agee"}, "operator": ">", "parameter": 1}, "got the name 'agee'"),
        ({"column": {"name": "stage"}, "operator": ">", "parameter": 1}, "which has no order"),
    ],
)
def test_a_condition_that_could_hold_for_no_row_is_refused(condition: Any, message: str) -> None:
    """Else its rule would check nothing, without a word."""
    with pytest.raises(ProblemError) as raised:
        settled(condition)

    assert str(raised.value).startswith("row_condition: ")
    assert message in str(raised.value)

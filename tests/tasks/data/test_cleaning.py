"""Rows that are to be judged, cleaned."""

import pytest

from driftline.dataset import draft_contract
from tasks.data.cleaning import Current, clean_current
from tests.support import TINY, make_problem, tiny_rows

WIDER = TINY["columns"] | {
    "age": {"kind": "integer", "range": [0, 200]},
    "sex": {"kind": "category", "categories": ["F", "M", "X"]},
}


def cleaned(**changes: object) -> Current:
    """Rows as a newer problem file takes them, of a champion that was made by the older one."""
    rows = tiny_rows(50).drop(columns="outcome").astype({"sex": object})
    for column, (count, value) in changes.items():
        rows.loc[: count - 1, column] = value
    contract = draft_contract(make_problem())
    return clean_current.fn(rows, make_problem(columns=WIDER), contract, source="rows.csv")  # type: ignore[attr-defined] # a task


@pytest.mark.parametrize(("column", "value"), [("age", 150), ("sex", "X")])
def test_rows_that_the_champion_refuses_are_left_out_and_the_others_judged(
    column: str, value: object
) -> None:
    current = cleaned(**{column: (3, value)})

    assert current.places == tuple(range(3, 50))
    assert len(current.table) == 47
    assert current.faults == ()


def test_a_champion_that_refuses_more_than_the_problem_allows_is_a_fault() -> None:
    current = cleaned(sex=(20, "X"))

    assert current.faults == ("20 of 50 rows fail their checks: sex: must be one of: F, M",)


@pytest.mark.parametrize(("rows", "kept", "told"), [(1, 1, 0), (99, 99, 0), (100, 0, 1)])
def test_of_few_rows_a_column_may_be_empty_by_chance(rows: int, kept: int, told: int) -> None:
    """Of more it is a fault, which names the column."""
    table = tiny_rows(rows).drop(columns="outcome").assign(level=None)
    problem = make_problem()

    current = clean_current.fn(table, problem, draft_contract(problem), source="rows.csv")  # type: ignore[attr-defined] # a task

    assert len(current.table) == kept
    assert len(current.faults) == told
    assert all("column 'level': got no usable value" in fault for fault in current.faults)

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from driftline.differences import compare_tables, describe_column
from driftline.digests import GROUP
from tests.support import tiny_rows

ROWS = tiny_rows(20)


def test_rows_that_came_and_went_are_counted() -> None:
    after = pd.concat([ROWS.tail(15), tiny_rows(4, seed=9)], ignore_index=True)

    found = compare_tables(ROWS, after)

    assert (found.added, found.removed, found.kept) == (4, 5, 15)


def test_a_row_that_stands_twice_counts_twice() -> None:
    twice = pd.concat([ROWS, ROWS.head(1)], ignore_index=True)

    assert compare_tables(ROWS, twice).added == 1


@given(split=st.integers(0, 20), seed=st.integers(0, 3))
def test_both_sides_add_up(split: int, seed: int) -> None:
    other = tiny_rows(12, seed)

    found = compare_tables(ROWS.head(split), other)

    assert found.kept + found.removed == split
    assert found.kept + found.added == len(other)


def test_columns_that_came_and_went_do_not_hide_that_rows_are_the_same() -> None:
    after = ROWS.drop(columns="sex").assign(weight=70.0)

    found = compare_tables(ROWS, after)

    assert (found.new_columns, found.lost_columns) == (("weight",), ("sex",))
    assert (found.added, found.removed) == (0, 0)
    told = {each.column: (each.before, each.after) for each in found.changes}
    assert told["weight"] == ("", "mean 70, deviation 0")
    assert told["sex"][1] == ""


def test_a_column_is_told_by_shares_or_by_mean_and_deviation() -> None:
    assert (
        describe_column(pd.Series([1.0, 3.0, None, None])) == "mean 2, deviation 1, 50.0% missing"
    )
    assert describe_column(pd.Series(["a", "a", "b", None])) == "a 66.7%, b 33.3%, 25.0% missing"
    assert describe_column(pd.Series(list("aabbccde"))).endswith("2 others")
    assert describe_column(pd.Series([], dtype=float)) == "no rows"


def test_the_mark_of_a_group_is_no_column() -> None:
    assert compare_tables(ROWS.assign(**{GROUP: "x"}), ROWS).lost_columns == ()

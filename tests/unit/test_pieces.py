"""A table that is cleaned in pieces is the table that is cleaned at once."""

from collections.abc import Callable
from typing import Any, TypeVar

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.cleaning import clean, faults_of_values
from driftline.errors import DataError
from driftline.pieces import Cleaning
from driftline.problem import Problem
from driftline.quarantine import RowFaults
from tests.support import make_problem

PROBLEM = make_problem(
    ignored=["patient", "counts"], group="patient", weight="counts", max_quarantined_share=0.9
)
Found = TypeVar("Found")
NAMES = ["age", "level", "sex", "outcome", "patient", "counts"]

texts = st.tuples(
    st.sampled_from(["40", "50.0", " 7", "old", "", "4.5", "500", "inf"]),
    st.sampled_from(["0.5", "-9", "NA", "high", "1e3", "1,5", ""]),
    st.sampled_from(["F", "M", " M", "X", ""]),
    st.sampled_from(["0", "1", "1.0", "2", ""]),
    st.sampled_from(["p1", "p2", " p1", ""]),
    st.sampled_from(["1", "2.5", "1", "1", "0", "x"]),
)
raw_tables = st.lists(texts, min_size=1, max_size=25).map(
    lambda rows: pd.DataFrame(rows, columns=NAMES, dtype=object)
)


def clean_pieces(raw: pd.DataFrame, rows: int) -> tuple[pd.DataFrame, Cleaning, dict[str, int]]:
    cleaning = Cleaning(PROBLEM, "rows.csv")
    pieces = [cleaning.clean(raw.iloc[i : i + rows]) for i in range(0, len(raw), rows)]
    return pd.concat(pieces, ignore_index=True), cleaning, cleaning.finish()


def told_by(work: Callable[[], Found]) -> tuple[str, Found | None]:
    """What a person is told, which may be nothing, or what was found."""
    try:
        return "", work()
    except DataError as error:
        return str(error), None


@given(raw=raw_tables, rows=st.integers(1, 8))
def test_pieces_are_cleaned_as_the_whole_is(raw: pd.DataFrame, rows: int) -> None:
    refused, whole = told_by(lambda: clean(raw, PROBLEM, source="rows.csv", with_target=True))

    again, found = told_by(lambda: clean_pieces(raw, rows))

    assert again == refused
    if whole is None or found is None:
        return
    table, cleaning, uncoerced = found

    pd.testing.assert_frame_equal(table, whole.table)
    assert list(uncoerced.items()) == list(whole.uncoerced.items())
    assert cleaning.faults.within(0, len(raw)) == faults_of_values(whole, PROBLEM)


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("level", ["12 %", *["NA"] * 9, "13 %", "7 %"]),
        ("counts", ["1"] * 7 + ["0", "1", "", "1", "1"]),
        ("age", [""] * 12),
    ],
    ids=["no usable value", "no weight", "no value"],
)
def test_what_is_wrong_with_a_column_is_told_of_all_pieces(column: str, cells: list[str]) -> None:
    rows = [["40", "0.5", "F", "1", "p1", "1"]] * 12
    raw = pd.DataFrame(rows, columns=NAMES, dtype=object).assign(**{column: cells})

    with pytest.raises(DataError) as raised:
        clean_pieces(raw, 5)

    with pytest.raises(DataError) as wanted:
        clean(raw, PROBLEM, source="rows.csv", with_target=True)
    assert str(raised.value) == str(wanted.value)


def test_a_value_in_any_piece_makes_a_column_usable(problem: Problem) -> None:
    raw = pd.DataFrame(
        {"age": "40", "level": ["NA", "NA", "0.5"], "sex": "F", "outcome": "1"}, dtype=object
    )
    cleaning = Cleaning(problem, "rows.csv")

    for row in range(3):
        cleaning.clean(raw.iloc[row : row + 1])

    assert cleaning.finish() == {}


notes = st.lists(
    st.dictionaries(
        st.integers(0, 9), st.lists(st.sampled_from("abc"), min_size=1, unique=True), max_size=6
    ),
    min_size=1,
    max_size=4,
)


@given(notes=notes, cut=st.integers(0, 40))
def test_faults_are_found_again_in_any_part(notes: list[dict[int, Any]], cut: int) -> None:
    faults, wanted = RowFaults(), dict[int, tuple[str, ...]]()
    for place, found in enumerate(notes):
        faults.add({row: tuple(reasons) for row, reasons in found.items()}, start=10 * place)
        wanted |= {10 * place + row: tuple(reasons) for row, reasons in found.items()}

    before, after = faults.within(0, cut), faults.within(cut, 40)

    assert before | {cut + row: reasons for row, reasons in after.items()} == wanted

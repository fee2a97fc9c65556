import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.cleaning import clean, keep_ignored
from tests.support import MOODS, make_problem, mood_rows
from tests.unit.raw import ALIASED, cleaned, raw_table, refusal


@pytest.mark.parametrize("cell", ["YES ", " YES", "YES\u00a0", "\ufeffYES"])
def test_a_category_with_spaces_around_it_is_still_the_category(cell: str) -> None:
    moods = make_problem(MOODS, name="moods")
    raw = mood_rows(6).assign(sleeps=cell)

    table = cleaned(raw, moods).table

    assert set(table["sleeps"]) == {"YES"}


@pytest.mark.parametrize("cell", ["", " ", "NA", "n/a", "NaN", "null", "<NA>", "-9", "-9.0"])
def test_missing_markers_and_codes_are_missing_and_no_fault(cell: str) -> None:
    raw = raw_table(level=["1", cell])

    got = cleaned(raw)

    assert got.table["level"].isna().tolist() == [False, True]
    assert got.uncoerced == {}
    assert got.faults == {}


def test_a_category_that_reads_like_a_missing_marker_is_kept() -> None:
    columns = {"answer": {"kind": "category", "categories": ["yes", "NA"]}}
    problem = make_problem(columns=columns)
    raw = pd.DataFrame({"answer": ["yes", "NA"], "outcome": ["0", "1"]})

    table = cleaned(raw, problem).table

    assert table["answer"].tolist() == ["yes", "NA"]


def test_dates_in_a_column_of_categories_are_told_as_dates() -> None:
    columns = {"stage": {"kind": "category", "categories": ["1", "2024-01-02"]}}
    problem = make_problem(columns=columns)
    days = pd.to_datetime(["2024-01-01", "2024-01-02", None])
    raw = pd.DataFrame({"stage": days, "outcome": ["0", "1", "0"]})

    got = cleaned(raw, problem)

    assert got.faults == {0: ("stage: a date, not one of its categories",)}
    assert got.table["stage"].tolist() == [None, "2024-01-02", None]
    assert "stage: 1 cell: dates" in refusal(raw[:1], problem)


def test_text_in_a_number_column_is_counted_and_marks_its_row() -> None:
    raw = raw_table(age=["forty", "50"], level=["1", "1,5"])

    got = cleaned(raw)

    assert got.uncoerced == {"age": 1, "level": 1}
    assert got.faults == {0: ("age: not a whole number",), 1: ("level: not a number",)}
    assert got.table["age"].isna().tolist() == [True, False]


@pytest.mark.parametrize("cell", ["40.5", "inf", "-inf", "1e999"])
def test_what_is_no_whole_number_is_a_fault_of_an_integer_column(cell: str) -> None:
    got = cleaned(raw_table(age=["50", cell]))

    assert got.faults == {1: ("age: not a whole number",)}


def test_a_target_outside_its_classes_marks_its_row() -> None:
    got = cleaned(raw_table(outcome=["sick", "2"]))

    assert got.table["outcome"].iloc[0] == "ill"
    assert got.table["outcome"].isna().tolist() == [False, True]
    assert got.uncoerced == {"outcome": 1}
    assert got.faults == {1: ("outcome: not one of its classes",)}


def test_a_class_is_also_known_by_its_own_name() -> None:
    got = cleaned(raw_table(outcome=["well", "ill"]))

    assert got.table["outcome"].tolist() == ["well", "ill"]


def test_rows_to_predict_need_no_target() -> None:
    raw = raw_table().drop(columns="outcome")

    got = clean(raw, ALIASED, source="rows.csv", with_target=False)

    assert list(got.table.columns) == ["age", "level"]


@pytest.mark.parametrize("cell", ["", "forty"])
def test_a_column_without_any_usable_value_is_refused(cell: str) -> None:
    message = refusal(raw_table(age=[cell, cell]))

    wanted = "rows.csv: column 'age': got no usable value at all, wanted at least one"
    assert message == wanted + ("; age: 2 cells: words" if cell else "")


def test_a_printed_minus_is_a_minus() -> None:
    assert cleaned(raw_table(level=["\u22121", "2"])).table["level"].tolist() == [-1.0, 2.0]


def test_a_header_without_rows_is_refused() -> None:
    message = refusal(raw_table().head(0))

    assert message == "rows.csv: got a header and no rows, wanted at least one row"


cells = st.one_of(st.text(max_size=6), st.integers(-200, 200).map(str), st.floats().map(str))


@given(column=st.lists(cells, min_size=1, max_size=12))
def test_no_cell_is_lost_without_being_counted(column: list[str]) -> None:
    """A cell is a number, or missing as declared, or a counted fault of its row."""
    raw = pd.DataFrame({"age": "40", "level": ["1", *column], "outcome": "0"})

    got = cleaned(raw)

    at_fault = [row for row, reasons in got.faults.items() if "level: " in " ".join(reasons)]
    assert got.uncoerced.get("level", 0) == len(at_fault)
    assert len(got.table) == len(column) + 1
    assert got.table.loc[at_fault, "level"].isna().all()
    assert not np.isinf(got.table["level"]).any()


def test_typed_cells_and_text_cells_give_the_same_table() -> None:
    typed = pd.DataFrame({"age": [40, 50], "level": [1.5, np.nan], "outcome": [0, 1]})
    text = pd.DataFrame({"age": ["40", "50"], "level": ["1.5", ""], "outcome": ["0", "1"]})

    pd.testing.assert_frame_equal(cleaned(typed).table, cleaned(text).table)


@given(text=st.floats(allow_nan=False, allow_infinity=False, width=32).map(repr))
def test_a_number_is_read_without_rounding(text: str) -> None:
    assert cleaned(raw_table(level=["1", text])).table["level"][1] == float(text) or text == "-9.0"


def test_ignored_columns_are_kept_as_they_were_written() -> None:
    problem = make_problem(ignored=["id", "ward"])
    raw = pd.DataFrame({"ward": [3.0, np.nan], " id": ["007", " x "], "age": 4})

    kept = keep_ignored(raw, problem)

    assert kept["id"].tolist() == ["007", " x "]
    assert kept["ward"].tolist() == ["3", pd.NA]
    assert set(map(str, kept.dtypes)) == {"string"}


def test_whole_numbers_among_missing_cells_are_read() -> None:
    raw = raw_table(level=["3", ""])
    raw["level"] = pd.Series([3, None], dtype=object)

    got = cleaned(raw)

    assert got.table["level"].tolist()[0] == 3
    assert got.table["level"].isna().tolist() == [False, True]

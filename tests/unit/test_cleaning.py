from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.cleaning import CleanTable, clean, faults_of_values, keep_ignored
from driftline.dataset import draft_contract, encode_rows
from driftline.errors import DataError
from driftline.problem import Problem
from tasks.reading.sources import read_table
from tests.support import MOODS, make_problem, mental_health, mood_rows, shared_data

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


def test_columns_come_under_the_problems_names_in_its_order() -> None:
    raw = pd.DataFrame({"result": ["1"], "level": ["0.5"], "id": ["7"], "Age in years": ["40"]})

    table = cleaned(raw).table

    assert list(table.columns) == ["age", "level", "outcome"]
    assert table.iloc[0].tolist() == [40.0, 0.5, "ill"]


@pytest.mark.parametrize("written", ["\ufeffage", "age ", " age", "\tage", "Age  in   years "])
def test_a_header_with_marks_and_spaces_is_still_found(written: str) -> None:
    raw = raw_table().rename(columns={"age": written})

    table = cleaned(raw).table

    assert table["age"].tolist() == [40, 50]


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


def test_a_numeric_category_is_text_without_its_decimal_point() -> None:
    """One missing cell makes a whole column of codes float; `2.0` still means `2`."""
    moods = make_problem(MOODS, name="moods")
    raw = mood_rows(3).assign(energy=[1.0, np.nan, 3.0])

    table = cleaned(raw, moods).table

    assert table["energy"].tolist() == ["1", None, "3"]


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


def refusal(raw: pd.DataFrame) -> str:
    with pytest.raises(DataError) as raised:
        cleaned(raw)
    return str(raised.value)


def test_a_missing_column_is_named() -> None:
    message = refusal(raw_table().drop(columns="level"))

    assert message.startswith("rows.csv: columns are not as the problem file declares; ")
    assert "missing: 'level'" in message


def test_a_missing_target_is_named() -> None:
    assert "missing: 'outcome'" in refusal(raw_table().drop(columns="outcome"))


def test_a_renamed_column_is_named_with_what_it_may_be_now() -> None:
    message = refusal(raw_table().rename(columns={"level": "levels"}))

    assert "missing: 'level' (is it 'levels'? add an alias)" in message
    assert "unexpected: 'levels' (declare or ignore them)" in message


def test_an_unexpected_column_is_named() -> None:
    assert "unexpected: 'height'" in refusal(raw_table(height=["1", "2"]))


def test_the_cells_of_a_table_without_a_header_are_not_shown() -> None:
    message = refusal(pd.DataFrame([["51", "0.5", "1"]], columns=["Jane-Doe-1234", "0.7", "0"]))

    assert "Jane-Doe-1234" not in message
    assert message == (
        "rows.csv: got 3 columns and none that the problem file declares, "
        "wanted a first line that names 'age', 'level', 'outcome'"
    )


def test_a_column_given_twice_is_named_also_under_its_alias() -> None:
    message = refusal(raw_table(**{"Age in years": ["40", "50"]}))

    assert "given more than once: 'age'" in message


@pytest.mark.parametrize("cell", ["", "forty"])
def test_a_column_without_any_usable_value_is_refused(cell: str) -> None:
    message = refusal(raw_table(age=[cell, cell]))

    wanted = "rows.csv: column 'age': got no usable value at all, wanted at least one"
    assert message == wanted + ("; age: 2 cells: words" if cell else "")


@pytest.mark.parametrize("written", ["AGE", "a_g_e", "age [years]"])
def test_a_name_that_differs_in_case_or_signs_is_offered_as_an_alias(written: str) -> None:
    message = refusal(raw_table().rename(columns={"age": written}))

    assert f"missing: 'age' (is it {written!r}? add an alias)" in message


def test_names_in_another_case_are_told_where_all_of_them_are() -> None:
    message = refusal(raw_table().rename(columns=str.upper))

    assert "missing: 'age' (is it 'AGE'? add an alias)" in message


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


@pytest.mark.data
def test_a_real_table_with_misspelt_headers_marks_and_spaces_is_the_same_table() -> None:
    problem = make_problem(
        mental_health(
            Sleep_Disorder=["Sleep dissorder"],
            Suicidal_Thoughts=["Suicidal thoughts"],
            Anorexia=["Anorxia"],
            Nervous_Breakdown=["Nervous Break-down"],
            Optimism=["Optimisim"],
        ),
        name="mental_health",
    )

    clear, messy = (
        clean(
            read_table(str(shared_data("mental_health", name))).rows,
            problem,
            source=name,
            with_target=True,
        )
        for name in ("clean.csv", "original-headers.csv")
    )

    assert messy.faults == {}
    pd.testing.assert_frame_equal(messy.table, clear.table)


CODED = make_problem(
    columns={
        "stage": {"kind": "category", "categories": {1: ["one"], 2: None}, "missing": "allow"},
        "sex": {"kind": "category", "categories": {"male": ["M", "m"], "female": ["F"]}},
        "flow": {"missing": "allow", "missing_codes": ["?", -1]},
    },
)
WAYS_TO_WRITE = {
    "text": ["1", "2", None],
    "text of floats": ["1.0", "2.0", ""],
    "floats": [1.0, 2.0, np.nan],
    "nullable integers": pd.array([1, 2, None], dtype="Int64"),
    "decimals": [Decimal("1.00"), Decimal(2), None],
    "narrow floats": np.array([1, 2, np.nan], dtype=np.float32),
    "mixed": ["one", 2, None],
}


def coded_table(**columns: object) -> pd.DataFrame:
    usual = {"stage": ["1", "2", ""], "sex": ["M", "F", "male"], "flow": ["1", "?", "-1.0"]}
    return pd.DataFrame(usual | {"outcome": ["0", "1", "0"]} | columns)


@pytest.mark.parametrize("way", WAYS_TO_WRITE)
def test_a_code_is_one_category_however_a_file_holds_it(way: str) -> None:
    got = cleaned(coded_table(stage=WAYS_TO_WRITE[way]), CODED)

    assert got.table["stage"].tolist() == ["1", "2", None]


@pytest.mark.parametrize("way", WAYS_TO_WRITE)
def test_a_class_is_one_however_a_file_holds_it(way: str) -> None:
    stages = {"stage": {"kind": "category", "categories": [1, 2]}}
    problem = make_problem(
        columns=stages,
        target={"name": "t", "classes": {"a": [1, "one"], "b": [2]}, "positive": "a"},
    )
    raw = pd.DataFrame({"stage": "1", "t": WAYS_TO_WRITE[way]})

    assert cleaned(raw, problem).table["t"].tolist()[:2] == ["a", "b"]


def test_a_large_code_is_not_rounded() -> None:
    stage = {"kind": "category", "categories": [1234567, 1234568]}
    raw = pd.DataFrame({"stage": [1234567.0, 1234568.0], "outcome": ["0", "1"]})

    got = cleaned(raw, make_problem(columns={"stage": stage}))

    assert got.table["stage"].tolist() == ["1234567", "1234568"]


def test_a_boolean_column_is_read_by_its_codes() -> None:
    problem = make_problem(columns={"smoker": {"kind": "category", "categories": [0, 1]}})
    raw = pd.DataFrame({"smoker": [True, False], "outcome": [False, True]})

    table = cleaned(raw, problem).table

    assert table["smoker"].tolist() == ["1", "0"]
    assert table["outcome"].tolist() == ["well", "ill"]


def test_a_coded_column_without_any_value_is_missing_throughout() -> None:
    got = clean(coded_table(stage=np.nan), CODED, source="t", with_target=True, is_part=True)

    assert got.table["stage"].tolist() == [None] * 3
    assert got.table["stage"].dtype == object


def test_other_words_for_a_category_are_read_as_it() -> None:
    assert cleaned(coded_table(), CODED).table["sex"].tolist() == ["male", "female", "male"]


def test_a_word_may_stand_for_a_missing_number() -> None:
    got = cleaned(coded_table(), CODED)

    assert got.table["flow"].isna().tolist() == [False, True, True]
    assert got.faults == {}


def test_a_number_that_no_float32_holds_marks_its_row() -> None:
    got = cleaned(coded_table(flow=["1", "-1.7e308", "3.5e38"]), CODED)

    reason = ("flow: must be a finite number",)
    assert got.faults == {1: reason, 2: reason}
    assert got.table["flow"].isna().tolist() == [False, True, True]


def test_a_decomposed_header_is_the_composed_column() -> None:
    problem = make_problem(columns={"gr\u00f6\u00dfe": {}}, ignored=["n\u0061\u0308he"])
    raw = pd.DataFrame({"gro\u0308\u00dfe": ["1"], "n\u00e4he": ["x"], "outcome": ["0"]})

    assert cleaned(raw, problem).table["gr\u00f6\u00dfe"].tolist() == [1.0]


@given(text=st.floats(allow_nan=False, allow_infinity=False, width=32).map(repr))
def test_a_number_is_read_without_rounding(text: str) -> None:
    assert cleaned(raw_table(level=["1", text])).table["level"][1] == float(text) or text == "-9.0"


PIECES = st.lists(st.integers(1, 5), min_size=1, max_size=6)
CELLS = {
    "stage": st.sampled_from([None, "1", "1.0", 1, 2.0, True, "x", Decimal("2.00"), "one"]),
    "sex": st.sampled_from([None, "M", "m ", "F", "?"]),
    "flow": st.sampled_from([None, "1", 2.5, "?", "-1", -1, 1e300, "inf", "18446744073709551616"]),
    "outcome": st.sampled_from(["0", 1, "1.0", None, True, "well"]),
}


@given(
    rows=st.lists(st.fixed_dictionaries(CELLS), min_size=1, max_size=12),
    sizes=PIECES,
    is_typed=st.booleans(),
)
def test_what_becomes_of_a_row_does_not_depend_on_the_piece_it_is_in(
    rows: list[dict[str, object]], sizes: list[int], is_typed: bool
) -> None:
    """Typed as pandas would: a piece without a missing value has another type than the next."""
    whole = pd.DataFrame(rows, dtype=object)
    cuts = [min(int(cut), len(rows)) for cut in np.cumsum([*sizes, len(rows)])]
    parts = [whole.iloc[a:b] for a, b in zip([0, *cuts], cuts, strict=False) if a < b]
    if is_typed:
        parts = [part.infer_objects() for part in parts]

    one = clean(whole, CODED, source="t", with_target=True, is_part=True)
    many = [clean(part, CODED, source="t", with_target=True, is_part=True) for part in parts]

    together = pd.concat([part.table for part in many], ignore_index=True)
    assert together.to_json(orient="records") == one.table.to_json(orient="records")
    starts = np.cumsum([0, *(len(part.table) for part in many)])
    moved = {
        row + int(start): why
        for start, part in zip(starts, many, strict=False)
        for row, why in faults_of_values(part, CODED).items()
    }
    assert moved == faults_of_values(one, CODED)


def test_ignored_columns_are_kept_as_they_were_written() -> None:
    problem = make_problem(ignored=["id", "ward"])
    raw = pd.DataFrame({"ward": [3.0, np.nan], " id": ["007", " x "], "age": 4})

    kept = keep_ignored(raw, problem)

    assert kept["id"].tolist() == ["007", " x "]
    assert kept["ward"].tolist() == ["3", pd.NA]
    assert set(map(str, kept.dtypes)) == {"string"}


def test_a_mixed_column_of_codes_is_read_cell_by_cell() -> None:
    """`True` and `1` are one value to pandas, and may be two categories here."""
    columns = {"answer": {"kind": "category", "categories": ["1", "True", "x"]}}
    problem = make_problem(columns=columns)
    raw = pd.DataFrame({"answer": [1, True, "x", None], "outcome": ["0", "1", "0", "1"]})

    table = cleaned(raw, problem).table

    assert table["answer"].tolist() == ["1", "True", "x", None]


def test_whole_numbers_among_missing_cells_are_read() -> None:
    raw = raw_table(level=["3", ""])
    raw["level"] = pd.Series([3, None], dtype=object)

    got = cleaned(raw)

    assert got.table["level"].tolist()[0] == 3
    assert got.table["level"].isna().tolist() == [False, True]


def test_values_that_are_no_category_count_as_the_one_that_is_declared_for_them() -> None:
    town = {"kind": "category", "categories": ["Bern", "other"], "unseen": "other"}
    problem = make_problem(columns={"town": town | {"missing": "allow"}})
    towns = ["Bern", " Basel", "other", "", "n/a", 7]

    got = cleaned(pd.DataFrame({"town": towns, "outcome": [0, 1] * 3}), problem)

    assert got.table["town"].tolist() == ["Bern", "other", "other", None, None, "other"]
    assert got.faults == {}
    encode = draft_contract(problem).encode_table
    sent = [encode([{"town": town}])[0].tolist() for town in towns]
    assert sent == encode_rows(got.table, problem).tolist()

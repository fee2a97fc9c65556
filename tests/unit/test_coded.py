from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.cleaning import clean, faults_of_values
from driftline.dataset import draft_contract, encode_rows
from tests.support import MOODS, make_problem, mood_rows
from tests.unit.raw import cleaned


def test_a_numeric_category_is_text_without_its_decimal_point() -> None:
    """One missing cell makes a whole column of codes float; `2.0` still means `2`."""
    moods = make_problem(MOODS, name="moods")
    raw = mood_rows(3).assign(energy=[1.0, np.nan, 3.0])

    table = cleaned(raw, moods).table

    assert table["energy"].tolist() == ["1", None, "3"]


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


def test_a_mixed_column_of_codes_is_read_cell_by_cell() -> None:
    """`True` and `1` are one value to pandas, and may be two categories here."""
    columns = {"answer": {"kind": "category", "categories": ["1", "True", "x"]}}
    problem = make_problem(columns=columns)
    raw = pd.DataFrame({"answer": [1, True, "x", None], "outcome": ["0", "1", "0", "1"]})

    table = cleaned(raw, problem).table

    assert table["answer"].tolist() == ["1", "True", "x", None]


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

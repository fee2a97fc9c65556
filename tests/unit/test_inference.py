"""What columns are taken for, by their names and cells."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from driftline.inference import guess_column, guess_columns, guess_unit

RNG = np.random.default_rng(0)


def numbers(low: int, high: int, rows: int = 200) -> list[Any]:
    return [str(value) for value in RNG.integers(low, high, rows)]


CASES: list[tuple[str, str, list[Any], str, dict[str, Any]]] = [
    ("whole numbers", "age", numbers(20, 80), "integer", {}),
    ("fractions", "level", [f"{x:.2f}" for x in RNG.normal(5, 1, 200)], "number", {}),
    ("a unit", "weight_kg", numbers(40, 120), "integer", {"unit": "kg"}),
    (
        "yes and no in numbers",
        "smoker",
        ["0", "1"] * 50,
        "category",
        {"categories": ["0", "1"]},
    ),
    ("words", "sex", ["m", "f"] * 50, "category", {"categories": ["f", "m"]}),
    ("booleans", "ok", [True, False, None] * 30, "category", {"missing": "allow"}),
    ("codes with zeros in front", "ward", ["007", "010", "011"] * 30, "category", {}),
    (
        "steps",
        "mood",
        ["10 of 10", "2 of 10", "9 of 10"] * 30,
        "category",
        {"categories": ["2 of 10", "9 of 10", "10 of 10"], "ordered": True},
    ),
    (
        "bins",
        "age_group",
        ["[10-20)", "[0-10)", "[100-110)"] * 30,
        "category",
        {"categories": ["[0-10)", "[10-20)", "[100-110)"], "ordered": True},
    ),
    ("a code for missing", "level", [*numbers(0, 60), *["-999"] * 5], "integer", {}),
    ("a code at the top", "stage", [*numbers(0, 10), *["99"] * 5], "integer", {}),
    ("a word for missing", "level", [*numbers(0, 60), "?", "?"], "integer", {}),
    ("a row number", "x", [str(i) for i in range(200)], "id", {}),
    ("a key by its name", "PatientID", [str(10**6 + 7 * i) for i in range(200)], "id", {}),
    ("repeated patients", "patient_id", [str(i % 90) for i in range(200)], "group", {}),
    ("dates", "seen", [f"2026-01-{1 + i % 28:02d}" for i in range(100)], "date", {}),
    (
        "days first",
        "seen",
        [f"{1 + i % 28:02d}.01.2026" for i in range(100)],
        "date",
        {"format": "day_first", "range": [date(2025, 12, 18), date(2031, 1, 28)]},
    ),
    (
        "months first",
        "seen",
        [f"1/{1 + i % 28}/26 4:30 PM" for i in range(100)],
        "date",
        {"format": "month_first"},
    ),
    ("numbers that name things", "admission_type_id", numbers(1, 8), "category", {}),
    ("numbered races", "race", numbers(1, 4), "category", {"categories": ["1", "2", "3"]}),
    ("numbers after a word for names", "race_time", numbers(1, 40), "integer", {}),
    (
        "answers and one for no answer",
        "exercise",
        [*["1", "2"] * 50, *["9"] * 6],
        "category",
        {"categories": ["1", "2"], "missing_codes": ["9"], "missing": "allow"},
    ),
    (
        "words with an order",
        "mood",
        ["high", "low", "medium"] * 30,
        "category",
        {"categories": ["low", "medium", "high"], "ordered": True},
    ),
    ("grades", "sub_grade", ["B1", "A2", "A1"] * 30, "category", {"ordered": True}),
    ("row names", "rownames", [str(3 * i) for i in range(200)], "id", {}),
    ("a person's number", "patient_nbr", numbers(1, 90), "group", {}),
    ("a person", "individual", numbers(1, 90), "group", {}),
    ("fractions called an id", "citric acid", [f"{x:.4f}" for x in RNG.random(200)], "number", {}),
    (
        "codes among numbers",
        "diagnosis",
        [*numbers(100, 999, 900), *["V45"] * 4, *["V58"] * 4, *["E90"] * 4],
        "text",
        {},
    ),
    ("percentages", "share", [f"{x:.2f}%" for x in RNG.random(200)], "text", {}),
    ("eight digits", "seen", [20260101 + i % 28 for i in range(100)], "date", {}),
    ("eight digits of other numbers", "seen", numbers(20_000_000, 90_000_000), "integer", {}),
    (
        "dates that are none",
        "seen",
        [*["2026-01-02", "2026-03-04"] * 50, *["0000-00-00"] * 9],
        "date",
        {"missing_codes": ["0000-00-00"]},
    ),
    ("free text", "note", [f"came back for reason {i}x" for i in range(200)], "text", {}),
    ("one value", "site", ["A"] * 100, "constant", {}),
    ("nothing", "site", ["", None, "NA"] * 30, "empty", {}),
]


@pytest.mark.parametrize(
    ("name", "cells", "kind", "keys"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_a_column_is_taken_for_what_it_is(
    name: str, cells: list[Any], kind: str, keys: dict[str, Any]
) -> None:
    guess = guess_column(name, cells)

    assert guess.kind == kind, guess.evidence
    assert keys.items() <= dict(guess.keys).items()
    assert (guess.role == "input") == (kind in {"number", "integer", "category", "date"})
    assert guess.evidence


def test_codes_for_missing_are_declared_and_out_of_the_range() -> None:
    low = guess_column("level", [*numbers(0, 60), *["-999"] * 5, "?"])
    high = guess_column("stage", [*numbers(0, 10), *["99"] * 5])

    assert low.keys["missing_codes"] == [-999, "?"]
    assert low.keys["range"][0] == 0
    assert high.keys["missing_codes"] == [99]
    assert high.keys["range"][1] < 99
    assert low.keys["missing"] == high.keys["missing"] == "allow"


def test_a_rare_large_number_is_no_code() -> None:
    guess = guess_column("stage", [*numbers(0, 90), "99", "99", "99", "99"])

    assert "missing_codes" not in guess.keys


def test_a_range_holds_all_that_was_seen_with_room() -> None:
    for low, high in ((0.001, 0.002), (-5.5, 3.25), (1e6, 3e6), (40.0, 41.0)):
        cells = [str(x) for x in np.linspace(low, high, 50)]

        begin, end = guess_column("level", cells).keys["range"]

        assert begin < low or begin == 0 <= low
        assert end > high
        assert end - begin < 4 * (high - low)


def test_one_cell_that_is_no_number_leaves_a_number_column_one() -> None:
    assert guess_column("level", [*numbers(0, 60), "see note"]).kind == "integer"


@pytest.mark.parametrize(
    ("name", "unit"),
    [("pressure (mm Hg)", "mm Hg"), ("height_cm", "cm"), ("age", None), ("BMI [kg/m²]", "kg/m²")],
)
def test_a_unit_is_told_by_the_name(name: str, unit: str | None) -> None:
    assert guess_unit(name) == unit


def test_columns_are_guessed_in_order_without_the_target() -> None:
    rows = pd.DataFrame({"a ": numbers(0, 50), "y": ["0", "1"] * 100, "b": ["u", "v"] * 100})

    assert [guess.name for guess in guess_columns(rows, without=("y",))] == ["a", "b"]


def test_dates_that_may_be_either_say_so() -> None:
    told = guess_column("seen", [f"0{1 + i % 9}.0{1 + i % 7}.2026" for i in range(90)]).evidence

    assert "day first (or month first: no day beyond 12 tells)" in told


def test_free_text_is_left_out_with_the_reason() -> None:
    notes = [f"The patient number {i} came in on foot and felt quite well." for i in range(60)]

    guess = guess_column("note", notes)

    assert (guess.kind, guess.role) == ("text", "ignored")
    assert guess.evidence.startswith("free text of some ")


@pytest.mark.parametrize(
    "cells", [[f"{i}.5 %" for i in range(90)], [f"€{i},50" for i in range(90)]]
)
def test_numbers_with_signs_beside_them_are_named_as_such(cells: list[str]) -> None:
    assert guess_column("price", cells).evidence.startswith("numbers with signs or units beside")


def test_of_very_many_codes_the_frequent_ones_stay_and_one_stands_for_the_others() -> None:
    common = [f"C{code:02}" for code in RNG.integers(0, 8, 900)]
    rare = [f"R{code:03}" for code in range(100)]

    guess = guess_column("diagnosis", common + rare)

    kept = [f"C{code:02}" for code in range(8)]
    assert (guess.kind, guess.role) == ("category", "input")
    assert guess.keys == {"kind": "category", "categories": [*kept, "other"], "unseen": "other"}
    assert "the 8 most frequent stand in 90% of the cells" in guess.evidence


def test_codes_that_begin_with_a_letter_are_no_numbers_with_units() -> None:
    cells = [f"{letter}{code}.1" for letter in "ABCDE" for code in range(10, 99)]

    assert "too many for categories" in guess_column("icd", cells).evidence


def test_a_sign_beside_one_other_value_is_the_other_value() -> None:
    guess = guess_column("test", ["+", "-", "-", "+"] * 30)

    assert (guess.kind, guess.keys["categories"]) == ("category", ["+", "-"])
    assert "missing_codes" not in guess.keys


def test_none_among_words_is_an_answer_and_among_numbers_a_missing_value() -> None:
    symptoms = guess_column("symptom", ["fever", "cough", "none"] * 40)
    doses = guess_column("dose", [*(str(dose) for dose in RNG.integers(1, 500, 90)), *["none"] * 5])

    assert symptoms.keys["categories"] == ["cough", "fever", "none"]
    assert "missing_codes" not in symptoms.keys
    assert doses.keys["missing_codes"] == ["none"]


def test_codes_of_which_none_is_frequent_are_left_out() -> None:
    cells = [f"T{code}" for code in RNG.integers(0, 300, 900)]

    assert guess_column("town", cells).role == "ignored"


def test_numbers_with_a_printed_minus_are_numbers() -> None:
    """As ingest reads them."""
    cells = [f"{i / 7 - 10:.2f}".replace("-", "\u2212") for i in range(100)]

    guess = guess_column("level", cells)

    assert (guess.kind, guess.role) == ("number", "input")
    assert guess.keys["range"][0] < -9


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (
            [f"({i})" if i % 3 else f"{i}.5" for i in range(99)],
            "33 plain numbers beside 66 cells, ",
        ),
        ([f"{i}.5" if i % 3 else "<0.1" for i in range(99)], "66 plain numbers beside 33 cells; "),
        ([f"{i:,}".replace(",", ",00,") for i in range(1000, 1099)], "with commas in the numbers"),
        (["".join(chr(0x660 + int(d)) for d in f"{i}") for i in range(100, 199)], "another script"),
    ],
)
def test_a_column_of_numbers_that_cannot_be_used_says_what_is_in_the_way(
    cells: list[str], told: str
) -> None:
    guess = guess_column("level", cells)

    assert (guess.kind, guess.role) == ("text", "ignored")
    assert told in guess.evidence


def test_a_column_of_words_says_nothing_of_numbers() -> None:
    guess = guess_column("street", [f"{i} Main Street" if i % 9 else f"{i}" for i in range(99)])

    assert "plain numbers" not in guess.evidence


@pytest.mark.parametrize(("begin", "step"), [(9_007_199_254_740_000, 1), (1_000_000, 1e-4)])
def test_numbers_that_models_cannot_tell_apart_are_left_out(begin: float, step: float) -> None:
    guess = guess_column("level", [f"{begin + step * (i % 90)}" for i in range(300)])

    assert (guess.kind, guess.role) == ("constant", "ignored")
    assert "one number in float32" in guess.evidence


def test_codes_with_zeros_in_front_are_not_called_numbers() -> None:
    assert "plain numbers" not in guess_column("plz", [f"{i:05}" for i in range(99)] * 2).evidence

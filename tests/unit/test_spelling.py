import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.spelling import (
    MISSING,
    declare,
    declare_categories,
    part_codes,
    read_number,
    spell,
    spell_all,
    tidy,
)

STAGES = declare_categories(["1", "2"], {"2": ["two"]}, ["-9", "?"])


@pytest.mark.parametrize(
    "value", ["1", " 1 ", "1.0", "1.00", 1, 1.0, Decimal("1.00"), Decimal("1E+0"), True]
)
def test_a_whole_number_code_is_one_however_it_is_spelt(value: object) -> None:
    assert STAGES.find(value) == "1"


@pytest.mark.parametrize("value", ["-9", "-9.0", -9, -9.0, Decimal(-9), "?", " ? "])
def test_a_missing_code_is_one_however_it_is_spelt(value: object) -> None:
    assert STAGES.find(value) == MISSING


@pytest.mark.parametrize("value", ["01", "1.5", "1e0", "", "one", 3, 1.0000001, Decimal("1.5")])
def test_what_is_not_declared_means_nothing(value: object) -> None:
    assert STAGES.find(value) is None


def test_an_alias_means_its_category() -> None:
    assert STAGES.find("two") == "2"


def test_a_spelling_that_is_declared_itself_comes_first() -> None:
    both = declare({"1": "one", "1.0": "one point zero"})

    assert (both.find("1"), both.find("1.0"), both.find(1.0)) == ("one", "one point zero", "one")
    assert both.find("1.00") is None  # which of the two?


def test_codes_with_zeros_that_say_something_stay_apart() -> None:
    codes = declare({code: code for code in ("007", "010", "1.50", "8:30")})

    assert [codes.find(code) for code in ("007", "010", "1.50", "8:30")] == [*codes.exact]
    assert [codes.find(code) for code in ("7", "10", "1.5", 7, "510")] == [None] * 5
    assert codes.find(Decimal("1.50")) == codes.find(1.5) == "1.50"


@pytest.mark.parametrize(
    ("declared", "found"), [(["0", "1"], "1"), (["true", "false"], "true"), (["True"], "True")]
)
def test_a_boolean_is_the_word_or_the_digit_that_is_declared(
    declared: list[str], found: str
) -> None:
    assert declare({word: word for word in declared}).find(True) == found  # noqa: FBT003 - a value


@given(st.integers(-(10**18), 10**18))
def test_no_whole_number_is_rounded(number: int) -> None:
    codes = declare({str(number): "mine", str(number + 1): "the next"})

    assert codes.find(number) == codes.find(f"{number}.0") == codes.find(Decimal(number)) == "mine"
    assert float(number) != number or codes.find(float(number)) == "mine"


@given(st.text())
def test_composed_and_decomposed_text_are_one(text: str) -> None:
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))

    assert tidy(composed) == tidy(decomposed) == tidy(tidy(text))
    assert declare({decomposed: 1}).find(f"  {composed} ") == 1


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_spelt_so_that_it_reads_back(number: float) -> None:
    assert float(spell(number)) == number
    assert read_number(spell(number)) == number


@pytest.mark.parametrize("text", ["1_000", "0x10", "inf", "nan", "١٢", "1,5", "", "1e", "."])
def test_what_only_some_readers_take_for_a_number_is_none(text: str) -> None:
    assert read_number(text) is None


def test_missing_codes_of_a_number_are_numbers_and_words() -> None:
    assert part_codes(["-9", "-9.0", "?", "n.d."]) == (frozenset({-9.0}), frozenset({"?", "n.d."}))


def test_all_cells_are_spelt_as_each_is_by_itself() -> None:
    cells = ["1.0", " a  b", True, 1, 1.0, None, Decimal("1.50"), " a  b"]

    assert spell_all(cells) == [None if cell is None else spell(cell) for cell in cells]


def test_text_of_more_marks_than_a_letter_has_is_left_as_it_stands() -> None:
    """Composing takes time by the square of their number, and a sender chooses it."""
    marks = "\u0301\u0323" * 500_000
    assert tidy(f" a{marks} ") == f"a{marks}"
    assert tidy("a\u0323\u0301" * 100) == unicodedata.normalize("NFC", "a\u0323\u0301" * 100)
    assert tidy("a\u0301" + " x" * 40) == "\u00e1" + " x" * 40


@pytest.mark.parametrize("minus", ["\u2212", "\u2013", "\uff0d"])
@pytest.mark.parametrize("text", ["-1.5", "-1e3", "1e-3"])
def test_a_printed_minus_is_one_wherever_a_number_is_read(text: str, minus: str) -> None:
    assert read_number(text.replace("-", minus)) == float(text)


@pytest.mark.parametrize("text", ["\u2212", "1\u22122", "\u2212\u22121", "-\u22121"])
def test_a_printed_minus_alone_or_twice_is_no_number(text: str) -> None:
    assert read_number(text) is None


@pytest.mark.parametrize("sign", ["\u200b", "\u00ad", "\u200e", "\u202c", "\u2060", "\ufeff"])
def test_signs_that_nobody_sees_are_trimmed(sign: str) -> None:
    """As copying from pages and spreadsheets leaves them."""
    assert tidy(f"{sign} red{sign}") == tidy(f" {sign}\u2003red {sign} ") == "red"
    assert tidy(f"{sign}\u00a0{sign}") == ""
    assert STAGES.find(f"{sign}1{sign}") == "1"


def test_what_joins_letters_within_a_word_stays() -> None:
    assert tidy("\u0645\u06cc\u200c\u0634\u0648\u062f") == "\u0645\u06cc\u200c\u0634\u0648\u062f"

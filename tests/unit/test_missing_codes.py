"""Which values stand for a missing one."""

from collections import Counter

import pytest

from driftline.missing_codes import find_codes, find_texts, find_words


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        ({1: 50, 2: 40, 9: 5}, {9}),
        ({1: 50, 2: 40, 3: 20, 7: 5, 9: 4}, {7, 9}),
        ({0: 50, 1: 40, 8: 3, 9: 3}, {8, 9}),
        ({0: 50, 1: 40, -9: 5}, {-9}),
        ({1: 50, 2: 40, 99: 5}, {99}),
        ({-12.5: 9, 3: 9, 31.5: 9, -999: 3}, {-999}),
        ({-12.5: 9, 3: 9, 31.5: 9, -99: 3}, {-99}),
    ],
)
def test_numbers_far_beyond_the_answers_are_codes(
    values: dict[float, int], codes: set[float]
) -> None:
    assert find_codes(values) == codes


@pytest.mark.parametrize(
    ("why", "values"),
    [
        ("the answers come near", {1: 50, 2: 40, 3: 20, 4: 9, 5: 9, 9: 5}),
        ("answers are left out", {1: 50, 4: 40, 9: 5}),
        ("they begin elsewhere", {2: 50, 3: 40, 9: 5}),
        ("too rare", {1: 50, 2: 40, 9: 2}),
        ("too frequent", {1: 50, 2: 40, 9: 60}),
        ("few cells", {1: 9, 2: 9, 9: 3}),
        ("only one answer", {1: 50, 9: 5}),
        ("one of numbers below 0", {-50: 9, -20: 9, 3: 9, 31.5: 9, -99: 3}),
        ("a small one beside numbers below 0", {-0.2: 9, 0: 9, 0.3: 9, -9: 3}),
        ("an answer against", {-1: 50, 0: 40, 1: 60}),
        ("an answer against, of four", {-1: 5, 0: 40, 1: 60, 2: 9}),
    ],
)
def test_numbers_that_may_be_answers_are_none(why: str, values: dict[float, int]) -> None:
    assert find_codes(values) == set(), why


def test_codes_of_categories_are_told_as_they_are_written() -> None:
    assert find_texts(Counter({"1": 50, "2.0": 40, "9.0": 5})) == ["9.0"]
    assert find_texts(Counter({"01": 50, "00": 40, "09": 5})) == []
    assert find_texts(Counter({"1": 50, "2": 40, "9": 5, "x": 9})) == []
    assert find_texts(Counter({"1": 50, "2": 40, "99": 5})) == ["99"]
    assert find_texts(Counter({"10001": 50, "10002": 40, "99999": 5})) == []


@pytest.mark.parametrize("word", ["?", "UNK", r"\N", "#N/A", "Unknown", "not recorded"])
def test_words_for_missing_are_told_in_any_case(word: str) -> None:
    assert find_words(Counter({"red": 9, "blue": 9, word: 9})) == [word]
    assert find_words(Counter({"red": 9, word: 9})) == []

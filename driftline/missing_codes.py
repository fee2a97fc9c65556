"""Values that stand for a missing one: well-known words, and numbers far from all others."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Final

from driftline.spelling import read_number

CODES_IN_NUMBERS: Final = (-1, -7, -8, -9, -77, -88, -99, -777, -888, -999, -7777, -8888, -9999)
CODES_AT_THE_TOP: Final = (77, 88, 99, 777, 888, 999, 7777, 8888, 9999, 99999)
CODES_OF_ANSWERS: Final = (7, 8, 9)  # refused, do not know, not asked: beside answers 1 to 4
WORDS_FOR_MISSING: Final = frozenset(
    {
        *("?", "-", "--", ".", "\\n", "#n/a", "n.a.", "unk", "unknown", "missing", "none"),
        *("not available", "not known", "not recorded"),
    }
)
SIGNS_FOR_MISSING: Final = frozenset({"?", "-", "--", ".", "\\n", "#n/a", "n.a.", "unk"})
NONE: Final = "none"
LEAST_OF_A_CODE: Final = 3  # cells that hold it
HIGHEST_FAR_CODE: Final = -77  # beside numbers below 0, where -9 may be one of them
GAP_OF_A_CODE: Final = 2.0  # times the largest other value
LEAST_CELLS_OF_ANSWERS: Final = 30  # below which a gap between answers says little
MOST_OF_ANSWERS: Final = 0.3  # of the cells that may be without an answer


def find_words(counts: Counter[str]) -> list[str]:
    """Words that stand for a missing value.

    Beside a single value they are the other one: + and -. Among words, `none` may be an answer.
    """
    words = [text for text in counts if text.lower() in WORDS_FOR_MISSING]
    others = [text for text in counts if text not in words]
    if len(others) < 2:  # noqa: PLR2004 - one value is no choice
        return []
    if any(any(letter.isdigit() for letter in text) for text in others):
        return words
    return [text for text in words if text.lower() != NONE]


def find_codes(values: Mapping[float, int]) -> set[float]:
    """Numbers that stand for a missing value: far from all others, well-known, and repeated.

    `values` are the column's numbers and how many cells hold each. -1 before 0 and 1 is one of the
    answers: no, unsure, yes.
    """
    ordinary = [v for v in values if v not in CODES_IN_NUMBERS and v not in CODES_AT_THE_TOP]
    if len(ordinary) < 2:  # noqa: PLR2004 - nothing to be far from
        return set()
    low, high = min(ordinary), max(ordinary)
    below: set[float] = {
        v for v in CODES_IN_NUMBERS if low >= 0 and values.get(v, 0) >= LEAST_OF_A_CODE
    }
    below |= {v for v in values if _is_far_below(v, low, high) and values[v] >= LEAST_OF_A_CODE}
    if below == {-1} and sorted(ordinary) == list(range(len(ordinary))):
        below = set()
    above = {
        v
        for v in CODES_AT_THE_TOP
        if values.get(v, 0) >= LEAST_OF_A_CODE and v > GAP_OF_A_CODE * max(high, 1)
    }
    return {float(v) for v in below | above} or _find_codes_of_answers(values)


def _is_far_below(value: float, low: float, high: float) -> bool:
    """Whether a code beside numbers below 0 is farther from them than they are from each other."""
    is_code = value in CODES_IN_NUMBERS and value <= HIGHEST_FAR_CODE
    return is_code and value < low - (high - low)


def _find_codes_of_answers(values: Mapping[float, int]) -> set[float]:
    """7, 8 and 9 beside answers that are numbered from 0 or 1 on and end far below them."""
    answers = sorted(v for v in values if v not in CODES_OF_ANSWERS)
    codes = {float(v) for v in CODES_OF_ANSWERS if v in values}
    if len(answers) < 2 or not codes:  # noqa: PLR2004 - one answer is no choice
        return set()
    total = sum(values.values())
    lacking = sum(values[code] for code in codes)
    is_numbered = answers[0] in {0, 1} and answers[-1] - answers[0] == len(answers) - 1
    is_far = min(codes) > GAP_OF_A_CODE * answers[-1]
    is_repeated = all(values[code] >= LEAST_OF_A_CODE for code in codes)
    is_enough = total >= LEAST_CELLS_OF_ANSWERS and lacking <= MOST_OF_ANSWERS * total
    return codes if is_numbered and is_far and is_repeated and is_enough else set()


def find_texts(counts: Counter[str]) -> list[str]:
    """The codes for missing among texts that are all whole numbers, without zeros in front.

    Codes at the top have more digits than the others: 99999 may well be a place.
    """
    if any(re.fullmatch(r"0\d+", text) for text in counts):
        return []
    numbers = {text: read_number(text) for text in counts}
    known = [number for number in numbers.values() if number is not None]
    if len(known) < len(counts) or not all(number.is_integer() for number in known):
        return []
    values: Counter[float] = Counter()
    for text, number in numbers.items():
        if number is not None:
            values[number] += counts[text]
    codes = find_codes(values)
    others = [len(text) for text, number in numbers.items() if number not in codes]
    if {code for code in codes if code in CODES_AT_THE_TOP and len(f"{code:.0f}") <= max(others)}:
        return []
    return sorted(text for text, number in numbers.items() if number in codes)


def find_unsaid(counts: Counter[str]) -> list[str]:
    """What stands for a missing value among classes: signs, and codes far from all others.

    A word such as `unknown` may well be a class.
    """
    signs = [text for text in find_words(counts) if text.lower() in SIGNS_FOR_MISSING]
    codes = find_texts(Counter({text: counts[text] for text in counts if text not in signs}))
    return sorted([*signs, *codes])

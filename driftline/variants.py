"""Spellings of one word in a column: in other cases, and short and long words for yes and no.

Only what is plainly a form of the same word counts as one: `AA`, `Aa` and `aa` may be genes.
"""

from collections.abc import Mapping
from typing import Final

from driftline.positives import NO, YES

LEAST_LETTERS: Final = 3  # of a word whose case says nothing
_PAIRS: Final = (
    {"y": "yes", "n": "no", "yes": "yes", "no": "no"},
    {"t": "true", "f": "false", "1": "true", "0": "false", "true": "true", "false": "false"},
    {"j": "ja", "n": "nein", "ja": "ja", "nein": "nein"},
    {"o": "oui", "n": "non", "oui": "oui", "non": "non"},
    {
        "s": "s\u00ed",
        "n": "no",
        "s\u00ed": "s\u00ed",
        "si": "s\u00ed",
        "s\u00ec": "s\u00ed",
        "no": "no",
    },
    {"s": "sim", "n": "n\u00e3o", "sim": "sim", "n\u00e3o": "n\u00e3o", "nao": "n\u00e3o"},
    {"m": "male", "f": "female", "male": "male", "female": "female"},
)


def merge_spellings(counts: Mapping[str, int]) -> dict[str, tuple[str, ...]]:
    """Each word by its most frequent spelling, with its other ones."""
    folded = {text.casefold() for text in counts}
    meant = next((pair for pair in _PAIRS if folded <= pair.keys()), {})
    groups: dict[str, list[str]] = {}
    for text in sorted(counts, key=lambda text: (-counts[text], text)):
        word = text.casefold()
        same = meant.get(word, word if _is_of_any_case(text) else text)
        groups.setdefault(same, []).append(text)
    return {first: tuple(others) for first, *others in groups.values()}


def _is_of_any_case(text: str) -> bool:
    """Whether it is a word in small letters, in capitals, or with capitals in front."""
    is_word = sum(letter.isalpha() for letter in text) >= LEAST_LETTERS
    is_answer = len(text) > 1 and text.casefold() in {*YES, *NO}
    return (is_word or is_answer) and text in {
        text.lower(),
        text.upper(),
        text.capitalize(),
        text.title(),
    }

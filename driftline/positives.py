"""Which of two classes is the positive one, by the words for yes and no that people write."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from driftline.spelling import read_number

YES: Final = frozenset(
    {
        *("yes", "y", "true", "t", "1", "+", "on", "positive", "positiv", "pos", "present"),
        *("ja", "j", "jo", "wahr", "wel", "oui", "vrai", "si", "verdadero", "verdadeiro", "sim"),
        *("vero", "evet", "igen", "kylla", "tak", "ano", "da", "да", "так", "\u03bd\u03b1\u03b9"),
        *("نعم", "כן"),
        *("是", "有", "はい", "예", "네", "हाँ", "✓", "✔", "☑"),
    }
)
BAD: Final = frozenset(
    {
        *("sick", "ill", "disease", "malignant", "dead", "died", "deceased", "case", "event"),
        *("fail", "failed", "failure", "default", "churn", "churned", "fraud", "bad", "high"),
        *("abnormal", "readmitted", "krank", "malade", "enfermo", "malato", "doente"),
        *("bosartig", "maligno", "malin"),
    }
)
NO: Final = frozenset(
    {
        *("no", "n", "false", "0", "-", "off", "negative", "negativ", "neg", "absent", "none"),
        *("nein", "falsch", "nee", "geen", "nej", "nei", "non", "faux", "falso", "nao", "hayir"),
        *("nem", "ei", "nie", "ne", "нет", "ні", "не", "\u03bf\u03c7\u03b9", "\u03cc\u03c7\u03b9"),
        *("لا", "לא", "否", "无", "無"),
        *("いいえ", "아니오", "아니요", "नहीं", "✗", "✘", "☐", "healthy", "well", "normal"),
        *("control", "benign", "alive", "survived", "good", "gesund", "sain", "sano"),
    }
)
_LETTERS: Final = (({"f", "v"}, "v"), ({"f", "w"}, "w"))  # alone an F may be anything
_DENIED: Final = re.compile(r"(?:non|not|nao|no|un|keine|kein|nicht|senza|sans|sin)[ _-]*(.+)")
_LAST_LATIN: Final = "\u02ff"
_DOTLESS: Final = "\u0131"  # of Turkish, which has no mark to take off


def choose_by_word(names: Iterable[str]) -> str | None:
    """The one of two names that says yes, or whose other says no; None where words do not tell.

    A word for what is bad comes before a plain yes or no: of `good` and `bad` people look for bad.
    """
    folded = {name: _fold(name) for name in names}
    for words in (BAD, YES):
        found = [name for name, word in folded.items() if word in words or _number(word) in words]
        if len(found) == 1:
            return found[0]
    others = [
        name
        for name, word in folded.items()
        if word not in NO and _number(word) not in NO and not _denies(word, folded.values())
    ]
    letters = [mark for both, mark in _LETTERS if both == set(folded.values())]
    others = [name for name, word in folded.items() if word in letters] or others
    return others[0] if len(others) == 1 else None


def _denies(word: str, words: Iterable[str]) -> bool:
    """Whether a word denies another one, as in `no churn` and `non-smoker`."""
    found = _DENIED.fullmatch(word)
    return found is not None and found[1] in words


def _fold(name: str) -> str:
    """A word in lower case without its accents: `Sí` is `si`, `não` is `nao`."""
    parts = unicodedata.normalize("NFD", name.casefold().replace(_DOTLESS, "i"))
    if not parts.isascii() and all(letter > _LAST_LATIN for letter in parts):
        return unicodedata.normalize("NFC", parts)  # marks of other scripts make other letters
    return "".join(letter for letter in parts if not unicodedata.combining(letter))


def _number(word: str) -> str:
    """`1.0` as `1`, so that a number is one word however it is written."""
    number = read_number(word)
    return word if number is None else f"{number:g}"

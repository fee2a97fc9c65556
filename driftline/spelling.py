"""One value, many spellings: which declared value a cell, a field of a request or a code means.

Text is compared composed (Unicode's NFC), trimmed, and with inner blanks collapsed. Numbers are
compared as numbers and never rounded: `1`, `1.0` and a decimal `1.00` are one code where only one
of them is declared. Needs the standard library only, since serving encodes with it.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Generic, TypeVar

MISSING: Final = "\ufeff"  # what a missing code means; tidied text never holds this mark
MISSING_MARKERS: Final = frozenset({"", "na", "n/a", "nan", "null", "<na>"})  # in lower case
MINUSES: Final = "\u2212\u2013\ufe63\uff0d"  # of printed numbers: signs of their own, and a dash
_INVISIBLE: Final = (
    "\u00ad\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069"
)
_ENDS: Final = f"{_INVISIBLE} "
_PLAIN_MINUS: Final = str.maketrans(dict.fromkeys(MINUSES, "-"))
MOST_MARKS = 30  # on one letter
MOST_DIGITS = 400  # more than any float64 has before its point

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_PLAIN = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")  # `007` is a code of its own, no number
_SCIENTIFIC = re.compile(r"-?[0-9]\.[0-9]+[eE][+-]?[0-9]{1,3}")  # a float, as NumPy writes it
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.0+)?")
_BOOLEANS = {True: ("True", "true", "TRUE", "1"), False: ("False", "false", "FALSE", "0")}

Meaning = TypeVar("Meaning")


def tidy(text: str) -> str:
    """Text in its normal form: composed, without byte-order marks, blanks trimmed and collapsed.

    Signs at its ends that nobody sees (blanks of no width, marks of direction) are trimmed too;
    within a word they may join letters.
    """
    if text.isascii():
        return " ".join(text.split())
    return " ".join(_compose(text).replace("\ufeff", "").split()).strip(_ENDS)


def _compose(text: str) -> str:
    """Text in NFC; with more marks in a row than any language has it stays as it is.

    Composing takes time by the square of their number. The bound is that of Unicode's stream-safe
    text (UAX #15, section 13).
    """
    if text.isascii():
        return text
    if len(text) > MOST_MARKS:
        run = 0
        for character in text:
            run = run + 1 if unicodedata.combining(character) else 0
            if run > MOST_MARKS:
                return text
    return unicodedata.normalize("NFC", text)


def spell(value: object) -> str:
    """The canonical spelling of a value: text tidied, a number in plain digits without `.0`."""
    if isinstance(value, str):
        return tidy(value)
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float | Decimal):
        return _spell_number(value)
    return tidy(str(value)).removesuffix(" 00:00:00")  # a date, as pandas holds it


def spell_all(cells: Sequence[object]) -> list[str | None]:
    """The spelling of each cell, None where it has none; the same text is spelt only once."""
    known = {cell: tidy(cell) for cell in {cell for cell in cells if isinstance(cell, str)}}
    return [
        None if cell is None else known[cell] if isinstance(cell, str) else spell(cell)
        for cell in cells
    ]


def _spell_number(value: float | Decimal) -> str:
    is_fraction = isinstance(value, float) and not value.is_integer()
    exact = Decimal(repr(value)) if is_fraction else Decimal(value)
    if not exact.is_finite() or abs(exact.adjusted()) > MOST_DIGITS:
        return str(value)
    return _shorten(format(exact, "f"))


def _shorten(digits: str) -> str:
    """Plain digits without zeros that say nothing: `1.50` is `1.5`, `-0.0` is `0`."""
    short = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return "0" if short == "-0" else short


def read_number(text: str) -> float | None:
    """The number that a text is, as Python itself reads it; None where it is none.

    The minus of printed numbers is a minus too.
    """
    if not _NUMBER.fullmatch(text):
        text = plain_minus(text)
        if not _NUMBER.fullmatch(text):
            return None
    return float(text)


def plain_minus(text: str) -> str:
    """Text in which every minus of printed numbers is the one that programs write."""
    return text if text.isascii() else text.translate(_PLAIN_MINUS)


def part_codes(codes: Iterable[str]) -> tuple[frozenset[float], frozenset[str]]:
    """Missing codes of a number: those that are numbers themselves, and words such as `?`."""
    numbers = {code: read_number(code) for code in codes}
    return (
        frozenset(number for number in numbers.values() if number is not None),
        frozenset(code for code, number in numbers.items() if number is None),
    )


@dataclass(frozen=True)
class Spellings(Generic[Meaning]):
    """Declared spellings and what each means: `exact` as they stand, `numbers` by their value."""

    exact: Mapping[str, Meaning]
    numbers: Mapping[str, Meaning]

    def find(self, value: object) -> Meaning | None:
        """What a value means, or None where nothing declared is spelt so.

        A spelling that is declared as it stands comes before one that is merely equal in value.
        Text is equal in value to whole numbers only: `1.50` may be another code than `1.5`.
        """
        if isinstance(value, str):
            return self._find_text(value)
        if isinstance(value, bool):
            words = _BOOLEANS[value]
            return next((self.exact[word] for word in words if word in self.exact), None)
        text = spell(value)
        found = self.exact.get(text)
        return self.numbers.get(text) if found is None else found

    def _find_text(self, value: str) -> Meaning | None:
        found = self.exact.get(value)
        if found is None:
            text = tidy(value)
            found = self.exact.get(text)
            if found is None and _WHOLE.fullmatch(text):
                found = self.numbers.get(_shorten(text))
            if found is None and _SCIENTIFIC.fullmatch(text):
                found = self._find_scientific(text)
        return found

    def _find_scientific(self, text: str) -> Meaning | None:
        digits = _spell_number(Decimal(text))
        return None if "." in digits else self.numbers.get(digits)


def declare(meanings: Mapping[str, Meaning]) -> Spellings[Meaning]:
    """Spellings by what each means; a number that two of them are and mean apart means neither."""
    exact = {tidy(text): meaning for text, meaning in meanings.items()}
    by_value: dict[str, list[Meaning]] = {}
    for text, meaning in exact.items():
        if _PLAIN.fullmatch(text):
            by_value.setdefault(_shorten(text), []).append(meaning)
    numbers = {
        text: found[0]
        for text, found in by_value.items()
        if all(meaning == found[0] for meaning in found)
    }
    return Spellings(exact=exact, numbers=numbers)


def declare_categories(
    categories: Iterable[str],
    aliases: Mapping[str, Iterable[str]],
    missing_codes: Iterable[str],
) -> Spellings[str]:
    """The spellings of a column's categories; a missing code means `MISSING`."""
    meanings = {category: category for category in categories}
    meanings |= {alias: name for name, others in aliases.items() for alias in others}
    meanings |= dict.fromkeys(missing_codes, MISSING)
    return declare(meanings)


def spell_key(value: object) -> str | None:
    """A key as the rows of two tables are matched by it; None where it is missing.

    A whole number is one key however it is written (7, `7`, 7.0, `7.0`); `007` is another one.
    """
    text = "" if value is None else spell(value)
    if is_marker(text):
        return None
    if _WHOLE.fullmatch(text):
        return _shorten(text)
    digits = _spell_number(Decimal(text)) if _SCIENTIFIC.fullmatch(text) else "."
    return text if "." in digits else digits


def is_marker(text: str) -> bool:
    """Whether tidied text says that a value is missing, in any table."""
    return text.lower() in MISSING_MARKERS

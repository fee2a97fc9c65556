"""What the cells of a column are that has no usable value: in words, never the cells themselves."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Any, Final

from driftline.dates import ORDERS, read_date
from driftline.errors import DataError
from driftline.spelling import is_marker, tidy

SHOWN: Final = 200  # cells that are looked at
MOSTLY: Final = 0.5

Claim = Callable[[str], bool]


def _has_currency(text: str) -> bool:
    is_sign = any(unicodedata.category(sign) == "Sc" for sign in text)
    return is_sign or bool(re.fullmatch(r"(?:[A-Z]{3} ?[\d.,' ]+|[\d.,' ]+ ?[A-Z]{3})", text))


def _is_digits(text: str) -> bool:
    return re.sub(r"[.,+-]", "", text).isdigit()


def _matches(pattern: str) -> Claim:
    return lambda text: re.fullmatch(pattern, text) is not None


_TEXTS: tuple[tuple[str, Claim], ...] = (
    ("a percent sign", _matches(r"[+-]?[\d.,]+ ?%")),
    ("a sign of currency", _has_currency),
    ("brackets around the number", _matches(r"\([\d.,]+\)")),
    ("a minus behind the number", _matches(r"[\d.,]+-")),
    ("an apostrophe before the number", _matches(r"['\u2018\u2019`][+-]?[\d.,]+['\u2019]?")),
    ("quotes around the number", _matches(r"=?\"[+-]?[\d.,]+\"|=[+-]?[\d.,]+")),
    ("fractions", _matches(r"[+-]?\d*\.\d+")),
    ("hexadecimal digits", _matches(r"0[xX][0-9a-fA-F]+")),
    ("dates", lambda text: any(read_date(text, order) is not None for order in ORDERS)),
    ("commas in the numbers", _matches(r"[+-]?\d+(?:,\d+)+(?:\.\d+)?")),
    ("digits of another script", lambda text: _is_digits(text) and not text.isascii()),
    ("units behind the numbers", _matches(r"[+-]?[\d.,]+ ?[^\W\d].*")),
    ("words", lambda text: not any(sign.isdigit() for sign in text)),
)
_TYPES: tuple[tuple[str, tuple[type, ...]], ...] = (
    ("booleans", (bool,)),
    ("dates", (date,)),
    ("durations", (timedelta,)),
    ("times of a day", (time,)),
    ("bytes", (bytes,)),
    ("numbers (if they are a spreadsheet's dates, format them as dates)", (int, float)),
)


@dataclass
class Cells:
    """Cells of no use, missing ones among them: how many are filled, and the first of those."""

    count: int = 0
    sample: list[Any] = field(default_factory=list)

    def add(self, cells: Sequence[Any]) -> None:
        """The next cells of the column."""
        filled = [cell for cell in cells if not _is_missing(cell)]
        self.count += len(filled)
        self.sample += filled[: SHOWN - len(self.sample)]

    def describe(self) -> str:
        """What most of them are, as in `60 cells, with a percent sign`; empty where none is."""
        if not self.count:
            return ""
        count, sample = f"{self.count} cell{'' if self.count == 1 else 's'}", self.sample
        texts = [tidy(cell) for cell in sample if isinstance(cell, str)]
        for what, claim in _TEXTS if len(texts) > MOSTLY * len(sample) else ():
            if sum(map(claim, texts)) > MOSTLY * len(sample):
                said = f": {what}" if what in {"words", "dates"} else f", with {what}"
                return f"{count}{said}"
        for what, types in _TYPES if not texts else ():
            if all(isinstance(cell, types) for cell in sample):
                return f"{count}: {what}"
        return count if texts else f"{count}, which are no single values"


def refuse_empty(empty: Mapping[str, Cells], *, source: str) -> None:
    """`DataError` where there are columns without any usable value, with what they hold."""
    if empty:
        names = ", ".join(map(repr, empty))
        message = f"{source}: column {names}: got no usable value at all, wanted at least one"
        told = [(name, cells.describe()) for name, cells in empty.items()]
        raise DataError("; ".join([message, *(f"{name}: {what}" for name, what in told if what)]))


def _is_missing(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and is_marker(tidy(cell)))

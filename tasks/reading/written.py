"""How a text table is written, as values: what is expected of it, and the dialect that was told."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from driftline.reading import PLAIN, SEPARATORS, Reading

QUOTES = ('"', "'")


@dataclass(frozen=True)
class Expected:
    """What the columns of a source are called, as far as it is known, and which hold numbers.

    `codes` hold no numbers, though all that they may hold looks like some; `words` are what columns
    may hold beside numbers. `reading` is what the problem file pins of how it is written. `typed`
    are columns of which only the numbers are wanted, however they are written. Where no name is
    known, `sought` may be some that have to be there.
    """

    names: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    reading: Reading = PLAIN
    typed: frozenset[str] = frozenset()
    sought: frozenset[str] = frozenset()


NOTHING_KNOWN = Expected()


@dataclass(frozen=True)
class Dialect:
    """How a text table is written. `numbers` are the columns whose signs are respelt, by place.

    Of `codes` the decimal sign is, and no other.

    Where the signs are `pinned`, a number that is written with others is an error.
    """

    encoding: str = "utf-8-sig"
    separator: str = ","
    quote: str = '"'
    skipped: int = 0
    has_header: bool = True
    decimal: str = "."
    thousands: str = ""
    numbers: tuple[int, ...] = field(default=(), compare=False)
    codes: tuple[int, ...] = field(default=(), compare=False)
    pinned: bool = field(default=False, compare=False)

    def describe(self) -> str:
        """In words, as in `semicolon, decimal comma, cp1252`; empty where nothing is unusual."""
        parts = []
        if self.separator != ",":
            parts.append(SEPARATORS.get(self.separator, f"separated by {self.separator!r}"))
        if self.decimal == ",":
            parts.append("decimal comma")
        if self.thousands:
            parts.append(f"thousands {self.thousands!r}")
        if self.quote != '"':
            parts.append(f"quoted by {self.quote!r}")
        if self.skipped:
            lines = "line" if self.skipped == 1 else "lines"
            parts.append(f"{self.skipped} {lines} before the header")
        if not self.has_header:
            parts.append("no header")
        if self.encoding != "utf-8-sig":
            parts.append(self.encoding)
        return ", ".join(parts)

    def describe_signs(self) -> str:
        """In words, as in `decimal comma, thousands '.'`."""
        thousands = f"thousands {self.thousands!r}" if self.thousands else "no sign of thousands"
        return f"decimal {'comma' if self.decimal == ',' else 'point'}, {thousands}"

    def to_reading(self) -> Reading:
        """What a problem file has to pin: all that differs from plain commas, points and UTF-8."""
        return Reading(
            separator=None if self.separator == "," else self.separator,
            quote="'" if self.quote == "'" else None,
            decimal="," if self.decimal == "," else None,
            thousands=self.thousands or None,
            encoding=None if self.encoding == "utf-8-sig" else self.encoding,
            header=None if self.has_header else False,
            skip_lines=self.skipped or None,
        )


def read_sample(lines: Iterable[str], dialect: Dialect) -> tuple[list[str], list[list[str]]]:
    """The header (empty where there is none) and the rows of some lines."""
    kept = islice(lines, dialect.skipped, None)
    reader = csv.reader(kept, delimiter=dialect.separator, quotechar=dialect.quote)
    rows = [row for row in reader if row]
    return (rows[0], rows[1:]) if dialect.has_header and rows else ([], rows)

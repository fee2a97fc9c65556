"""How a text table is written: separator, lines before its header, signs in numbers.

Where the names of its columns are known, its header is the line that holds most of them; where they
are not, see `unnamed`. The values (`written`) may be imported from here.
"""

import csv
import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import islice, product
from typing import IO

from driftline.reading import PLAIN, RARE_SEPARATORS, SEPARATORS, Reading
from driftline.spelling import tidy
from tasks.reading.signs import tell_signs
from tasks.reading.unnamed import find_unnamed, has_header
from tasks.reading.written import NOTHING_KNOWN, QUOTES, Dialect, Expected, read_sample

__all__ = [
    "NOTHING_KNOWN",
    "Dialect",
    "Expected",
    "columns_of_numbers",
    "has_header",
    "read_head",
    "read_sample",
    "tell_dialect",
]

HEAD_LINES = 2_000
MOST_SKIPPED = 50

_NUMBERED = re.compile(r"column\d+")  # what columns are called where no header names them


def read_head(text: IO[str]) -> list[str]:
    """The first lines, which have to tell how all are written."""
    return list(islice(text, HEAD_LINES))


def tell_dialect(
    lines: Sequence[str], encoding: str, expected: Expected = NOTHING_KNOWN
) -> Dialect:
    """How a text is written, from its first lines and from what is pinned."""
    if not "".join(lines).strip():
        return Dialect(encoding=encoding)
    found = replace(_pin(_find(lines, expected), expected.reading), encoding=encoding)
    return _tell_numbers(found, lines, expected)


def _find(lines: Sequence[str], expected: Expected) -> Dialect:
    pinned = expected.reading
    if expected.names and pinned.header is not False:
        found = _find_header(lines, expected.names, pinned)
        if found is not None:
            return found
        if any(not _NUMBERED.fullmatch(name) for name in expected.names):
            return Dialect()
    if expected.sought:
        found = _find_header(lines, expected.sought, pinned)
        if found is not None:
            return found
    return find_unnamed(lines[pinned.skip_lines or 0 :], pinned)


def _pin(found: Dialect, pinned: Reading) -> Dialect:
    return replace(
        found,
        separator=pinned.separator or found.separator,
        quote=pinned.quote or found.quote,
        skipped=found.skipped if pinned.skip_lines is None else pinned.skip_lines,
        has_header=found.has_header if pinned.header is None else pinned.header,
        pinned=pinned.pins_numbers,
    )


def _find_header(
    lines: Sequence[str], names: Collection[str], pinned: Reading = PLAIN
) -> Dialect | None:
    """The place and separator of the line that holds most of the names; the first of equals.

    Where the usual signs part no two names, others may; names may be quoted by an apostrophe, and
    last of all written in another case, which is an error that can then name them.
    """
    quotes = [pinned.quote] if pinned.quote else QUOTES
    usual = [pinned.separator] if pinned.separator else list(SEPARATORS)
    rare = [] if pinned.separator else RARE_SEPARATORS
    folded = {name.casefold() for name in names}
    least = min(len(names), 2)
    first, count = _find_best(lines, names, (usual, quotes[:1]), pinned)
    if count >= least:
        return first
    for separators, others, known in ((usual, quotes, names), (rare, quotes[:1], names)):
        found, count = _find_best(lines, known, (separators, others), pinned)
        if count >= least:
            return found
    found, count = _find_best(lines, folded, ([*usual, *rare], quotes[:1]), pinned)
    return found if count >= least else first


def _find_best(
    lines: Sequence[str],
    names: Collection[str],
    signs: tuple[Sequence[str], Sequence[str]],
    pinned: Reading,
) -> tuple[Dialect | None, int]:
    """The line with most names, of all ways to cut one by `signs` (separators, quotes), and those.

    Names that are folded find cells in any case.
    """
    best, most = None, 0
    skips = range(min(len(lines), MOST_SKIPPED))
    for skipped in skips if pinned.skip_lines is None else [pinned.skip_lines]:
        for separator, quote in product(*signs):
            cells = [tidy(cell) for cell in _cut(lines[skipped:], separator, quote)]
            count = sum(cell in names or cell.casefold() in names for cell in cells)
            if count > most:
                best, most = Dialect(separator=separator, quote=quote, skipped=skipped), count
    return best, most


def _cut(lines: Sequence[str], separator: str, quote: str) -> list[str]:
    """The cells of the first line, which may go on in the next; none where it cannot be cut."""
    try:
        return next(csv.reader(iter(lines), delimiter=separator, quotechar=quote), [])
    except csv.Error:
        return []


def _tell_numbers(dialect: Dialect, lines: Sequence[str], expected: Expected) -> Dialect:
    """The decimal and thousands signs, as the columns of numbers show them."""
    try:
        header, rows = read_sample(lines, dialect)
    except csv.Error:
        return dialect
    pinned = expected.reading
    columns = columns_of_numbers(header, rows, expected)
    decimal, thousands, marked = tell_signs(columns, dialect.separator, pinned.decimal)
    thousands = thousands if pinned.thousands is None else pinned.thousands
    if decimal == "." and not thousands and not dialect.pinned:
        return dialect
    numbers = columns if expected.names else marked
    codes = tuple(i for i, name in enumerate(header) if tidy(name) in expected.codes)
    told = replace(dialect, decimal=decimal, thousands=thousands)
    return replace(told, numbers=tuple(numbers), codes=codes)


def columns_of_numbers(
    header: Sequence[str], rows: Sequence[Sequence[str]], expected: Expected
) -> dict[int, list[str]]:
    """The cells, by place, of the columns that hold numbers; of all where that is not known."""
    width = max((len(row) for row in rows), default=0)
    names = header or [f"column{place}" for place in range(1, width + 1)]
    places = [i for i, name in enumerate(names) if tidy(name) in expected.numbers]
    return {
        place: [row[place].strip() for row in rows if place < len(row) and row[place].strip()]
        for place in (places if expected.names else range(width))
    }

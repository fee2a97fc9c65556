"""How a text table is written: separator, lines before its header, signs in numbers.

Where the names of its columns are known, its header is the line that holds most of them. Where
they are not, DuckDB's sniffer tells how the file is written.
"""

import csv
import re
import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, product
from typing import IO

from driftline.reading import PLAIN, RARE_SEPARATORS, SEPARATORS, Reading
from driftline.spelling import tidy
from tasks.reading.signs import is_number, tell_signs

HEAD_LINES = 2_000
MOST_SKIPPED = 50
MOSTLY = 0.9
LEAST_ROWS = 10  # from which on a value that comes again is no name
QUOTES = ('"', "'")

_NUMBERED = re.compile(r"column\d+")  # what columns are called where no header names them


@dataclass(frozen=True)
class Expected:
    """What the columns of a source are called, as far as it is known, and which hold numbers.

    `codes` hold no numbers, though all that they may hold looks like some; `words` are what columns
    may hold beside numbers. `reading` is what the problem file pins of how it is written.
    """

    names: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    reading: Reading = PLAIN


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
    return _find_unnamed(lines[pinned.skip_lines or 0 :], pinned)


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


def _find_unnamed(lines: Sequence[str], pinned: Reading) -> Dialect:
    """How lines are written of which no name is known."""
    if pinned.separator:
        found = Dialect(separator=pinned.separator, quote=pinned.quote or QUOTES[0])
    else:
        found = _find_separator(lines) or _sniff("".join(lines))
    try:
        _, rows = read_sample(lines, replace(found, has_header=False))
    except csv.Error:
        return found
    return replace(found, has_header=not rows or has_header(rows))


def _find_separator(lines: Sequence[str]) -> Dialect | None:
    """By the first line, unless it has so few cells that it is a title; the evenest table of all.

    An uneven table is still one: its lines are refused by their numbers when they are read.
    """
    best, most = None, (0.0, 1)
    for separator in SEPARATORS:
        try:
            widths = [len(row) for row in csv.reader(iter(lines), delimiter=separator) if row]
        except csv.Error:
            continue
        width, usual = (widths[0], Counter(widths).most_common(1)[0][0]) if widths else (0, 0)
        score = (widths.count(width) / max(len(widths), 1), width)
        if width > max(usual // 2, 1) and score > most:
            best, most = Dialect(separator=separator), score
    return best


def _sniff(text: str) -> Dialect:
    """By DuckDB; a table of one column where it cannot tell."""
    import duckdb

    with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        query = "SELECT Delimiter, Quote, SkipRows FROM sniff_csv(?, sample_size = -1)"
        try:
            with duckdb.connect() as connection:
                ((separator, quote, skipped),) = connection.execute(query, [file.name]).fetchall()
        except duckdb.Error:
            return Dialect()
    made = Dialect(
        separator=separator if separator in SEPARATORS else ",",
        quote=quote if quote in QUOTES else '"',
        skipped=int(skipped),
    )
    return made if _is_preamble(text, made) else replace(made, skipped=0)


def _is_preamble(text: str, dialect: Dialect) -> bool:
    """Whether what is skipped has far fewer cells than the table: rows of uneven length are none.

    The sniffer skips lines that are shorter than those after them, whatever they hold.
    """
    lines = text.splitlines()
    cells = [len(next(csv.reader([line], delimiter=dialect.separator), [])) for line in lines]
    width = cells[dialect.skipped] if dialect.skipped < len(cells) else 0
    return all(count <= max(width // 2, 1) for count in cells[: dialect.skipped])


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first line names columns: its cells are no numbers where those below are.

    A table without numbers has none only if each of its first cells comes again below.
    """
    first, rest = rows[0], rows[1:]
    votes: Counter[bool] = Counter()
    is_again = []
    for place, cell in enumerate(first):
        column = [row[place].strip() for row in rest if place < len(row) and row[place].strip()]
        if column and sum(map(is_number, column)) >= MOSTLY * len(column):
            votes[not is_number(cell.strip())] += 1
        is_again.append(cell.strip() in column)
    if votes:
        return votes[True] >= votes[False]
    return not (len(rest) >= LEAST_ROWS and all(is_again))


def read_sample(lines: Iterable[str], dialect: Dialect) -> tuple[list[str], list[list[str]]]:
    """The header (empty where there is none) and the rows of some lines."""
    kept = islice(lines, dialect.skipped, None)
    reader = csv.reader(kept, delimiter=dialect.separator, quotechar=dialect.quote)
    rows = [row for row in reader if row]
    return (rows[0], rows[1:]) if dialect.has_header and rows else ([], rows)


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

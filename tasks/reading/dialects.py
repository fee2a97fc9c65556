"""How a text table is written: encoding, separator, lines before its header, signs in numbers.

Where the names of its columns are known, its header is the line that holds most of them. Where
they are not, DuckDB's sniffer tells how the file is written.
"""

import codecs
import csv
import re
import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import IO, Any

import numpy as np
import pandas as pd

from driftline.spelling import tidy

BLOCK_BYTES = 2**20
HEAD_LINES = 2_000
HEAD_BYTES = 2**20
MOST_SKIPPED = 50
MOSTLY = 0.9
LEAST_ROWS = 10  # from which on a value that comes again is no name
QUOTES = ('"', "'")
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
MARKS = (  # the longer ones first: UTF-32's begins as UTF-16's does
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
GUESSED = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "shift_jis", "gb18030", "cp850")

_NUMBERED = re.compile(r"column\d+")  # what columns are called where no header names them
_EXPONENT = r"(?:[eE][+-]?\d+)?"
_GAPS = "' \u00a0\u202f"  # thousands of Swiss and of printed numbers
_COMMA = re.compile(rf"[+-]?(?:\d{{1,3}}(?:[.{_GAPS}]\d{{3}})+|\d+)(?:,\d+)?{_EXPONENT}")
_POINT = re.compile(rf"[+-]?(?:\d{{1,3}}(?:[,{_GAPS}]\d{{3}})+|\d*)(?:\.\d*)?{_EXPONENT}")
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")  # 1,234: a thousand or a little more than one
_GROUPED = re.compile(rf"\d([.,{_GAPS}])\d{{3}}(?:\D|$)")
_SIGN = re.compile(rf"[.,{_GAPS}]")


@dataclass(frozen=True)
class Expected:
    """What the columns of a source are called, as far as it is known, and which hold numbers."""

    names: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()


NOTHING_KNOWN = Expected()


@dataclass(frozen=True)
class Dialect:
    """How a text table is written. `numbers` are the columns whose signs are respelt, by place."""

    encoding: str = "utf-8-sig"
    separator: str = ","
    quote: str = '"'
    skipped: int = 0
    has_header: bool = True
    decimal: str = "."
    thousands: str = ""
    numbers: tuple[int, ...] = field(default=(), compare=False)

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


def tell_encoding(file: IO[bytes]) -> str:
    """The encoding of a text: by its mark, UTF-8 where all of it is, else the likeliest."""
    head = file.read(BLOCK_BYTES)
    for mark, name in MARKS:
        if head.startswith(mark):
            return name
    if b"\x00" in head:
        return _tell_unmarked(head)
    decoder = codecs.getincrementaldecoder("utf-8")()
    block = head
    try:
        while block:
            decoder.decode(block)
            block = file.read(BLOCK_BYTES)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return _guess(head if block is head else head + block)
    return "utf-8-sig"


def _tell_unmarked(head: bytes) -> str:
    """UTF-16 without its mark: every other byte of plain text is null."""
    for offset, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        part = head[offset::2]
        if part and part.count(0) > len(part) // 2:
            return name
    return "utf-8-sig"  # null bytes, which the reader refuses


def _guess(text: bytes) -> str:
    """The likeliest; Western Europe's where another is no likelier, since most files are that."""
    from charset_normalizer import from_bytes

    matches = from_bytes(text[:HEAD_BYTES], cp_isolation=list(GUESSED))
    best = matches.best()
    if best is None:
        return GUESSED[0]
    equals = [match for match in matches if match.chaos == best.chaos]
    if any(GUESSED[0] in match.could_be_from_charset for match in equals):
        return GUESSED[0]
    return str(best.encoding)


def tell_dialect(text: IO[str], encoding: str, expected: Expected = NOTHING_KNOWN) -> Dialect:
    """How a text is written, from its first lines."""
    lines = list(islice(text, HEAD_LINES))
    if not "".join(lines).strip():
        return Dialect(encoding=encoding)
    found = _find_header(lines, expected.names) if expected.names else None
    if found is None:
        is_named = any(not _NUMBERED.fullmatch(name) for name in expected.names)
        found = Dialect() if is_named else _find_unnamed(lines)
    found = replace(found, encoding=encoding)
    return _tell_signs(found, lines, expected)


def _find_header(lines: Sequence[str], names: Collection[str]) -> Dialect | None:
    """The place and separator of the line that holds most of the names; the first of equals."""
    best, most = None, 0
    for skipped in range(min(len(lines), MOST_SKIPPED)):
        for separator in SEPARATORS:
            try:
                cells = next(csv.reader(iter(lines[skipped:]), delimiter=separator), [])
            except csv.Error:
                continue
            count = sum(tidy(cell) in names for cell in cells)
            if count > most:
                best, most = Dialect(separator=separator, skipped=skipped), count
    return best


def _find_unnamed(lines: Sequence[str]) -> Dialect:
    """How lines are written of which nothing is known."""
    found = _find_separator(lines) or _sniff("".join(lines))
    try:
        _, rows = read_sample(lines, replace(found, has_header=False))
    except csv.Error:
        return found
    return replace(found, has_header=not rows or _has_header(rows))


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


def _has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first line names columns: its cells are no numbers where those below are.

    A table without numbers has none only if each of its first cells comes again below.
    """
    first, rest = rows[0], rows[1:]
    votes: Counter[bool] = Counter()
    is_again = []
    for place, cell in enumerate(first):
        column = [row[place].strip() for row in rest if place < len(row) and row[place].strip()]
        if column and sum(map(_is_number, column)) >= MOSTLY * len(column):
            votes[not _is_number(cell.strip())] += 1
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


def _tell_signs(dialect: Dialect, lines: Sequence[str], expected: Expected) -> Dialect:
    """The decimal and thousands signs, as the columns of numbers show them."""
    try:
        header, rows = read_sample(lines, dialect)
    except csv.Error:
        return dialect
    width = max((len(row) for row in rows), default=0)
    places = [i for i, name in enumerate(header) if tidy(name) in expected.numbers]
    places = places if expected.names else list(range(width))
    votes: Counter[str] = Counter()
    signs: Counter[str] = Counter()
    numbers = []
    for place in places:
        cells = [row[place].strip() for row in rows if place < len(row) and row[place].strip()]
        sign = _tell_sign(cells, dialect.separator)
        votes[sign] += bool(sign)
        if sign == ",":
            signs.update(m for cell in cells for m in _GROUPED.findall(cell) if m != ",")
        elif sign == ".":
            signs.update(m for cell in cells for m in _GROUPED.findall(cell) if m != ".")
        if sign or expected.names:
            numbers.append(place)
    decimal = "," if votes[","] > votes["."] else "."
    thousands = signs.most_common(1)[0][0] if signs else ""
    thousands = "" if thousands == decimal else thousands
    if decimal == "." and not thousands:
        return dialect
    return replace(dialect, decimal=decimal, thousands=thousands, numbers=tuple(numbers))


def _tell_sign(cells: Sequence[str], separator: str) -> str:
    """`,` or `.` where a column's cells are numbers written so, else nothing."""
    marked = [cell for cell in cells if _SIGN.search(cell) and _is_number(cell)]
    if not marked or (len(marked) < len(cells) / 2 and not all(map(_is_number, cells))):
        return ""
    if all(_EITHER.fullmatch(cell) for cell in marked):
        if separator == "," or all("." in cell for cell in marked):
            return "."
        return ","
    comma = sum(_COMMA.fullmatch(cell) is not None for cell in marked)
    point = sum(_POINT.fullmatch(cell) is not None for cell in marked)
    return "," if comma > point else "."


def _is_number(cell: str) -> bool:
    return bool(_COMMA.fullmatch(cell) or (cell.strip(".") and _POINT.fullmatch(cell)))


def respell(table: pd.DataFrame, dialect: Dialect) -> pd.DataFrame:
    """Numbers with the point as their decimal sign and no other; what is no number stays."""
    if dialect.decimal == "." and not dialect.thousands:
        return table
    pattern = _COMMA if dialect.decimal == "," else _POINT
    made = table.copy()
    for place in dialect.numbers:
        if place < made.shape[1]:
            cells = [_respell(cell, pattern, dialect) for cell in table.iloc[:, place]]
            made.isetitem(place, np.array(cells, dtype=object))
    return made


def _respell(cell: Any, pattern: re.Pattern[str], dialect: Dialect) -> Any:
    text = cell.strip() if isinstance(cell, str) else ""
    if not text or not pattern.fullmatch(text):
        return cell
    if dialect.thousands:
        text = text.replace(dialect.thousands, "")
    return text.replace(dialect.decimal, ".")

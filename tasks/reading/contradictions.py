"""Where a text table is not written as the problem file pins it: an error that names the line."""

from collections.abc import Callable, Sequence
from typing import IO

from driftline.errors import SourceError
from driftline.reading import Reading
from driftline.spelling import is_marker, tidy
from tasks.reading.dialects import Dialect, Expected, columns_of_numbers, has_header, read_sample
from tasks.reading.encodings import find_other_mark, find_undecodable

PINNED = "as `reading` in the problem file pins it"


def check_encoding(open_file: Callable[[], IO[bytes]], name: str, encoding: str) -> str:
    """The pinned encoding, where all of a file is text of it."""
    mark = find_other_mark(open_file(), encoding)
    if mark is not None:
        message = f"{name}: line 1 begins with the mark of {mark}; wanted {encoding}, {PINNED}"
        raise SourceError(message)
    line = find_undecodable(open_file(), encoding)
    if line is not None:
        message = f"{name}: line {line} is no text in {encoding}; wanted all of it so, {PINNED}"
        raise SourceError(message)
    return encoding


def check_header(lines: Sequence[str], name: str, dialect: Dialect, expected: Expected) -> None:
    """Refuse a file whose header is not where, or not as, it is pinned to be."""
    pinned = expected.reading
    if pinned.is_plain or not expected.names or not lines:
        return
    header, rows = read_sample(lines, dialect)
    place = f"line {dialect.skipped + 1}"
    if dialect.has_header:
        if not any(tidy(cell) in expected.names for cell in header):
            wanted = f"wanted the header there, {_tell(dialect, pinned)}"
            message = f"{name}: {place} names no column of the problem file; {wanted}"
            raise SourceError(message)
    elif pinned.header is False and rows and _names_columns(rows, expected):
        message = f"{name}: {place} reads like a header; wanted a row of values, {PINNED}"
        raise SourceError(message)


def _tell(dialect: Dialect, pinned: Reading) -> str:
    how = Dialect(
        separator=dialect.separator if pinned.separator else ",",
        quote=dialect.quote if pinned.quote else '"',
        skipped=dialect.skipped if pinned.skip_lines else 0,
        encoding=dialect.encoding if pinned.encoding else "utf-8-sig",
    ).describe()
    return f"{PINNED} ({how or 'comma'})"


def _names_columns(rows: Sequence[Sequence[str]], expected: Expected) -> bool:
    """Whether a word stands above every column of numbers."""
    places = columns_of_numbers([], rows, expected)
    first = [tidy(rows[0][place]) for place in places if place < len(rows[0])]
    is_word = [any(letter.isalpha() for letter in cell) and not is_marker(cell) for cell in first]
    return bool(is_word) and all(is_word) and has_header(rows)

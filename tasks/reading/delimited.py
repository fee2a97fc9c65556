"""Text tables to rows, piece by piece: text cells under the header as it is written.

A line has as many cells as the header, or the file is refused: pandas would shift or drop cells
without a word.
"""

import csv
import gzip
import io as streams
import lzma
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import IO, TYPE_CHECKING, NoReturn, cast

import pandas as pd

from driftline.errors import SourceError
from tasks.reading.blocks import Blocks
from tasks.reading.contradictions import PINNED, check_encoding, check_header
from tasks.reading.dialects import NOTHING_KNOWN, Dialect, Expected, read_head, tell_dialect
from tasks.reading.encodings import MixedTextError, find_undecodable, tell_encoding
from tasks.reading.signs import is_number, respell, written_exactly

if TYPE_CHECKING:
    from pandas.io.parsers import TextFileReader

Open = Callable[[], IO[bytes]]  # the file's plain bytes from their beginning


def tell_how_written(open_file: Open, name: str, expected: Expected = NOTHING_KNOWN) -> Dialect:
    """How the file is written; `SourceError` where it is no text, or not written as is pinned."""
    pinned = expected.reading.encoding
    with reading_text(name):
        if pinned is None:
            encoding = _tell_encoding(open_file, name, expected)
        else:
            encoding = check_encoding(open_file, name, pinned)
        lines = read_head(streams.TextIOWrapper(open_file(), encoding, newline=""))
        dialect = tell_dialect(lines, encoding, expected)
        check_header(lines, name, dialect, expected)
    return dialect


def _tell_encoding(open_file: Open, name: str, expected: Expected) -> str:
    try:
        return tell_encoding(open_file(), {*expected.names, *expected.words})
    except MixedTextError:
        line = find_undecodable(open_file(), "utf-8")
    message = f"{name}: line {line} is no UTF-8, as most of the text is; wanted all of it so"
    raise SourceError(message)


def stream_text(
    open_file: Open,
    name: str,
    dialect: Dialect,
    *,
    rows: int,
    typed: Collection[str] = frozenset(),
) -> Iterator[pd.DataFrame]:
    """At most so many rows at a time; at least one table, which may be empty.

    Columns that are `typed` may come as numbers: then the table is read in blocks, while it is
    plain enough for that.
    """
    blocks, begun = Blocks(open_file(), dialect, typed) if typed else None, pd.DataFrame()
    if blocks is not None and blocks.header:
        tables, is_begun = blocks.tables(rows), False
        while True:
            with reading_text(name):
                table = next(tables, None)
            if table is None:
                break
            is_begun = True
            table.columns = pd.Index(blocks.header)
            yield table
        if is_begun and blocks.is_done:
            return
        text = _EvenLines(blocks.rest, name, dialect)
        text.go_on(blocks.header, after=blocks.lines)
        begun = blocks.begun
    else:
        text = _EvenLines(open_file(), name, dialect)
    yield from _stream_lines(text, name, dialect, rows=rows, begun=begun)


def _stream_lines(
    text: "_EvenLines", name: str, dialect: Dialect, *, rows: int, begun: pd.DataFrame
) -> Iterator[pd.DataFrame]:
    """All rows of a text; the first piece has those before them that are `begun`."""
    with reading_text(name):
        header = text.read_header()
        pieces = _open_pieces(text, dialect, cells=len(header), rows=rows)
    if pieces is None and begun.empty:
        yield pd.DataFrame(columns=pd.Index(header), dtype=str)
        return
    while True:
        with reading_text(name):
            table = _next(pieces, rows - len(begun))
        if not begun.empty:
            table = begun if table is None else pd.concat([begun, table], ignore_index=True)
            begun = pd.DataFrame()
        if table is None:
            return
        table.columns = pd.Index(header)
        table = respell(table, dialect.codes, decimal=dialect.decimal, thousands="")
        yield respell(table, dialect.numbers, decimal=dialect.decimal, thousands=dialect.thousands)


def _next(pieces: "TextFileReader | None", rows: int) -> pd.DataFrame | None:
    try:
        return None if pieces is None else pieces.get_chunk(rows)
    except StopIteration:
        return None


def _open_pieces(
    text: "_EvenLines", dialect: Dialect, *, cells: int, rows: int
) -> "TextFileReader | None":
    try:
        return pd.read_csv(
            cast("streams.TextIOBase", text),
            sep=dialect.separator,
            quotechar=dialect.quote,
            header=None,
            names=range(cells),
            dtype=str,
            keep_default_na=False,
            index_col=False,
            on_bad_lines="error",
            chunksize=rows,
        )
    except pd.errors.EmptyDataError:
        return None


class _EvenLines(streams.TextIOBase):
    """A text table as it is read, whose lines all have as many cells as its header.

    Empty cells past the last are taken off; any other line that is too long or too short, and a
    null byte (which ends a cell for one reader and not for the next), is a `SourceError`.
    """

    def __init__(self, file: IO[bytes], name: str, dialect: Dialect) -> None:
        self._name = name
        self._dialect = dialect
        self._text = streams.TextIOWrapper(file, encoding=dialect.encoding, newline="")
        self._passed: list[str] = []
        self._reader = csv.reader(
            self._lines(), delimiter=dialect.separator, quotechar=dialect.quote
        )
        self._exact = written_exactly(dialect.decimal, dialect.thousands)
        self._header: list[str] = []
        self._cells = 0
        self._before = ""

    def read_header(self) -> list[str]:
        """The names of the columns; what follows is left to `read`."""
        if self._header:
            return self._header
        for _ in islice(self._text, self._dialect.skipped):
            pass
        header = next(self._reader, [])
        if not header:
            self._refuse("got no header; wanted a first line of column names")
        self._cells = len(header)
        if not self._dialect.has_header:
            self._before = "".join(self._passed)
            header = [f"column{place}" for place in range(1, self._cells + 1)]
        self._passed.clear()
        self._header = header
        return header

    def go_on(self, header: list[str], *, after: int) -> None:
        """Read on under a header, with so many lines of the file before."""
        self._header, self._cells = header, len(header)
        self._dialect = replace(self._dialect, skipped=after)

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> str:
        """Whole lines, of about so many characters together."""
        taken = [self._before] if self._before else []
        self._before = ""
        passed, cells, count = self._passed, self._cells, 0
        for begun, row in self._rows():
            text = passed[0] if len(passed) == 1 else "".join(passed)
            passed.clear()
            if self._dialect.pinned:
                self._check_numbers(row, begun)
            taken.append(text if len(row) == cells else self._mend(row, begun, text))
            count += len(text)
            if 0 <= (size or -1) <= count:
                break
        else:
            self._check_end(taken[-1] if taken else "")
        return "".join(taken)

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """The next rows, each with the number of its first line."""
        begun = self._reader.line_num + 1
        try:
            for row in self._reader:
                yield begun, row
                begun = self._reader.line_num + 1
        except csv.Error as error:
            if "field larger" not in str(error):
                raise
            line, most = begun + self._dialect.skipped, csv.field_size_limit()
            fault = f"line {line} begins a cell of more than {most:,} letters"
            self._refuse(f"{fault}; wanted shorter ones (is a quote there that nothing closes?)")

    def _check_end(self, last: str) -> None:
        """Refuse a quote that nothing closes, which takes all lines after it for one cell."""
        lines = list(streams.StringIO(last, newline=""))
        separator, quote = self._dialect.separator, self._dialect.quote
        try:
            list(csv.reader(lines, delimiter=separator, quotechar=quote, strict=True))
        except csv.Error as error:
            if "unexpected end" in str(error):
                line = self._reader.line_num + 1 - len(lines) + self._dialect.skipped
                self._refuse(f"line {line} opens a quote that is never closed; wanted its end")

    def _lines(self) -> Iterator[str]:
        for line in self._text:
            if "\x00" in line:
                self._refuse("holds null bytes; wanted text")
            self._passed.append(line)
            yield line

    def _check_numbers(self, row: Sequence[str], line: int) -> None:
        """Refuse a number that is written with other signs than those that are pinned."""
        for place in self._dialect.numbers:
            cell = row[place].strip() if place < len(row) else ""
            if cell and is_number(cell) and not self._exact.fullmatch(cell):
                line += self._dialect.skipped
                signs = self._dialect.describe_signs()
                told = f"line {line}, column {self._header[place]!r}: a number with other signs"
                self._refuse(f"{told}; wanted {signs}, {PINNED}")

    def _mend(self, row: Sequence[str], line: int, text: str) -> str:
        """The row as text of as many cells as there are columns."""
        if not "".join(row).strip() and len(row) <= 1:
            return ""  # an empty line, which is no row
        if len(row) < self._cells or "".join(row[self._cells :]).strip():
            self._check_end(text)
            line += self._dialect.skipped
            cells = f"{self._cells} cell{'' if self._cells == 1 else 's'}"
            got = f"{len(row)} cell{'' if len(row) == 1 else 's'}"
            self._refuse(f"line {line} has {got}; wanted {cells} in every line, as in its header")
        mended = streams.StringIO()
        csv.writer(
            mended, delimiter=self._dialect.separator, quotechar=self._dialect.quote
        ).writerow(row[: self._cells])
        return mended.getvalue()

    def _refuse(self, fault: str) -> NoReturn:
        message = f"{self._name}: {fault}"
        raise SourceError(message)


@contextmanager
def reading_text(name: str) -> Iterator[None]:
    """What goes wrong in between, as a `SourceError`; trouble with a store stays what it is."""
    try:
        yield
    except UnicodeDecodeError as error:
        message = f"{name}: not all of it is {error.encoding} text; wanted UTF-8"
    except (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
        if isinstance(error, OSError) and not _is_of_decompression(error):
            raise
        message = f"{name}: cannot be decompressed ({error}); wanted a whole file"
    except (pd.errors.ParserError, csv.Error, ValueError) as error:
        fault = " ".join(str(error).split())
        message = f"{name}: {fault}; wanted lines of as many cells as the header has"
    else:
        return
    raise SourceError(message) from None


def _is_of_decompression(error: OSError) -> bool:
    """Whether gzip or bz2 raised it, which have no kind of their own for all they find."""
    return isinstance(error, gzip.BadGzipFile) or (type(error) is OSError and error.errno is None)

"""Files to tables, whole or in pieces: Parquet, and CSV as text cells under its written header.

A line of a CSV file has as many cells as the header, or the file is refused: pandas would shift or
drop cells without a word.
"""

import bz2
import codecs
import csv
import gzip
import io as streams
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, NoReturn, cast

import pandas as pd

from driftline.errors import SourceError

READERS = (".csv", ".csv.gz", ".csv.bz2", ".parquet")
ALL_ROWS = 2**31 - 1
BLOCK_BYTES = 2**20
SEPARATORS = (";", "\t", "|")


@dataclass(frozen=True)
class Piece:
    """Some rows in order, and which share of the whole is read with them (0 to 1)."""

    rows: pd.DataFrame
    share: float


def has_ending(name: str, *endings: str) -> bool:
    """Whether a file's name ends so, in whatever case."""
    return name.lower().endswith(endings)


def parse(content: bytes, name: str) -> pd.DataFrame:
    """All rows of a file; its name tells its format."""
    file = streams.BytesIO(content)
    if has_ending(name, ".parquet") and content:
        from pyarrow import parquet

        with _reading_parquet(name):
            return _to_pandas(parquet.read_table(file))
    (piece,) = stream(file, name, size=len(content), rows=ALL_ROWS)
    return piece.rows


def stream(file: IO[bytes], name: str, *, size: int, rows: int) -> Iterator[Piece]:
    """A file's rows, at most so many at a time; at least one piece, which may be empty."""
    if not size:
        message = f"{name}: an empty file; wanted a header and rows"
        raise SourceError(message)
    read = _stream_parquet if has_ending(name, ".parquet") else _stream_csv
    yield from read(file, name, size=size, rows=rows)


def _stream_parquet(file: IO[bytes], name: str, *, size: int, rows: int) -> Iterator[Piece]:
    import pyarrow as pa
    from pyarrow import parquet

    del size
    with _reading_parquet(name):
        content = parquet.ParquetFile(file)
    total, done = content.metadata.num_rows, 0
    if not total:
        yield Piece(content.schema_arrow.empty_table().to_pandas(), 1.0)
    batches = content.iter_batches(batch_size=rows)
    while done < total:
        with _reading_parquet(name):
            table = _to_pandas(pa.Table.from_batches([next(batches)]))
        done += len(table)
        yield Piece(table, done / total)


def _to_pandas(table: Any) -> pd.DataFrame:
    """An Arrow table as pandas has it; whole numbers stay whole where some are missing."""
    return cast("pd.DataFrame", table.to_pandas(integer_object_nulls=True))


@contextmanager
def _reading_parquet(name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001 - pyarrow raises a dozen kinds for a broken file
        message = f"{name}: not a readable Parquet file ({type(error).__name__})"
        raise SourceError(message) from None


def _stream_csv(file: IO[bytes], name: str, *, size: int, rows: int) -> Iterator[Piece]:
    text = _EvenLines(file, name)
    with _reading_csv(file, name):
        header = text.read_header()
        pieces = _open_csv(text, cells=len(header), rows=rows)
        if pieces is None:
            yield Piece(pd.DataFrame(columns=pd.Index(header), dtype=str), 1.0)
            return
    while True:
        with _reading_csv(file, name):
            table = next(pieces, None)
        if table is None:
            return
        table.columns = pd.Index(header)
        yield Piece(table, min(1.0, file.tell() / size))


def _open_csv(text: "_EvenLines", *, cells: int, rows: int) -> Iterator[pd.DataFrame] | None:
    try:
        return cast(
            "Iterator[pd.DataFrame]",
            pd.read_csv(
                cast("streams.TextIOBase", text),
                header=None,
                names=range(cells),
                dtype=str,
                keep_default_na=False,
                index_col=False,
                on_bad_lines="error",
                chunksize=rows,
            ),
        )
    except pd.errors.EmptyDataError:
        return None


class _EvenLines(streams.TextIOBase):
    """CSV text as it is read, whose lines all have as many cells as its header.

    Empty cells past the last are taken off; any other line that is too long or too short, and a
    null byte (which ends a cell for one reader and not for the next), is a `SourceError`.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._name = name
        self._text = _open_text(file, name)
        self._passed: list[str] = []
        self._reader = csv.reader(self._lines())
        self._cells = 0

    def read_header(self) -> list[str]:
        """The first line's cells; what follows is left to `read`."""
        header = next(self._reader, [])
        if not header:
            self._refuse("got no header; wanted a first line of column names")
        self._refuse_separators(header)
        self._cells = len(header)
        self._passed.clear()
        return header

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> str:
        """Whole lines, of about so many characters together."""
        taken: list[str] = []
        reader, passed, cells, count = self._reader, self._passed, self._cells, 0
        begun = reader.line_num + 1
        for row in reader:
            text = passed[0] if len(passed) == 1 else "".join(passed)
            passed.clear()
            taken.append(text if len(row) == cells else self._mend(row, begun))
            count += len(text)
            if 0 <= (size or -1) <= count:
                break
            begun = reader.line_num + 1
        return "".join(taken)

    def _lines(self) -> Iterator[str]:
        for line in self._text:
            if "\x00" in line:
                self._refuse("holds null bytes; wanted CSV text")
            self._passed.append(line)
            yield line

    def _mend(self, row: Sequence[str], line: int) -> str:
        """The row as text of as many cells as there are columns."""
        if not "".join(row).strip() and len(row) <= 1:
            return ""  # an empty line, which is no row
        if len(row) < self._cells or "".join(row[self._cells :]).strip():
            cells = f"{self._cells} cell{'' if self._cells == 1 else 's'}"
            got = f"{len(row)} cell{'' if len(row) == 1 else 's'}"
            self._refuse(f"line {line} has {got}; wanted {cells} in every line, as in its header")
        mended = streams.StringIO()
        csv.writer(mended).writerow(row[: self._cells])
        return mended.getvalue()

    def _refuse_separators(self, header: Sequence[str]) -> None:
        """Say so where the header has more columns by another separator."""
        for separator in SEPARATORS:
            if len(next(csv.reader(self._passed, delimiter=separator), [])) > len(header):
                self._refuse(f"separated by {separator!r}, wanted ','")

    def _refuse(self, fault: str) -> NoReturn:
        message = f"{self._name}: {fault}"
        raise SourceError(message)


def _open_text(file: IO[bytes], name: str) -> streams.TextIOWrapper:
    file.seek(0)
    plain = cast("Any", _open_plain(file, name))
    return streams.TextIOWrapper(plain, encoding="utf-8-sig", newline="")


def _open_plain(file: IO[bytes], name: str) -> IO[bytes]:
    """The file's bytes, decompressed; closing them leaves the file open."""
    if has_ending(name, ".gz"):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=file))
    if has_ending(name, ".bz2"):
        return cast("IO[bytes]", bz2.BZ2File(file))
    return cast("IO[bytes]", streams.BufferedReader(_Kept(file), BLOCK_BYTES))


class _Kept(streams.RawIOBase):
    """A file that stays open when its reader is thrown away."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self._file.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)


@contextmanager
def _reading_csv(file: IO[bytes], name: str) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError:
        line, byte = _find_bad_byte(file, name)
        message = f"{name}: not UTF-8 at line {line} (byte {byte}); wanted UTF-8 text"
    except (OSError, EOFError, zlib.error) as error:
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


def _find_bad_byte(file: IO[bytes], name: str) -> tuple[int, int]:
    """Line and offset of the first byte that is not UTF-8."""
    file.seek(0)
    plain, decoder = _open_plain(file, name), codecs.getincrementaldecoder("utf-8")()
    line, offset = 1, 0
    while block := plain.read(BLOCK_BYTES):
        waiting = len(decoder.getstate()[0])
        try:
            decoder.decode(block)
        except UnicodeDecodeError as error:
            inside = error.start - waiting
            return line + block[: max(inside, 0)].count(b"\n"), offset + inside
        line, offset = line + block.count(b"\n"), offset + len(block)
    return line, offset

"""Files to tables, whole or in pieces: Parquet, and CSV as text cells under its written header."""

import bz2
import codecs
import csv
import gzip
import io as streams
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, cast

import pandas as pd

from driftline.errors import SourceError

READERS = (".csv", ".csv.gz", ".csv.bz2", ".parquet")
ALL_ROWS = 2**31 - 1
BLOCK_BYTES = 2**20


@dataclass(frozen=True)
class Piece:
    """Some rows in order, and which share of the whole is read with them (0 to 1)."""

    rows: pd.DataFrame
    share: float


def parse(content: bytes, name: str) -> pd.DataFrame:
    """All rows of a file; its name tells its format."""
    file = streams.BytesIO(content)
    if name.endswith(".parquet") and content:
        with _reading_parquet(name):
            return pd.read_parquet(file)
    (piece,) = stream(file, name, size=len(content), rows=ALL_ROWS)
    return piece.rows


def stream(file: IO[bytes], name: str, *, size: int, rows: int) -> Iterator[Piece]:
    """A file's rows, at most so many at a time; at least one piece, which may be empty."""
    if not size:
        message = f"{name}: an empty file; wanted a header and rows"
        raise SourceError(message)
    read = _stream_parquet if name.endswith(".parquet") else _stream_csv
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
            table = pa.Table.from_batches([next(batches)]).to_pandas()
        done += len(table)
        yield Piece(table, done / total)


@contextmanager
def _reading_parquet(name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001 - pyarrow raises a dozen kinds for a broken file
        message = f"{name}: not a readable Parquet file ({type(error).__name__})"
        raise SourceError(message) from None


def _stream_csv(file: IO[bytes], name: str, *, size: int, rows: int) -> Iterator[Piece]:
    with _reading_csv(file, name, cells=0):
        header = next(csv.reader(_open_text(file, name)), [])
    if not header:
        message = f"{name}: got no header; wanted a first line of column names"
        raise SourceError(message)
    with _reading_csv(file, name, cells=len(header)):
        pieces = _open_csv(_open_text(file, name), cells=len(header), rows=rows)
        if pieces is None:
            yield Piece(pd.DataFrame(columns=pd.Index(header), dtype=str), 1.0)
            return
    while True:
        with _reading_csv(file, name, cells=len(header)):
            table = next(pieces, None)
        if table is None:
            return
        table.columns = pd.Index(header)
        yield Piece(table, min(1.0, file.tell() / size))


def _open_csv(
    text: streams.TextIOWrapper, *, cells: int, rows: int
) -> Iterator[pd.DataFrame] | None:
    try:
        return cast(
            "Iterator[pd.DataFrame]",
            pd.read_csv(
                text,
                header=None,
                names=range(cells),
                skiprows=1,
                dtype=str,
                keep_default_na=False,
                index_col=False,
                on_bad_lines="error",
                chunksize=rows,
            ),
        )
    except pd.errors.EmptyDataError:
        return None


class _Text(streams.TextIOWrapper):
    """Text that refuses null bytes, which end a cell for one reader and not for the next."""

    def read(self, size: int | None = -1, /) -> str:
        """So many characters."""
        text = super().read(size)
        if "\x00" in text:
            raise _NullBytesError
        return text


class _NullBytesError(ValueError):
    """A null byte was read."""


def _open_text(file: IO[bytes], name: str) -> streams.TextIOWrapper:
    file.seek(0)
    return _Text(cast("Any", _open_plain(file, name)), encoding="utf-8-sig", newline="")


def _open_plain(file: IO[bytes], name: str) -> IO[bytes]:
    """The file's bytes, decompressed; closing them leaves the file open."""
    if name.endswith(".gz"):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=file))
    if name.endswith(".bz2"):
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
def _reading_csv(file: IO[bytes], name: str, *, cells: int) -> Iterator[None]:
    try:
        yield
    except _NullBytesError:
        message = f"{name}: holds null bytes; wanted CSV text"
    except UnicodeDecodeError:
        line, byte = _find_bad_byte(file, name)
        message = f"{name}: not UTF-8 at line {line} (byte {byte}); wanted UTF-8 text"
    except (OSError, EOFError, zlib.error) as error:
        if isinstance(error, OSError) and not _is_of_decompression(error):
            raise
        message = f"{name}: cannot be decompressed ({error}); wanted a whole file"
    except (pd.errors.ParserError, csv.Error, ValueError) as error:
        fault = " ".join(str(error).split())
        message = f"{name}: {fault}; wanted {cells} cells in every line"
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

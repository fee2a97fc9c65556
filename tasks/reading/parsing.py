"""Files to tables, whole or in pieces, by what their names say they hold.

Text tables come as text cells under their header; Parquet, spreadsheets and JSON lines come with
the types they have.
"""

import bz2
import gzip
import io as streams
import lzma
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any, cast

import pandas as pd

from driftline.errors import SourceError
from tasks.progress import tell
from tasks.reading.columnar import read_parquet, stream_parquet
from tasks.reading.delimited import reading_text, stream_text, tell_how_written
from tasks.reading.dialects import NOTHING_KNOWN, Dialect, Expected
from tasks.reading.encodings import BLOCK_BYTES
from tasks.reading.kinds import refuse_other_kind, refuse_other_packing
from tasks.reading.records import stream_records
from tasks.reading.sheets import read_sheet

TEXT = (".csv", ".tsv", ".tab", ".txt")
RECORDS = (".jsonl", ".ndjson")
LISTS = (".json",)  # in a folder it may be anything
SHEETS = (".xlsx", ".xls", ".xlsb", ".ods")
PACKED = ("", ".gz", ".bz2", ".xz", ".zip")
READERS = (
    *(f"{kind}{packed}" for kind in (*TEXT, *RECORDS) for packed in PACKED),
    *SHEETS,
    ".parquet",
    ".zip",
)
SHOWN = ".csv, .tsv, .txt, .jsonl, .xlsx, .ods, .parquet (text also as .gz, .bz2, .xz, .zip)"
ALL_ROWS = 2**31 - 1
MUCH_LARGER = 5


@dataclass(frozen=True)
class Piece:
    """Some rows in order, and which share of the whole is read with them (0 to 1).

    `dialect` is how a text table is written; other tables have none. `told` is the same in words,
    where that is all that is known.
    """

    rows: pd.DataFrame
    share: float
    dialect: Dialect | None = None
    told: str = ""

    @property
    def read_as(self) -> str:
        """How a text table is written, in words; empty where that is plain."""
        return self.dialect.describe() if self.dialect else self.told


def has_ending(name: str, *endings: str) -> bool:
    """Whether a file's name ends so, in whatever case."""
    return name.lower().endswith(endings)


def parse(content: bytes, name: str, expected: Expected = NOTHING_KNOWN) -> Piece:
    """All rows of a file; its name tells its format."""
    file = streams.BytesIO(content)
    if has_ending(name, ".parquet") and content:
        return Piece(read_parquet(file, name, expected.names), 1.0)
    (piece,) = stream(file, name, size=len(content), rows=ALL_ROWS, expected=expected)
    return piece


def stream(
    file: IO[bytes], name: str, *, size: int, rows: int, expected: Expected = NOTHING_KNOWN
) -> Iterator[Piece]:
    """A file's rows, at most so many at a time; at least one piece, which may be empty."""
    if not size:
        message = f"{name}: an empty file; wanted a header and rows"
        raise SourceError(message)
    if has_ending(name, ".parquet"):
        for table, done in stream_parquet(file, name, rows=rows, names=expected.names):
            yield Piece(table, done)
        return
    if has_ending(name, *SHEETS):
        yield from _cut(read_sheet(file.read(), name, expected.names or expected.sought), rows)
        return
    with reading_text(name):
        refuse_other_packing(file, name)
        inner, open_file = _unpack(file, name)
        refuse_other_kind(open_file(), name)
    share = _share_read(file, size)
    if has_ending(inner, *RECORDS, *LISTS):
        with reading_text(name):
            for table in stream_records(open_file, name, rows=rows):
                yield Piece(table, share())
        return
    dialect = tell_how_written(open_file, name, expected)
    for table in stream_text(open_file, name, dialect, rows=rows, typed=expected.typed):
        yield Piece(table, share(), dialect)


def _share_read(file: IO[bytes], size: int) -> Callable[[], float]:
    return lambda: min(1.0, file.tell() / size)


def _cut(table: pd.DataFrame, rows: int) -> Iterator[Piece]:
    for start in range(0, max(len(table), 1), rows):
        done = (start + rows) / max(len(table), 1)
        yield Piece(table.iloc[start : start + rows].reset_index(drop=True), min(1.0, done))


def _unpack(file: IO[bytes], name: str) -> tuple[str, Callable[[], IO[bytes]]]:
    """The name of what is inside, and how to read its plain bytes from their beginning."""
    if has_ending(name, ".zip"):
        member = _find_member(file, name)
        return member, lambda: _open_member(file, name, member)
    inner = name.rpartition(".")[0]
    if has_ending(name, ".gz"):
        return inner, lambda: cast("IO[bytes]", gzip.GzipFile(fileobj=_from_start(file)))
    if has_ending(name, ".bz2"):
        return inner, lambda: cast("IO[bytes]", bz2.BZ2File(_from_start(file)))
    if has_ending(name, ".xz"):
        return inner, lambda: cast("IO[bytes]", lzma.LZMAFile(_from_start(file)))
    return name, lambda: cast(
        "IO[bytes]", streams.BufferedReader(_Kept(_from_start(file)), BLOCK_BYTES)
    )


def _open_member(file: IO[bytes], name: str, member: str) -> IO[bytes]:
    try:
        return zipfile.ZipFile(file).open(member)
    except RuntimeError as error:  # a password is wanted, or the method is not known here
        fault = " ".join(str(error).split())
        message = f"{name}: {fault}; wanted a zip archive that opens without a password"
        raise SourceError(message) from None


def _from_start(file: IO[bytes]) -> IO[bytes]:
    file.seek(0)
    return file


def _find_member(file: IO[bytes], name: str) -> str:
    """The one table of an archive, or the one that is far larger than all others."""
    with zipfile.ZipFile(file) as archive:
        sizes = {each.filename: each.file_size for each in archive.infolist() if not each.is_dir()}
    tables = [each for each in sizes if has_ending(each, *TEXT, *RECORDS) and _is_plain(each)]
    tables.sort(key=lambda each: -sizes[each])
    if len(tables) == 1 or (tables and sizes[tables[0]] > MUCH_LARGER * sizes[tables[1]]):
        if tables[1:]:
            tell(f"{name}: read {tables[0]}, and not {', '.join(tables[1:5])}")
        return tables[0]
    shown = ", ".join(sorted(tables)[:5]) or "none"
    message = f"{name}: holds {len(tables)} tables ({shown}); wanted one .csv, .tsv, .txt or .jsonl"
    raise SourceError(message)


def _is_plain(name: str) -> bool:
    parts = name.split("/")
    return not parts[-1].startswith((".", "_")) and parts[0] != "__MACOSX"


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

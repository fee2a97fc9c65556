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
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, cast

import pandas as pd

from driftline.errors import SourceError
from tasks.progress import tell
from tasks.reaching import is_of_store
from tasks.reading.delimited import reading_text, stream_text, tell_how_written
from tasks.reading.dialects import NOTHING_KNOWN, Dialect, Expected
from tasks.reading.encodings import BLOCK_BYTES
from tasks.reading.records import stream_records
from tasks.reading.sheets import read_sheet

TEXT = (".csv", ".tsv", ".tab", ".txt")
RECORDS = (".jsonl", ".ndjson")
LISTS = (".json",)  # in a folder it may be anything
KINDS = {
    b"PK\x03\x04": "a spreadsheet or a ZIP archive",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
    b"\x1f\x8b": "gzip",
    b"BZh9": "bzip2",
    b"\xfd7zXZ": "xz",
    b"PAR1\x15": "Parquet",
    b"%PDF-": "a PDF",
    b"ARROW1\0\0": "Feather",
    b"FEA1\0": "Feather",
    b"ORC": "ORC",
    b"SQLite format 3": "a database of SQLite",
    b"\x89HDF": "HDF5",
    b"<stata_dta>": "a file of Stata",
    b"$FL2@(#)": "a file of SPSS",
    b"$FL3@(#)": "a file of SPSS",
    b"\x93NUMPY": "an array of NumPy",
}
WORDS = {b"ORC"}  # the beginning of a column's name too: then no zero byte is near
HEAD_BYTES = 64
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
        from pyarrow import parquet

        with _reading_parquet(name):
            return Piece(_to_pandas(parquet.ParquetFile(file).read(), expected), 1.0)
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
        yield from _stream_parquet(file, name, rows=rows, expected=expected)
        return
    if has_ending(name, *SHEETS):
        yield from _cut(read_sheet(file.read(), name, expected.names), rows)
        return
    with reading_text(name):
        inner, open_file = _unpack(file, name)
    share = _share_read(file, size)
    if has_ending(inner, *RECORDS, *LISTS):
        with reading_text(name):
            for table in stream_records(open_file, name, rows=rows):
                yield Piece(table, share())
        return
    with reading_text(name):
        _refuse_other_kind(open_file(), name)
    dialect = tell_how_written(open_file, name, expected)
    for table in stream_text(open_file, name, dialect, rows=rows, typed=expected.typed):
        yield Piece(table, share(), dialect)


def _refuse_other_kind(file: IO[bytes], name: str) -> None:
    """A file whose first bytes are not those of the text that its name says it is."""
    head = file.read(HEAD_BYTES)
    known = KINDS.items() if b"\0" in head else ((k, v) for k, v in KINDS.items() if k not in WORDS)
    kind = next((kind for first, kind in known if head.startswith(first)), None)
    if kind is not None:
        message = f"{name}: begins as {kind} does; wanted text, or the ending that says what it is"
        raise SourceError(message)


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


def _stream_parquet(
    file: IO[bytes], name: str, *, rows: int, expected: Expected
) -> Iterator[Piece]:
    import pyarrow as pa
    from pyarrow import parquet

    with _reading_parquet(name):
        # Buffering ahead would keep all that was read.
        content = parquet.ParquetFile(file, pre_buffer=False)
    total, done = content.metadata.num_rows, 0
    if not total:
        yield Piece(_to_pandas(content.schema_arrow.empty_table(), expected), 1.0)
    batches = content.iter_batches(batch_size=rows)
    while done < total:
        with _reading_parquet(name):
            table = _to_pandas(pa.Table.from_batches([next(batches)]), expected)
        done += len(table)
        yield Piece(table, done / total)


def _to_pandas(table: Any, expected: Expected) -> pd.DataFrame:
    """An Arrow table as pandas has it; whole numbers stay whole where some are missing.

    What pandas kept as the index of rows is a column where its name is a column's. A name that is
    given twice stays so, which pandas' own index would not allow.
    """
    table = _with_text(table)
    if len(set(table.column_names)) < table.num_columns:
        frames = [
            table.select([i]).to_pandas(ignore_metadata=True) for i in range(table.num_columns)
        ]
        return cast("pd.DataFrame", pd.concat(frames, axis=1))
    frame = cast("pd.DataFrame", table.to_pandas(integer_object_nulls=True))
    kept = [name for name in frame.index.names if name is not None and str(name) in expected.names]
    frame = frame.reset_index(kept) if kept else frame
    for field in table.schema:
        if _holds_bytes(field.type) and field.name in frame.columns:
            frame[field.name] = frame[field.name].map(_read_bytes)
    return frame


def _with_text(table: Any) -> Any:
    """The table with columns of bytes as text where all of one is: some writers mark none so."""
    import pyarrow as pa

    for place, field in enumerate(table.schema):
        if _holds_bytes(field.type):
            try:
                text = table.column(place).cast(pa.large_binary()).cast(pa.large_string())
            except pa.ArrowInvalid:  # a cell at least is of another kind, or of another encoding
                continue
            table = table.set_column(place, field.name, text)
    return table


def _holds_bytes(kind: Any) -> bool:
    import pyarrow as pa

    kinds = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
    return any(is_kind(kind) for is_kind in kinds)


def _read_bytes(cell: Any) -> Any:
    """A cell's text where it is some, whatever the cells beside it are."""
    try:
        return cell.decode() if isinstance(cell, bytes) else cell
    except UnicodeDecodeError:
        return cell


@contextmanager
def _reading_parquet(name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # pyarrow raises a dozen kinds for a broken file
        if is_of_store(error):
            raise
        message = f"{name}: not a readable Parquet file ({type(error).__name__})"
        raise SourceError(message) from None


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

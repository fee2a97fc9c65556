"""Tables that lie in a Parquet file rather than in memory: written and read a piece at a time.

Working files have no name: whatever ends the process, nothing of them is left.
"""

import shutil
import tempfile
from collections.abc import Iterator, Sequence, Sized
from contextlib import contextmanager
from typing import IO, Any, cast

import pandas as pd

from driftline.errors import DataError
from tasks.reaching import is_of_store, reaching
from tasks.settings import get_settings

PIECE_CELLS = 8_000_000  # of eight bytes each: numbers, or places of texts that repeat


class StoredTable:
    """The columns and rows of a Parquet file, read when they are asked for."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        """Read what columns and how many rows there are; a file that is none is a `DataError`."""
        from pyarrow import parquet

        self._name, self._file = name, file
        with reaching(name), _reading(name):
            # Buffering ahead would keep all that was read.
            self._content = parquet.ParquetFile(file, pre_buffer=False)
        schema = self._content.schema_arrow
        self.columns: tuple[str, ...] = tuple(schema.names)
        self.numbers = frozenset(each.name for each in schema if str(each.type) == "double")

    def __len__(self) -> int:
        """How many rows there are."""
        return int(self._content.metadata.num_rows)

    def __contains__(self, name: object) -> bool:
        """Whether there is a column of this name."""
        return name in self.columns

    def __getitem__(self, name: str) -> pd.Series:
        """All of a column."""
        return self.select([name])[name]

    @property
    def content(self) -> IO[bytes]:
        """The file, at its beginning."""
        self._file.seek(0)
        return self._file

    def copy(self) -> "StoredTable":
        """The same in a working file of this machine."""
        where, file = _open_working_file()
        with reaching(self._name), reaching(where):
            shutil.copyfileobj(self.content, file)
        return StoredTable(file, self._name)

    def select(self, names: Sequence[str]) -> pd.DataFrame:
        """All rows of some columns."""
        with reaching(self._name), _reading(self._name):
            found = self._content.read(columns=list(names))
            return cast("pd.DataFrame", found.select(list(names)).to_pandas(ignore_metadata=True))

    def pieces(self, names: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
        """The rows in order, a piece at a time; at least one, which may be empty.

        The index tells their positions in the whole.
        """
        columns = list(self.columns if names is None else names)
        if not len(self):
            yield self.select(columns)
            return
        rows, start = _count_rows(columns), 0
        batches = self._content.iter_batches(batch_size=rows, columns=columns)
        while start < len(self):
            with reaching(self._name), _reading(self._name):
                piece = _to_pandas(next(batches), columns)
            piece.index = pd.RangeIndex(start, start + len(piece))
            start += len(piece)
            yield piece


class TableDraft:
    """A table that is being written; the first piece tells the types of its columns."""

    def __init__(self) -> None:
        """Begin without rows."""
        self._name, self._file = _open_working_file()
        self._writer: Any = None

    def add(self, piece: pd.DataFrame) -> None:
        """The next rows."""
        import pyarrow as pa
        from pyarrow import parquet

        with reaching(self._name):
            if self._writer is None:
                self._writer = parquet.ParquetWriter(self._file, _schema_of(piece))
            schema = self._writer.schema
            self._writer.write_table(pa.Table.from_pandas(piece, schema, preserve_index=False))

    def finish(self) -> StoredTable:
        """The table, when all of it is written."""
        with reaching(self._name):
            self._writer.close()
            self._file.flush()
        return StoredTable(self._file, self._name)


def _open_working_file() -> tuple[str, IO[bytes]]:
    """A file without a name in the state folder, which is what messages name."""
    home = get_settings().home.absolute()
    with reaching(str(home)):
        home.mkdir(parents=True, exist_ok=True)
        file = tempfile.TemporaryFile(dir=home)  # noqa: SIM115 - the table reads it on
    return str(home), cast("IO[bytes]", file)


def store_table(table: pd.DataFrame) -> StoredTable:
    """A table in memory as one in a file."""
    draft = TableDraft()
    rows = _count_rows(table.columns)
    for start in range(0, max(len(table), 1), rows):
        draft.add(table.iloc[start : start + rows])
    return draft.finish()


def _count_rows(columns: Sized) -> int:
    return max(1, PIECE_CELLS // max(1, len(columns)))


def _schema_of(piece: pd.DataFrame) -> Any:
    """Its types; a column without any value is text, as later pieces may have some."""
    import pyarrow as pa

    schema = pa.Schema.from_pandas(piece, preserve_index=False)
    for place, each in enumerate(schema):
        if pa.types.is_null(each.type):
            schema = schema.set(place, pa.field(each.name, pa.string()))
    return schema


def _to_pandas(batch: Any, columns: list[str]) -> pd.DataFrame:
    import pyarrow as pa

    table = pa.Table.from_batches([batch]).select(columns)
    return cast("pd.DataFrame", table.to_pandas(ignore_metadata=True))


@contextmanager
def _reading(name: str) -> Iterator[None]:
    """What pyarrow raises for a broken file, which is of a dozen kinds, as one."""
    try:
        yield
    except Exception as error:
        if is_of_store(error):
            raise
        message = f"{name}: not a readable Parquet file ({type(error).__name__}); wanted it whole"
        raise DataError(message) from None

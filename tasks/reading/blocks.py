"""Plain text tables read a block at a time: many times as fast as line by line.

Plain are lines of UTF-8 without quotes or null bytes, each with as many cells as the header. Where
a block is anything else, all from there on is left to who reads line by line, and tells what is
wrong. What both read is the same.
"""

import csv
import io as streams
from collections.abc import Collection, Iterator
from typing import IO, Any

import numpy as np
import pandas as pd

from driftline.spelling import tidy
from tasks.reading.written import Dialect

BLOCK_BYTES = 2**22
LEAST_CELLS = 2  # of one cell a line of blanks is a row to one reader and none to the next


class Blocks:
    """A plain text table on its way; `rest` is what it does not read, from a whole line on.

    Rows before that which fill no piece are `begun`, all of them text. Columns that are `typed`
    come as numbers where all their cells in a piece are, others as text.
    """

    def __init__(self, file: IO[bytes], dialect: Dialect, typed: Collection[str]) -> None:
        """Read the header; without one all is left to the other reader."""
        self._file, self._dialect = file, dialect
        self.header = _read_header(file, dialect) if is_plain(dialect) else []
        self._left, self.lines = b"", 1
        self.begun = pd.DataFrame()
        self._typed = [tidy(name) in typed for name in self.header]
        self._is_over = len(self.header) < LEAST_CELLS

    @property
    def is_done(self) -> bool:
        """Whether all of it was read."""
        return self._is_over and not self._left

    @property
    def rest(self) -> IO[bytes]:
        """The bytes from the first line on that was not read."""
        return streams.BufferedReader(_Joined(self._left, self._file), BLOCK_BYTES)

    def tables(self, rows: int) -> Iterator[pd.DataFrame]:
        """At most so many rows at a time, under no names yet."""
        import pyarrow as pa

        waiting, count = [], 0
        for table in self._tables():
            waiting.append(table)
            count += len(table)
            while count >= rows:
                whole = pa.concat_tables(waiting)
                yield self._to_pandas(whole.slice(0, rows))
                waiting, count = [whole.slice(rows)], count - rows
        if count and self.is_done:
            yield self._to_pandas(pa.concat_tables(waiting))
        elif count:
            columns = enumerate(pa.concat_tables(waiting).columns)
            self.begun = pd.DataFrame({place: column.to_numpy() for place, column in columns})

    def _tables(self) -> Iterator[Any]:
        """Each block as an Arrow table of text, until one is not plain."""
        import pyarrow as pa

        while not self._is_over:
            block = self._next()
            if not block.strip():
                self._is_over = not block
                self.lines += block.count(b"\n")
                continue
            try:
                table = self._parse(block) if self._is_plain(block) else None
            except pa.ArrowInvalid:  # a line with another number of cells
                table = None
            if table is None:
                self._left, self._is_over = block + self._left, True
                return
            self.lines += block.count(b"\n")
            yield table

    def _next(self) -> bytes:
        """The next whole lines; none at the end."""
        block = self._left
        while more := self._file.read(BLOCK_BYTES):
            end = more.rfind(b"\n") + 1
            if end:
                self._left = more[end:]
                return block + more[:end]
            block += more
        self._left = b""
        return block

    def _is_plain(self, block: bytes) -> bool:
        signs = (self._dialect.quote.encode(), b"\0")
        returns = block.count(b"\r")
        alone = returns and returns != block.count(b"\r\n")
        return not alone and not any(sign in block for sign in signs)

    def _parse(self, block: bytes) -> Any:
        import pyarrow as pa
        from pyarrow import csv as text

        names = [str(place) for place in range(len(self.header))]
        return text.read_csv(
            pa.BufferReader(block),
            text.ReadOptions(use_threads=False, block_size=len(block) + 1, column_names=names),
            text.ParseOptions(delimiter=self._dialect.separator, quote_char=False),
            text.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), null_values=[]),
        )

    def _to_pandas(self, table: Any) -> pd.DataFrame:
        columns = [
            (_read_numbers(column) if is_typed else None, column)
            for is_typed, column in zip(self._typed, table.columns, strict=True)
        ]
        return pd.DataFrame(
            {
                place: column.to_numpy() if numbers is None else numbers
                for place, (numbers, column) in enumerate(columns)
            }
        )


def _read_header(file: IO[bytes], dialect: Dialect) -> list[str]:
    """The names in the first line; none where it is not one line of names."""
    first = file.readline()
    is_whole = first.endswith(b"\n") and first.count(b'"') % 2 == 0
    if not is_whole or b"\0" in first or b"\r" in first.removesuffix(b"\r\n"):
        return []
    return next(csv.reader([first.decode("utf-8-sig")], delimiter=dialect.separator), [])


def is_plain(dialect: Dialect) -> bool:
    """Whether a text that is written so may be read in blocks."""
    plain = Dialect(separator=dialect.separator)
    return dialect == plain and not dialect.pinned and dialect.separator.isascii()


def _read_numbers(column: Any) -> np.ndarray | None:
    """The numbers that a column's cells are, nan where one is empty; None where one is neither."""
    import pyarrow as pa
    from pyarrow import compute

    is_empty = compute.equal(column, "")
    try:
        found = compute.cast(compute.if_else(is_empty, None, column), pa.float64())
    except pa.ArrowInvalid:
        return None
    values = found.to_numpy()
    is_told = np.isfinite(values) | is_empty.to_numpy()
    return np.array(values) if is_told.all() else None


class _Joined(streams.RawIOBase):
    """Bytes, and after them those of a file, which stays open when its reader is thrown away."""

    def __init__(self, first: bytes, file: IO[bytes]) -> None:
        self._first, self._file = streams.BytesIO(first), file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self._first.read(len(buffer)) or self._file.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)

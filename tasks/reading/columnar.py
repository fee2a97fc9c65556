"""Parquet files to tables, whole or in pieces, with the types they have."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

import pandas as pd

from driftline.errors import SourceError
from tasks.reaching import is_of_store
from tasks.reading.kinds import describe_start


def read_parquet(file: IO[bytes], name: str, names: Collection[str]) -> pd.DataFrame:
    """All rows; what pandas kept as the index of rows is a column where it is one of the names."""
    from pyarrow import parquet

    _refuse_other_start(file, name)
    with _reading_parquet(name):
        return _to_pandas(parquet.ParquetFile(file).read(), names)


def stream_parquet(
    file: IO[bytes], name: str, *, rows: int, names: Collection[str]
) -> Iterator[tuple[pd.DataFrame, float]]:
    """The same, at most so many rows at a time, with the share that is read by then."""
    import pyarrow as pa
    from pyarrow import parquet

    _refuse_other_start(file, name)
    with _reading_parquet(name):
        # Buffering ahead would keep all that was read.
        content = parquet.ParquetFile(file, pre_buffer=False)
    total, done = content.metadata.num_rows, 0
    if not total:
        yield _to_pandas(content.schema_arrow.empty_table(), names), 1.0
    batches = content.iter_batches(batch_size=rows)
    while done < total:
        with _reading_parquet(name):
            table = _to_pandas(pa.Table.from_batches([next(batches)]), names)
        done += len(table)
        yield table, done / total


def _to_pandas(table: Any, names: Collection[str]) -> pd.DataFrame:
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
    frame = _by_pandas(table)
    kept = [name for name in frame.index.names if name is not None and str(name) in names]
    frame = frame.reset_index(kept) if kept else frame
    frame.columns = pd.Index([str(name) for name in frame.columns], dtype=object)
    for field in table.schema:
        if _holds_bytes(field.type) and field.name in frame.columns:
            frame[field.name] = frame[field.name].map(_read_bytes)
    return frame


def _by_pandas(table: Any) -> pd.DataFrame:
    """With the index that pandas has noted, unless its note is damaged or of another table."""
    try:
        frame = table.to_pandas(integer_object_nulls=True)
    except (ValueError, KeyError, TypeError, AttributeError):
        frame = table.replace_schema_metadata(None).to_pandas(integer_object_nulls=True)
    return cast("pd.DataFrame", frame)


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
        kind = type(error).__name__
        message = f"{name}: not a readable Parquet file ({kind}); wanted it whole"
        raise SourceError(message) from None


def _refuse_other_start(file: IO[bytes], name: str) -> None:
    start = describe_start(file, b"PAR1", b"PARE")
    if start is not None:
        message = (
            f"{name}: not a readable Parquet file ({start}); wanted it whole, or the ending that "
            "says what it is"
        )
        raise SourceError(message)

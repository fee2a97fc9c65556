"""JSON lines to rows: one flat object a line, whose values keep their types."""

from collections.abc import Iterator
from typing import IO, Any

import orjson
import pandas as pd

from driftline.errors import SourceError

SCALARS = (str, int, float, bool, type(None))


def stream_records(file: IO[bytes], name: str, *, rows: int) -> Iterator[pd.DataFrame]:
    """At most so many rows at a time; the first object's keys are the columns.

    Raises:
        SourceError: Naming the line that is no flat object, or that has a key of its own.
    """
    columns: list[str] = []
    taken: list[dict[str, Any]] = []
    is_empty = True
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        record = _read(line.removeprefix(b"\xef\xbb\xbf"), name, number)
        columns = columns or list(record)
        extra = [key for key in record if key not in columns]
        if extra:
            message = f"{name}: line {number} has the key {extra[0]!r}, which the first has not"
            raise SourceError(message)
        taken.append(record)
        if len(taken) == rows:
            yield _as_table(taken, columns)
            taken, is_empty = [], False
    if taken or is_empty:
        yield _as_table(taken, columns)


def _read(line: bytes, name: str, number: int) -> dict[str, Any]:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        record = None
    if not isinstance(record, dict) or not all(isinstance(v, SCALARS) for v in record.values()):
        message = f"{name}: line {number} is no flat JSON object; wanted one in every line"
        raise SourceError(message)
    return record


def _as_table(records: list[dict[str, Any]], columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        [[record.get(name) for name in columns] for record in records],
        columns=pd.Index(columns, dtype=object),
        dtype=object,
    )

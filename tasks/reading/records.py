"""JSON lines, or a list of objects, to rows: flat objects, whose values keep their types."""

import json
import re
from collections.abc import Callable, Iterator
from typing import IO, Any

import orjson
import pandas as pd

from driftline.errors import SourceError

SCALARS = (str, int, float, bool, type(None))
MARK = b"\xef\xbb\xbf"
LARGEST = 2**63  # from which on a whole number may have come as a float that lost its last digits
NOT_JSON = (b"NaN", b"Infinity")  # what Python and others write for a number that is none

_KEY = re.compile(rb'"\s*:')


def stream_records(
    open_file: Callable[[], IO[bytes]], name: str, *, rows: int
) -> Iterator[pd.DataFrame]:
    """At most so many rows at a time; the columns are the keys of all objects, as they come.

    A key that an object lacks is missing in it. The file is read twice, first for its keys.

    Raises:
        SourceError: Naming the line that is no flat object.
    """
    keys: dict[str, None] = {}
    for record in _read_records(open_file, name):
        keys |= dict.fromkeys(record)
    columns = list(keys)
    taken: list[dict[str, Any]] = []
    is_empty = True
    for record in _read_records(open_file, name):
        taken.append(record)
        if len(taken) == rows:
            yield _as_table(taken, columns)
            taken, is_empty = [], False
    if taken or is_empty:
        yield _as_table(taken, columns)


def _read_records(open_file: Callable[[], IO[bytes]], name: str) -> Iterator[dict[str, Any]]:
    if open_file().read(len(MARK) + 1).removeprefix(MARK).startswith(b"["):
        text = open_file().read().removeprefix(MARK)
        whole = _parse(text, f"{name}: its list")
        if isinstance(whole, list) and _is_doubtful(text, whole):
            whole = _parse_carefully(text, f"{name}: its list")
        for number, document in enumerate(whole, 1):
            yield _check(document, f"{name}: object {number}")
        return
    for number, line in enumerate(open_file(), 1):
        if line.strip():
            place = f"{name}: line {number}"
            text = line.removeprefix(MARK)
            document = _check(_parse(text, place), place)
            if _is_doubtful(text, [document]):
                document = _check(_parse_carefully(text, place), place)
            yield document


def _is_doubtful(text: bytes, documents: list[Any]) -> bool:
    """Whether a key may stand twice, or a whole number may have lost digits."""
    records = [each for each in documents if isinstance(each, dict)]
    keys = sum(map(len, records))
    if text.count(b":") > keys and len(_KEY.findall(text)) > keys:
        return True
    values = (value for record in records for value in record.values())
    return any(type(value) is float and abs(value) >= LARGEST for value in values)


def _parse_carefully(text: bytes, place: str) -> Any:
    """The same with whole numbers of any length; `SourceError` where a key stands twice."""

    def unite(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        record = dict(pairs)
        if len(record) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            message = f"{place} has the key {twice!r} twice; wanted each once"
            raise SourceError(message)
        return record

    return json.loads(text, object_pairs_hook=unite)


def _parse(text: bytes, place: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        found = next((word.decode() for word in NOT_JSON if word in text), None)
    message = f"{place} is no JSON; wanted one flat object in every line, in UTF-8"
    if found:
        message = f"{place} holds {found}, which JSON has not; wanted null"
    raise SourceError(message) from None


def _check(document: Any, place: str) -> dict[str, Any]:
    if not isinstance(document, dict):
        message = f"{place} is no flat JSON object; wanted one in every line"
        raise SourceError(message)
    nested = next((key for key, v in document.items() if not isinstance(v, SCALARS)), None)
    if nested is not None:
        kind = "a list" if isinstance(document[nested], list) else "an object"
        message = f"{place} is no flat JSON object: {nested!r} holds {kind}; wanted single values"
        raise SourceError(message)
    return document


def _as_table(records: list[dict[str, Any]], columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        [[record.get(name) for name in columns] for record in records],
        columns=pd.Index(columns, dtype=object),
        dtype=object,
    )

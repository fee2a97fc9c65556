"""Files of the store, in a folder or a bucket: each is written whole or not at all."""

import io as streams
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import pandas as pd

from bentos.settings import expand
from driftline.errors import DataError, NotFoundError, SettingsError
from driftline.locations import is_path, lacks_bucket, path_of, redact, scheme_of, spell_scheme
from tasks.data.tables import StoredTable
from tasks.drafts import whole_file
from tasks.reaching import options_for, reaching, read_whole
from tasks.settings import get_settings

BLOCK_BYTES = 2**24  # of an upload, which may have 10,000 of them


def locate(*parts: str) -> str:
    """Address of something in the store."""
    return "/".join((get_settings().store, *parts))


def locate_output(told: str, *, asked_by: str) -> str:
    """The address of a folder that a person named to be written into: here, or in a bucket."""
    if is_path(told) and _can_be_called(told):
        return str(expand(Path(path_of(told))))
    if scheme_of(told) == "s3" and not lacks_bucket(told):
        return spell_scheme(told).rstrip("/")
    message = f"{asked_by}: got {redact(told)!r}, wanted a folder, or s3://bucket/prefix"
    raise SettingsError(message)


def _can_be_called(path: str) -> bool:
    try:
        return b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:  # half a surrogate pair
        return False


def write_file(address: str, content: bytes) -> str:
    """Write bytes so that nobody ever sees a part of them; returns the address."""
    with reaching(address):
        if "://" in address:
            filesystem, key = _filesystem(address)
            filesystem.pipe_file(key, content)  # an object appears when its upload is complete
        else:
            with whole_file(Path(address)) as draft:
                draft.write_bytes(content)
    return address


def read_file(address: str) -> bytes:
    """Bytes at an address; `NotFoundError` where there is nothing."""
    with reaching(address):
        filesystem, path = _filesystem(address)
        try:
            return read_whole(filesystem, path)
        except FileNotFoundError:
            message = f"{address}: not in the store"
            raise NotFoundError(message) from None


def write_table(address: str, table: StoredTable) -> str:
    """Copy a table's file to an address, so that nobody ever sees a part; returns the address."""
    content = table.content
    with reaching(address):
        if "://" not in address:
            with whole_file(Path(address)) as draft, draft.open("wb") as target:
                shutil.copyfileobj(content, target, BLOCK_BYTES)
            return address
        start = content.read(BLOCK_BYTES)
        if len(start) < BLOCK_BYTES:
            return write_file(address, start)
        _upload(address, start, content)
    return address


def _upload(address: str, start: bytes, rest: IO[bytes]) -> None:
    """Block after block; the object appears when all are there."""
    filesystem, key = _filesystem(address)
    target = filesystem.open(key, "wb", block_size=BLOCK_BYTES, autocommit=False)
    try:
        target.write(start)
        shutil.copyfileobj(rest, target, BLOCK_BYTES)
        target.close()
        target.commit()
    except BaseException:
        target.discard()
        raise


@contextmanager
def open_table(address: str) -> Iterator[StoredTable]:
    """A table of the store to be read in pieces; `NotFoundError` where there is nothing."""
    with reaching(address):
        filesystem, path = _filesystem(address)
        try:
            file = filesystem.open(path, "rb")
        except FileNotFoundError:
            message = f"{address}: not in the store"
            raise NotFoundError(message) from None
    with file:
        yield StoredTable(file, address)


def fetch_table(address: str) -> StoredTable:
    """A copy of a table of the store, which is read however long the store is away."""
    with open_table(address) as table:
        return table.copy()


def write_parquet(
    address: str, table: pd.DataFrame, *, repeating: Sequence[str] | None = None
) -> str:
    """Write a table as one Parquet file; returns its address."""
    return write_file(address, as_parquet(table, repeating=repeating))


def as_parquet(table: pd.DataFrame, *, repeating: Sequence[str] | None = None) -> bytes:
    """A table as the bytes of a Parquet file; the same table gives the same.

    Looking for values that repeat takes most of the time: `repeating` are columns that have some,
    where that is known.
    """
    buffer = streams.BytesIO()
    known = True if repeating is None else list(repeating)
    table.to_parquet(buffer, index=False, engine="pyarrow", use_dictionary=known)
    return buffer.getvalue()


def count_rows(address: str) -> int | None:
    """How many rows a Parquet file has, by its last bytes; None where there is no file.

    One that is damaged is a `DataError`.
    """
    from pyarrow import ArrowException, parquet

    with reaching(address):
        filesystem, path = _filesystem(address)
        try:
            with filesystem.open(path, "rb") as file:
                return int(parquet.read_metadata(file).num_rows)
        except FileNotFoundError:
            return None
        except ArrowException as error:
            message = (
                f"{address}: not a readable Parquet file ({type(error).__name__}); wanted it whole"
            )
            raise DataError(message) from None


def is_stored(address: str) -> bool:
    """Whether something is at an address."""
    with reaching(address):
        filesystem, path = _filesystem(address)
        return bool(filesystem.exists(path))


def list_names(address: str) -> list[str]:
    """Names of the files in a folder of the store, in order; none where there is no folder."""
    return sorted(list_times(address))


def list_times(address: str) -> dict[str, datetime]:
    """When each file in a folder of the store was written; nothing where there is no folder."""
    with reaching(address):
        filesystem, path = _filesystem(address)
        try:
            entries = filesystem.ls(path, detail=True)
        except FileNotFoundError:
            return {}
    files = [one for one in entries if one["type"] == "file"]
    return {str(one["name"]).rsplit("/", 1)[-1]: _written_at(one) for one in files}


def remove_file(address: str) -> None:
    """Remove what is at an address; nothing there is as good."""
    with reaching(address):
        filesystem, path = _filesystem(address)
        try:
            filesystem.rm_file(path)
        except FileNotFoundError:
            return


def _written_at(entry: dict[str, Any]) -> datetime:
    told = entry.get("LastModified")  # of a bucket
    return told if isinstance(told, datetime) else datetime.fromtimestamp(entry["mtime"], UTC)


@lru_cache(maxsize=4)
def _open(protocol: str) -> Any:
    import fsspec

    return fsspec.filesystem(protocol, **options_for(protocol))


def _filesystem(address: str) -> tuple[Any, str]:
    protocol = address.split("://", maxsplit=1)[0] if "://" in address else "file"
    return _open(protocol), address.removeprefix("s3://") if protocol == "s3" else address

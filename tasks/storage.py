"""The store: snapshots and reports, in a folder or a bucket, each written whole or not at all."""

import io as streams
import os
import uuid
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from driftline.digests import digest_rows, digest_table
from driftline.errors import DataError, NotFoundError
from tasks.decorators import io
from tasks.reaching import options_for, reaching
from tasks.settings import get_settings


@dataclass(frozen=True)
class Snapshot:
    """An immutable copy of the rows of a run."""

    sha256: str
    rows: int
    quarantined: int
    path: str


def locate(*parts: str) -> str:
    """Address of something in the store."""
    return "/".join((get_settings().store, *parts))


def write_file(address: str, content: bytes) -> str:
    """Write bytes so that nobody ever sees a part of them; returns the address."""
    with reaching(address):
        if "://" in address:
            filesystem, key = _filesystem(address)
            filesystem.pipe_file(key, content)  # an object appears when its upload is complete
        else:
            _write_local(Path(address), content)
    return address


def _write_local(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def read_file(address: str) -> bytes:
    """Bytes at an address; `NotFoundError` where there is nothing."""
    with reaching(address):
        filesystem, path = _filesystem(address)
        try:
            content: bytes = filesystem.cat_file(path)
        except FileNotFoundError:
            message = f"{address}: not in the store"
            raise NotFoundError(message) from None
    return content


def is_stored(address: str) -> bool:
    """Whether something is at an address."""
    with reaching(address):
        filesystem, path = _filesystem(address)
        return bool(filesystem.exists(path))


@io(name="write snapshot")
def write_snapshot(kept: pd.DataFrame, quarantined: pd.DataFrame) -> Snapshot:
    """Store the rows under the digest of their content; the same rows are stored once."""
    sha256 = digest_table(kept)
    address = locate("snapshots", f"{sha256}.parquet")
    if not is_stored(address):
        write_file(address, _to_parquet(kept))
    if len(quarantined):
        write_file(
            locate("snapshots", "quarantined", f"{sha256}.parquet"), _to_parquet(quarantined)
        )
    return Snapshot(sha256=sha256, rows=len(kept), quarantined=len(quarantined), path=address)


@io(name="read snapshot")
def read_snapshot(sha256: str) -> tuple[pd.DataFrame, list[str]]:
    """A snapshot's rows and their digests; content that does not match its name is an error."""
    address = locate("snapshots", f"{sha256}.parquet")
    table = _from_parquet(read_file(address), address)
    rows = digest_rows(table)
    found = digest_table(table, rows)
    if found != sha256:
        message = f"{address}: got rows with digest {found}, wanted those it is named after"
        raise DataError(message)
    return table, rows


@io(name="write report")
def write_report(name: str, content: bytes) -> str:
    """Store a report file; returns its address."""
    return write_file(locate("reports", name), content)


def _from_parquet(content: bytes, address: str) -> pd.DataFrame:
    try:
        return pd.read_parquet(streams.BytesIO(content))
    except Exception as error:  # noqa: BLE001 - pyarrow raises a dozen kinds for a broken file
        message = (
            f"{address}: not a readable Parquet file ({type(error).__name__}); wanted it whole"
        )
        raise DataError(message) from None


@io(name="write table")
def write_table(address: str, table: pd.DataFrame) -> str:
    """Store a table as one Parquet file, whole or not at all."""
    return write_file(address, _to_parquet(table))


def _to_parquet(table: pd.DataFrame) -> bytes:
    buffer = streams.BytesIO()
    table.to_parquet(buffer, index=False)
    return buffer.getvalue()


@lru_cache(maxsize=4)
def _open(protocol: str) -> Any:
    import fsspec

    return fsspec.filesystem(protocol, **options_for(protocol))


def _filesystem(address: str) -> tuple[Any, str]:
    protocol = address.split("://", maxsplit=1)[0] if "://" in address else "file"
    return _open(protocol), address.removeprefix("s3://") if protocol == "s3" else address

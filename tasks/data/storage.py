"""The store's tables and reports: snapshots by their digest, pages, scores."""

import io as streams
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import pandas as pd

from driftline.digests import digest_pieces, digest_rows, digest_table
from driftline.errors import DataError, NotFoundError
from tasks.data.files import (
    fetch_table,
    list_names,
    locate,
    open_table,
    read_file,
    write_file,
    write_table,
)
from tasks.data.tables import StoredTable, store_table
from tasks.decorators import io
from tasks.progress import tell

DIGEST_LENGTH = 64
SHORT = 12  # characters of a digest that tell it


@dataclass(frozen=True)
class Snapshot:
    """An immutable copy of the rows of a run."""

    sha256: str
    rows: int
    quarantined: int
    path: str


@dataclass(frozen=True)
class Origin:
    """Where the rows of a snapshot came from last, how they were read, and for which problem."""

    source: str
    read_as: str = ""
    problem: str = ""


@io(name="write snapshot")
def write_snapshot(
    kept: StoredTable | pd.DataFrame,
    quarantined: StoredTable | pd.DataFrame | None = None,
    origin: Origin | None = None,
) -> Snapshot:
    """Store the rows under the digest of their content; the same rows are stored once.

    A file that is there is verified, and written anew where it is damaged. Their origin stands in
    a file of its own beside them.
    """
    kept = _as_stored(kept)
    aside = None if quarantined is None else _as_stored(quarantined)
    sha256 = digest_pieces(kept.pieces)
    address = locate_snapshot(sha256)
    if not _is_whole(address, sha256):
        write_table(address, kept)
    if aside:
        write_table(locate("snapshots", "quarantined", f"{sha256}.parquet"), aside)
    if origin is not None:
        told = json.dumps(asdict(origin), indent=2, ensure_ascii=False)
        write_file(locate("snapshots", f"{sha256}.json"), told.encode())
    return Snapshot(sha256=sha256, rows=len(kept), quarantined=len(aside or ()), path=address)


def _as_stored(table: StoredTable | pd.DataFrame) -> StoredTable:
    return store_table(table) if isinstance(table, pd.DataFrame) else table


@io(name="read origin of snapshot")
def read_origin(sha256: str) -> Origin:
    """Where a snapshot's rows came from; nothing is known where its file is lost or damaged."""
    return _read_origin(sha256)


def _read_origin(sha256: str) -> Origin:
    try:
        told = json.loads(read_file(locate("snapshots", f"{sha256}.json")))
        return Origin(str(told["source"]), str(told["read_as"]), str(told.get("problem", "")))
    except (NotFoundError, ValueError, KeyError, TypeError):
        return Origin("")


@io(name="find snapshot")
def find_snapshot(digest: str, asked_by: str = "--snapshot") -> str:
    """The whole SHA-256 of a snapshot by as much of its beginning as tells it from the others.

    `asked_by` is what a message calls it.
    """
    given = digest.strip().lower()
    if not re.fullmatch(r"[0-9a-f]{1,64}", given):
        message = f"{asked_by}: got {digest!r}, wanted the SHA-256 of a snapshot or its beginning"
        raise NotFoundError(message)
    if len(given) == DIGEST_LENGTH:
        return given
    folder = locate("snapshots")
    names = [n.removesuffix(".parquet") for n in list_names(folder) if n.endswith(".parquet")]
    found = [name for name in names if name.startswith(given) and len(name) == DIGEST_LENGTH]
    if len(found) != 1:
        message = f"{asked_by}: {len(found)} snapshots in {folder} begin with {given}, wanted one"
        raise NotFoundError(message)
    return found[0]


@io(name="read snapshot")
def read_snapshot(sha256: str) -> tuple[pd.DataFrame, list[str]]:
    """A snapshot's rows and their digests; content that does not match its name is an error."""
    return _read_whole(locate_snapshot(sha256), sha256)


@io(name="fetch snapshot")
def fetch_snapshot(sha256: str) -> StoredTable:
    """A snapshot to be read in pieces, once all of it has proved to be what its name says."""
    with naming_way_out(sha256):
        table = fetch_table(locate_snapshot(sha256))
        _refuse_other(digest_pieces(table.pieces), sha256, locate_snapshot(sha256))
    return table


@contextmanager
def naming_way_out(sha256: str) -> Iterator[None]:
    """Say of a snapshot that is lost or damaged how it comes back."""
    try:
        yield
    except (DataError, NotFoundError) as error:
        raise type(error)(f"{error}; {_way_out(sha256)}") from None


def _way_out(sha256: str) -> str:
    origin = _read_origin(sha256)
    problem = origin.problem or "PROBLEM"
    whence = f"its rows came from {origin.source}: " if origin.source else ""
    return (
        f"{whence}the same rows repair it (python -m flows.ingest {problem}), as does its file "
        "from a store that has it "
        f"(python -m flows.snapshots {problem} fetch {sha256[:SHORT]} --to {sha256}.parquet), "
        "and a model that is trained anew needs it no more "
        f"(python -m flows.train {problem})"
    )


def locate_snapshot(sha256: str) -> str:
    """Where the rows of a snapshot are, or will be."""
    return locate("snapshots", f"{sha256}.parquet")


def locate_report(name: str) -> str:
    """Where a report file is, or will be."""
    return locate("reports", name)


@io(name="write report")
def write_report(name: str, content: bytes) -> str:
    """Store a report file; returns its address."""
    return write_file(locate_report(name), content)


def _is_whole(address: str, sha256: str) -> bool:
    try:
        with open_table(address) as table:
            _refuse_other(digest_pieces(table.pieces), sha256, address)
    except NotFoundError:
        return False
    except DataError:
        tell(f"{address} is damaged, and is written anew")
        return False
    return True


def _read_whole(address: str, sha256: str) -> tuple[pd.DataFrame, list[str]]:
    with naming_way_out(sha256):
        table = _from_parquet(read_file(address), address)
        rows = digest_rows(table)
        _refuse_other(digest_table(table, rows), sha256, address)
    return table, rows


def _refuse_other(found: str, sha256: str, address: str) -> None:
    if found != sha256:
        message = f"{address}: got rows with digest {found}, wanted those it is named after"
        raise DataError(message)


def _from_parquet(content: bytes, address: str) -> pd.DataFrame:
    try:
        return pd.read_parquet(streams.BytesIO(content))
    except Exception as error:  # noqa: BLE001 - pyarrow raises a dozen kinds for a broken file
        message = (
            f"{address}: not a readable Parquet file ({type(error).__name__}); wanted it whole"
        )
        raise DataError(message) from None

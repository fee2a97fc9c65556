import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from driftline.digests import digest_rows
from driftline.errors import DataError, DriftlineError, NotFoundError, SourceError, UnavailableError
from tasks.data.files import (
    is_stored,
    locate,
    open_table,
    read_file,
    write_file,
    write_table,
)
from tasks.data.storage import (
    Origin,
    Snapshot,
    find_snapshot,
    read_origin,
    read_snapshot,
    write_report,
    write_snapshot,
)
from tasks.data.tables import store_table
from tasks.settings import get_settings
from tests.buckets import Bucket, forget_connections
from tests.ports import free_ports
from tests.support import ROOT, tiny_rows

ROWS = tiny_rows(30)
NONE = ROWS.head(0)

Store = str


@pytest.fixture
def s3_store(home: Path, s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A prefix of the real bucket, as the store of this process."""
    monkeypatch.setenv("DRIFTLINE_STORE_URL", f"s3://{s3.name}/{home.parent.name}")
    get_settings.cache_clear()
    return get_settings().store


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.s3)])
def store(request: pytest.FixtureRequest, home: Path) -> Store:
    """The store: a folder, and a real bucket."""
    if request.param == "bucket":
        return request.getfixturevalue("s3_store")
    return str(home)


def write(kept: pd.DataFrame = ROWS, quarantined: pd.DataFrame = NONE) -> Snapshot:
    return write_snapshot.fn(kept, quarantined)


def read(sha256: str) -> tuple[pd.DataFrame, list[str]]:
    return read_snapshot.fn(sha256)


def test_a_snapshot_is_named_after_its_rows_and_read_back(store: Store) -> None:
    snapshot = write()

    table, digests = read(snapshot.sha256)

    assert snapshot.path == f"{store}/snapshots/{snapshot.sha256}.parquet"
    assert (snapshot.rows, snapshot.quarantined) == (30, 0)
    pd.testing.assert_frame_equal(table, ROWS)
    assert digests == digest_rows(ROWS)


@pytest.mark.usefixtures("store")
def test_the_same_rows_are_one_snapshot() -> None:
    first = write()
    before = read_file(first.path)

    second = write()

    assert second == first
    assert read_file(first.path) == before


@pytest.mark.usefixtures("store")
def test_quarantined_rows_are_kept_beside_their_snapshot() -> None:
    bad = ROWS.head(2).assign(reasons=["age: missing", "sex: odd"])

    snapshot = write(ROWS.tail(28), bad)

    address = locate("snapshots", "quarantined", f"{snapshot.sha256}.parquet")
    assert snapshot.quarantined == 2
    assert is_stored(address)


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("other", [ROWS.head(29), ROWS.assign(age=1)], ids=["lost", "changed"])
def test_a_snapshot_that_was_tampered_with_is_refused(other: pd.DataFrame) -> None:
    snapshot = write()
    write_file(snapshot.path, read_file(write(other).path))

    with pytest.raises(DataError) as raised:
        read(snapshot.sha256)

    told = str(raised.value)
    assert told.startswith(f"{snapshot.path}: got rows with digest ")
    assert "wanted those it is named after" in told
    assert "repair it (python -m flows.ingest PROBLEM)" in told


@pytest.mark.usefixtures("store")
def test_a_snapshot_that_was_cut_short_is_refused() -> None:
    snapshot = write()
    write_file(snapshot.path, read_file(snapshot.path)[:-100])

    with pytest.raises(DriftlineError, match=snapshot.sha256) as raised:
        read(snapshot.sha256)
    assert "repair it (python -m flows.ingest PROBLEM)" in str(raised.value)


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("harm", ["cut short", "emptied", "other rows"])
def test_a_damaged_snapshot_is_repaired_by_the_same_rows(harm: str) -> None:
    snapshot = write()
    whole = read_file(snapshot.path)
    other = read_file(write(ROWS.head(29)).path)
    write_file(snapshot.path, {"cut short": whole[:-100], "emptied": b""}.get(harm, other))

    again = write()

    assert again == snapshot
    pd.testing.assert_frame_equal(read(snapshot.sha256)[0], ROWS)


def test_a_snapshot_that_is_not_there_is_named(store: Store) -> None:
    with pytest.raises(NotFoundError) as raised:
        read("0" * 64)

    told = str(raised.value)
    assert told.startswith(f"{store}/snapshots/{'0' * 64}.parquet: not in the store; the same rows")
    assert "python -m flows.snapshots PROBLEM fetch 000000000000 --to" in told


def test_a_report_is_written_over_the_last_one_of_its_name(store: Store) -> None:
    write_report.fn("drift/tiny.html", b"first")

    address = write_report.fn("drift/tiny.html", b"second")

    assert address == f"{store}/reports/drift/tiny.html"
    assert read_file(address) == b"second"


KILLED_WHILE_WRITING = """
import os, signal
from pathlib import Path
from tasks.data import storage
from tests.support import tiny_rows

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

{how}
storage.write_snapshot.fn(tiny_rows(30), tiny_rows(0))
"""


@pytest.mark.parametrize(
    "how", ["os.fsync = die", "Path.replace = die"], ids=["while writing", "before naming"]
)
def test_a_process_killed_while_writing_leaves_no_snapshot(home: Path, how: str) -> None:
    """Power can go at any moment; half a file must not carry a snapshot's name."""
    code = KILLED_WHILE_WRITING.format(how=how)

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)

    assert done.returncode == -signal.SIGKILL
    assert list(home.glob("snapshots/*.parquet")) == []
    assert write().rows == 30
    assert len(list(home.glob("snapshots/*.parquet"))) == 1


def test_a_write_that_fails_leaves_nothing_behind(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.fsync", raiser(OSError(28, "No space left on device")))

    with pytest.raises(UnavailableError, match="No space left on device"):
        write()

    assert [path for path in home.rglob("*") if path.is_file()] == []


def raiser(error: Exception) -> Callable[[object], None]:
    def fail(_: object) -> None:
        raise error

    return fail


@pytest.mark.s3
def test_a_large_snapshot_appears_in_a_bucket_when_all_of_it_is_there(
    s3_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its blocks are at least as large as S3 wants them."""
    monkeypatch.setattr("tasks.data.files.BLOCK_BYTES", 5 * 2**20)
    rows = pd.DataFrame({"level": np.random.default_rng(0).random(1_500_000)})
    table = store_table(rows)

    def fail(target: Any) -> None:
        del target
        raise OSError(5, "went away")

    with monkeypatch.context() as broken:
        broken.setattr("s3fs.core.S3File.commit", fail)
        with pytest.raises(UnavailableError, match="went away"):
            write_table(f"{s3_store}/rows.parquet", table)
    assert not is_stored(f"{s3_store}/rows.parquet")
    write_table(f"{s3_store}/rows.parquet", table)

    with open_table(f"{s3_store}/rows.parquet") as found:
        pd.testing.assert_series_equal(found["level"], rows["level"])


@pytest.mark.s3
@pytest.mark.usefixtures("s3_store")
def test_a_store_that_refuses_the_key_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    forget_connections()

    with pytest.raises(SourceError, match=r"^s3://driftline/.*access denied"):
        write()


@pytest.mark.usefixtures("home")
def test_a_store_that_does_not_answer_is_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTLINE_STORE_URL", "s3://bucket/prefix")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_ports(1)[0]}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    get_settings.cache_clear()
    forget_connections()

    with pytest.raises(UnavailableError, match=r"^s3://bucket/prefix/.*did not answer"):
        write()

    forget_connections()


def test_a_snapshot_is_found_by_the_beginning_of_its_digest(store: Store) -> None:
    del store
    digests = [write(), write(ROWS.head(20))]

    found = [find_snapshot.fn(one.sha256[:12].upper()) for one in digests]

    assert found == [one.sha256 for one in digests]
    assert find_snapshot.fn("ab" * 32) == "ab" * 32  # whole already: whoever reads it says more


@pytest.mark.parametrize(
    ("digest", "message"),
    [("", "wanted the SHA-256"), ("../x", "wanted the SHA-256"), ("f" * 60, "0 snapshots in")],
)
def test_what_names_no_one_snapshot_is_told(home: Path, digest: str, message: str) -> None:
    for name in ("a" * 64, "b" * 64):
        write_file(f"{home}/snapshots/{name}.parquet", b"")

    with pytest.raises(NotFoundError, match=message):
        find_snapshot.fn(digest)


@pytest.mark.usefixtures("store")
def test_a_snapshot_knows_where_its_rows_came_from_and_how_they_were_read() -> None:
    snapshot = write_snapshot.fn(ROWS, NONE, Origin("rows.csv", "semicolon, cp1252"))

    assert read_origin.fn(snapshot.sha256) == Origin("rows.csv", "semicolon, cp1252")
    assert find_snapshot.fn(snapshot.sha256[:12]) == snapshot.sha256


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("content", [None, b"{", b"[]", b"{}"])
def test_a_lost_or_damaged_origin_stops_nothing(content: bytes | None) -> None:
    snapshot = write()
    if content is not None:
        write_file(locate("snapshots", f"{snapshot.sha256}.json"), content)

    assert read_origin.fn(snapshot.sha256) == Origin("")

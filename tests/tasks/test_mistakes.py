"""What no waiting mends is told at once, by file or setting, and is not tried again."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from driftline.errors import DriftlineError, UnavailableError
from tasks.data.files import read_file, write_file
from tasks.decorators import io
from tasks.drafts import whole_file
from tasks.log.journal import read_journal
from tasks.log.records import open_records
from tasks.models.registry import read_holders
from tasks.reaching import reaching
from tasks.settings import get_settings
from tests.buckets import Bucket, forget_connections
from tests.permissions import bound_by_permissions
from tests.system.servers import DatabaseServer, start_mariadb, start_postgresql

VALUE = "Jane-Doe-1234"
Start = Callable[[], AbstractContextManager[DatabaseServer]]


def told_of(task: Any, *words: str) -> str:
    """The message of a mistake, which is not one that may pass."""
    with pytest.raises(DriftlineError) as caught:
        task.fn(*words) if hasattr(task, "fn") else task(*words)
    assert not isinstance(caught.value, UnavailableError), caught.value
    return str(caught.value)


def cut_short(path: Path) -> None:
    """Leave a database whose pages do not belong together."""
    with sqlite3.connect(path) as database:
        database.execute("create table filler as select hex(randomblob(9000)) as text")
    content = bytearray(path.read_bytes())
    content[100:4096] = b"\xff" * 3996
    path.write_bytes(content)


def test_a_file_or_folder_in_the_way_of_the_store_is_named_and_not_waited_for(home: Path) -> None:
    (home / "reports").write_text("a file")
    (home / "page.html").mkdir()

    in_the_way = told_of(write_file, str(home / "reports" / "new.html"), b"")
    no_file = told_of(read_file, str(home / "page.html"))

    assert in_the_way == f"{home}/reports: is a file, wanted a folder"
    assert no_file == f"{home}/page.html: is a folder, wanted a file"


def test_a_file_of_this_machine_that_may_not_be_read_is_not_blamed_on_a_bucket(home: Path) -> None:
    path = home / "page.html"
    path.touch()
    path.chmod(0)

    with bound_by_permissions():
        told = told_of(read_file, str(path))

    assert told == f"{path}: access denied; wanted one that this user may read and write"


def test_a_full_disk_is_named_with_the_file_and_may_pass(tmp_path: Path) -> None:
    path = tmp_path / "report.html"

    with pytest.raises(UnavailableError, match=rf"{path}: no room is left \(No space"):
        fill_disk(path)

    assert list(tmp_path.iterdir()) == []


def test_a_database_whose_disk_is_full_is_named_and_may_pass(home: Path) -> None:
    path = home / "predictions.db"

    @io(name="fill")
    def fill() -> None:
        with open_records().begin() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1")
            connection.exec_driver_sql("create table filler as select zeroblob(1000000) as bytes")

    with pytest.raises(UnavailableError) as raised:
        fill.fn()

    assert str(raised.value) == f"{path}: no room is left on its disk; wanted some"


def fill_disk(path: Path) -> None:
    """Write a file of the store onto a disk that is full."""
    with reaching(str(path)), whole_file(path) as draft:
        draft.symlink_to("/dev/full")
        draft.write_bytes(b"rows")


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"no database" * 99), cut_short])
def test_a_damaged_database_is_named_with_what_to_do(
    mlflow_home: Path, damage: Callable[[Path], None]
) -> None:
    for task, name in ((read_journal, "predictions.db"), (read_holders, "mlflow.db")):
        path = mlflow_home / name
        damage(path)

        told = told_of(task, "tiny")

        assert told.startswith(f"{path}: is damaged"), told
        assert "bring it back from a copy" in told


def test_a_database_that_is_a_folder_cannot_be_opened(home: Path) -> None:
    (home / "predictions.db").mkdir()

    assert "predictions.db: cannot be written or opened" in told_of(read_journal, "tiny")


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Point the settings at a database."""

    def point(url: str) -> None:
        monkeypatch.setenv("DRIFTLINE_DATABASE_URL", url)
        get_settings.cache_clear()

    yield point
    get_settings.cache_clear()


@pytest.mark.system
@pytest.mark.parametrize(
    "start",
    [
        pytest.param(start_postgresql, marks=pytest.mark.postgres),
        pytest.param(start_mariadb, marks=pytest.mark.mariadb),
    ],
)
def test_a_refused_login_is_called_so(start: Start, database: Callable[[str], None]) -> None:
    with start() as server:
        scheme, _, rest = server.create_database().partition("://")
        place = rest.rpartition("@")[2]
        database(f"{scheme}://nobody-here:{VALUE}@{place}")

        told = told_of(read_journal, "tiny")

    assert "DRIFTLINE_DATABASE_URL): the login was refused" in told
    assert VALUE not in told


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_an_unknown_host_is_called_so(scheme: str, database: Callable[[str], None]) -> None:
    database(f"{scheme}://someone:{VALUE}@nowhere.invalid/log")

    told = told_of(read_journal, "tiny")

    assert "DRIFTLINE_DATABASE_URL): its host is unknown" in told
    assert VALUE not in told


@pytest.mark.s3
@pytest.mark.parametrize(
    ("changes", "address", "words"),
    [
        ({"AWS_SECRET_ACCESS_KEY": VALUE}, "s3://driftline/x", "access denied"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "s3://driftline/x", "credentials"),
        ({}, "s3://Bad Bucket!/x", "not a name that a bucket can have"),
        ({"AWS_ENDPOINT_URL": "http://nowhere.invalid"}, "s3://driftline/x", "host is unknown"),
        ({"AWS_ENDPOINT_URL": "127.0.0.1:8333"}, "s3://driftline/x", "AWS_ENDPOINT_URL is no URL"),
    ],
)
def test_a_store_that_cannot_be_used_is_called_so(
    s3: Bucket,
    changes: dict[str, str],
    address: str,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert s3
    for name, value in changes.items():
        monkeypatch.setenv(name, value)
    forget_connections()

    told = told_of(read_file, address)

    assert told.startswith(f"{address}: ")
    assert words in told
    assert VALUE not in told

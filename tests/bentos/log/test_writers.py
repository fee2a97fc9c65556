"""The log as the service holds it: a spool, a shipper beside it, labels."""

import os
import resource
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import orjson
import pytest

from bentos.health.parts import Parts
from bentos.log.database import migrate, open_engine
from bentos.log.spool import SpoolWriter, list_segments
from bentos.log.writers import LATE_SECONDS, SPOOL, LogUnavailableError, SpoolLog
from tests.bentos.log.spooling import await_that, entry, ids_in


@pytest.fixture
def spool_log(spool: Path, url: str) -> Iterator[SpoolLog]:
    """A log with a shipper's process of its own."""
    log = SpoolLog(spool, url)
    yield log
    log.close()


def test_predictions_are_shipped_after_descriptors_ran_out_and_the_shipper_was_killed(
    spool: Path, url: str
) -> None:
    """Nothing can be started or handed over meanwhile, which the parts tell; it comes back."""
    parts = Parts(vital=frozenset({SPOOL}))
    log = SpoolLog(spool, url, parts=parts)
    with descriptors_used_up():
        kill(log)
        log.write(entry("a"))
        await_that(lambda: parts.read()["shipper"].why.startswith("cannot be started"))
        await_that(lambda: parts.read()[SPOOL].why.startswith("cannot be handed over"))
        status = parts.describe()["status"]

    await_that(lambda: parts.describe()["status"] == "ready")
    log.close()

    assert status == "degraded"
    assert ids_in(open_engine(url)) == ["a"]


@contextmanager
def descriptors_used_up() -> Iterator[None]:
    """Every descriptor that this process may have is taken."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 512), hard))
    taken: list[int] = []
    try:
        with suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        yield
    finally:
        for fd in taken:
            os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def kill(log: SpoolLog) -> None:
    """Kill a log's shipper."""
    assert log._shipper.pid is not None
    os.kill(log._shipper.pid, signal.SIGKILL)


def test_whatever_the_keeper_meets_it_goes_on_and_tells(
    spool: Path, url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    parts, hand_over, failed = Parts(), SpoolWriter.hand_over, threading.Event()

    def fail_once(writer: SpoolWriter) -> None:
        if not failed.is_set():
            failed.set()
            raise RuntimeError
        hand_over(writer)

    monkeypatch.setattr(SpoolWriter, "hand_over", fail_once)
    log = SpoolLog(spool, url, parts=parts)
    log.write(entry("a"))

    await_that(lambda: failed.is_set() and parts.read()["keeper"].health == "up")
    log.close()

    assert "the keeper could not do its work: RuntimeError" in caplog.text
    assert ids_in(open_engine(url)) == ["a"]


def test_predictions_that_wait_for_long_make_the_service_degraded_and_not_unready(
    spool: Path, tmp_path: Path
) -> None:
    blocked = tmp_path / "log.db"
    blocked.mkdir()
    spool.mkdir()
    long_ago = time.time_ns() - int((LATE_SECONDS + 60) * 1e9)
    (spool / f"{long_ago:020d}-a.jsonl").write_bytes(orjson.dumps(entry("a")) + b"\n")
    parts = Parts(vital=frozenset({SPOOL}))

    log = SpoolLog(spool, f"sqlite:///{blocked}", parts=parts)
    told = parts.describe()
    log.close()

    assert told["status"] == "degraded"
    assert told["parts"][SPOOL]["why"].startswith("predictions wait since")


def test_a_spool_that_takes_nothing_takes_the_readiness_with_it_until_it_does(
    tiny_disk: Path, tmp_path: Path
) -> None:
    """Nobody asks a service that is not ready, so it finds out by itself that there is room."""
    blocked = tmp_path / "log.db"
    blocked.mkdir()
    parts = Parts(vital=frozenset({SPOOL}))
    log = SpoolLog(tiny_disk / "spool", f"sqlite:///{blocked}", parts=parts)
    ballast = tiny_disk / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 1024)
    with suppress(LogUnavailableError):
        for number in range(1000):
            log.write(entry(f"{number}"))

    refused = parts.describe()
    ballast.unlink()
    await_that(lambda: parts.describe()["status"] != "not_ready")
    log.write(entry("again"))
    log.close()

    assert refused["status"] == "not_ready"
    assert refused["parts"][SPOOL]["state"] == "down"


def test_the_log_ships_by_itself(spool_log: SpoolLog, url: str) -> None:
    spool_log.write(entry("a"))

    await_that(lambda: Path(url.removeprefix("sqlite:///")).exists())
    await_that(lambda: spool_log.label("a", "ill") != "unknown")

    assert ids_in(open_engine(url)) == ["a"]
    assert spool_log.label("a", "ill") == "same"
    assert spool_log.label("nobody", "ill") == "unknown"


def test_a_label_waits_for_its_prediction_to_arrive(spool_log: SpoolLog, url: str) -> None:
    migrate(open_engine(url))
    for i in range(3):
        spool_log.write(entry(f"{i}"))

        assert spool_log.label(f"{i}", "ill") == "added"


def test_a_closed_log_has_shipped_everything_and_takes_no_more(
    spool_log: SpoolLog, spool: Path, url: str
) -> None:
    for i in range(100):
        spool_log.write(entry(f"{i}"))

    spool_log.close()

    assert Counter(ids_in(open_engine(url))) == {f"{i}": 1 for i in range(100)}
    assert list_segments(spool) == []
    with pytest.raises(LogUnavailableError):
        spool_log.write(entry("late"))


def test_a_shipper_that_was_killed_is_followed_by_another(spool_log: SpoolLog, url: str) -> None:
    spool_log.write(entry("a"))
    await_that(lambda: Path(url.removeprefix("sqlite:///")).exists())
    kill(spool_log)

    spool_log.write(entry("b"))

    migrate(open_engine(url))
    await_that(lambda: sorted(ids_in(open_engine(url))) == ["a", "b"])


def test_a_label_cannot_be_kept_while_the_database_is_away(spool: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "log.db"
    blocked.mkdir()
    log = SpoolLog(spool, f"sqlite:///{blocked}")

    log.write(entry("a"))
    with pytest.raises(LogUnavailableError):
        log.label("a", "ill")

    log.close()

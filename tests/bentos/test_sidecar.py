"""Processes beside the service: started again where they end, heard where they tell."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bentos import sidecar as sidecar_module
from bentos.health.parts import Parts
from bentos.sidecar import Sidecar

SECONDS = 120.0


def keep_until(sidecar: Sidecar, is_so: Callable[[], bool]) -> None:
    """Keep it as the service does."""
    give_up = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < give_up, "it did not come about in time"
        sidecar.keep()
        time.sleep(0.05)


def test_one_that_ends_is_started_again_and_told_meanwhile(tmp_path: Path) -> None:
    parts = Parts()
    sidecar = Sidecar("shipper", "bentos.log.shipper", str(tmp_path), parts=parts)
    sidecar.keep()
    first = sidecar.pid
    assert first is not None

    os.kill(first, signal.SIGKILL)
    keep_until(sidecar, lambda: parts.read()["shipper"].why == "ended with -9")
    keep_until(sidecar, lambda: sidecar.pid != first)

    assert parts.read()["shipper"].health == "up"
    sidecar.finish(SECONDS)


def test_one_that_ends_at_once_is_started_ever_more_rarely(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    starts: list[str] = []
    clock = [1000.0]
    start = sidecar_module.start_sidecar

    def count(*words: str) -> object:
        starts.append(words[0])
        return start(*words)

    monkeypatch.setattr(sidecar_module, "start_sidecar", count)
    monkeypatch.setattr(sidecar_module.time, "monotonic", lambda: clock[0])
    sidecar = Sidecar("nothing", "bentos.nothing_of_this_name", parts=Parts())
    when: list[float] = []
    for _ in range(20):  # seconds
        before = len(starts)
        sidecar.keep()
        if len(starts) > before:
            when.append(clock[0] - 1000.0)
            assert sidecar._process is not None
            sidecar._process.wait()
        clock[0] += 1.0

    assert when == [0.0, 1.0, 3.0, 7.0, 15.0]


def test_the_service_hears_what_keeps_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shipper whose database is away, and comes back."""
    blocked, parts = tmp_path / "log.db", Parts()
    blocked.mkdir()
    monkeypatch.setenv("DRIFTLINE_DATABASE_URL", f"sqlite:///{blocked}")
    sidecar = Sidecar("shipper", "bentos.log.shipper", str(tmp_path / "spool"), parts=parts)

    def is_told(health: str, why: str) -> bool:
        part = parts.read().get("shipper")
        return part is not None and part.health == health and part.why.startswith(why)

    keep_until(sidecar, lambda: is_told("degraded", "log.db: cannot be written or opened"))
    blocked.rmdir()
    keep_until(sidecar, lambda: is_told("up", ""))
    sidecar.finish(SECONDS)

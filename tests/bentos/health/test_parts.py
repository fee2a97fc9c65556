"""What is told of the parts of a service, and that none of them ends unnoticed."""

import json
import threading
from collections.abc import Callable

import pytest

from bentos.api import Api
from bentos.health import parts as parts_module
from bentos.health.parts import Parts, attempt, keep_going
from bentos.http.hotpath import HotPath
from tests.bentos.clients import Client, call, fallback


@pytest.fixture
def hot_path(api: Api) -> HotPath:
    """The hot path over the tiny model, without which part `spool` nothing can be answered."""
    path = HotPath()
    path.api, path.fallback, path.parts = api, fallback, Parts(vital=frozenset({"spool"}))
    return path


def readiness(path: HotPath) -> tuple[int, dict[str, object]]:
    """Status and body of `/readyz`."""
    client = call(path, Client([]), "/readyz", "GET")
    return client.status, json.loads(client.body)


@pytest.mark.parametrize(
    ("part", "health", "status", "told"),
    [
        ("spool", "up", 200, "ready"),
        ("spool", "degraded", 200, "degraded"),
        ("spool", "down", 503, "not_ready"),
        ("shipper", "down", 200, "degraded"),
        ("follower", "down", 200, "degraded"),
    ],
)
def test_only_what_answers_cannot_do_without_takes_the_readiness_with_it(
    hot_path: HotPath, part: str, health: parts_module.Health, status: int, told: str
) -> None:
    assert hot_path.parts is not None
    hot_path.parts.report("keeper", "up")
    hot_path.parts.report(part, health, "as told")

    answered, body = readiness(hot_path)

    assert (answered, body["status"]) == (status, told)
    assert set(body["parts"]) == {"keeper", part}  # type: ignore[call-overload]
    assert body["parts"][part]["state"] == health  # type: ignore[index]
    assert body["parts"][part]["why"] == "as told"  # type: ignore[index]


def test_without_a_model_it_is_not_ready_whatever_its_parts(hot_path: HotPath) -> None:
    hot_path.api = None

    assert readiness(hot_path) == (503, {"status": "not_ready", "parts": {}})


def test_since_moves_only_where_the_state_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([100.0, 200.0, 300.0])
    monkeypatch.setattr(parts_module.time, "time", lambda: next(clock))
    parts = Parts()

    seen = []
    for health in ("up", "up", "down", "up"):
        parts.report("a", health)  # type: ignore[arg-type]
        seen.append(parts.read()["a"].since)

    assert seen == [100.0, 100.0, 200.0, 300.0]


def test_a_part_that_is_not_heard_of_any_more_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = Parts(vital=frozenset({"a"}))
    parts.report("a", "up")
    monkeypatch.setattr(parts_module, "GOOD_SECONDS", -1.0)

    assert parts.read()["a"].health == "silent"
    assert parts.describe()["status"] == "degraded"


class Waits:
    """Ends a loop after so many rounds, and keeps how long it would have waited."""

    def __init__(self, rounds: int) -> None:
        """Say how many."""
        self._left = rounds
        self.pauses: list[float] = []

    def __call__(self, seconds: float) -> bool:
        self.pauses.append(seconds)
        self._left -= 1
        return self._left < 0


def failing(*errors: BaseException | None) -> Callable[[], None]:
    """Work that raises these in turn."""
    left = list(errors)

    def work() -> None:
        error = left.pop(0)
        if error is not None:
            raise error

    return work


def test_whatever_is_raised_is_tried_again_after_growing_pauses(
    caplog: pytest.LogCaptureFixture,
) -> None:
    parts, waits = Parts(), Waits(5)
    errors = (MemoryError(), OSError(24, "secret"), ValueError(), None, None)

    keep_going(parts, "follower", failing(*errors), seconds=1.0, is_over=waits)

    assert waits.pauses == [1.0, 2.0, 4.0, 8.0, 1.0, 1.0]
    assert parts.read()["follower"].health == "up"
    assert [record.getMessage() for record in caplog.records] == [
        "the follower could not do its work: MemoryError"
    ]


def test_pauses_do_not_grow_without_end() -> None:
    waits = Waits(2000)

    keep_going(Parts(), "a", failing(*[OSError()] * 2000), seconds=1.0, is_over=waits)

    assert max(waits.pauses) == parts_module.LONGEST_PAUSE_SECONDS


def test_reports_from_many_threads_are_all_kept() -> None:
    parts = Parts()
    threads = [
        threading.Thread(target=attempt, args=(parts, f"{name}", failing(None)))
        for name in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(parts.read()) == {f"{name}" for name in range(20)}

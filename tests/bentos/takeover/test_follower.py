"""A running service and the pointer that it follows."""

import json
import threading
from itertools import pairwise
from pathlib import Path

import pytest

from bentos.api import Api
from bentos.health.parts import Parts
from bentos.http.hotpath import HotPath
from bentos.predictor import Predictor
from bentos.takeover import follower, shelf
from bentos.takeover.attempts import Trouble, write_trouble
from bentos.takeover.follower import Follower
from tests.bentos.clients import Client, call, fallback
from tests.bentos.takeover.shelving import (
    Clock,
    Taken,
    follow,
    make_bento,
    no_folder,
    no_onnx,
    shelve,
)

KEY = "k" * 32
OTHER_KEY = "o" * 32
PAUSE = 3600.0  # longer than any between two attempts


def test_a_service_takes_over_what_the_pointer_comes_to_name(machine: Path) -> None:
    follower, taken = follow(machine)
    follower.look()
    shelve("2")
    follower.look()
    follower.look()
    shelve("3")
    follower.look()

    assert taken == ["2", "3"]
    assert follower.trouble is None


def test_a_service_started_with_an_old_model_takes_over_at_once(machine: Path) -> None:
    shelve("2")
    follower, taken = follow(machine)

    follower.look()

    assert taken == ["2"]


def test_the_model_that_it_was_started_with_is_not_loaded_again(machine: Path) -> None:
    shelve("1")
    follower, taken = follow(machine)

    follower.look()

    assert taken == []


def test_it_comes_back_to_the_model_before(machine: Path) -> None:
    follower, taken = follow(machine)
    first, _ = shelve("1"), follower.look()
    shelve("2")
    follower.look()
    shelf.write_pointer("tiny", first)
    follower.look()

    assert taken == ["2", "1"]


def test_a_folder_that_is_away_for_a_moment_is_tried_again(machine: Path) -> None:
    clock = Clock()
    follower, taken = follow(machine, clock)
    folder = shelf.place_of(shelve("2").tag)
    folder.rename(machine / "away")
    follower.look()
    (machine / "away").rename(folder)
    follower.look()
    assert taken == []  # its time has not come

    clock.seconds += PAUSE
    follower.look()

    assert taken == ["2"]
    assert follower.trouble is None


def test_each_failure_waits_longer_up_to_a_bound_and_is_told_once(
    machine: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    follower, _ = follow(machine, clock)
    no_folder(shelve("2"))
    tried = []
    for _ in range(400):
        before = follower.trouble
        follower.look()
        if follower.trouble != before:
            tried.append(clock.seconds)
        clock.seconds += 1.0

    pauses = [later - earlier for earlier, later in pairwise(tried)]
    assert pauses == sorted(pauses)
    assert pauses[0] < pauses[-1] == pauses[-2] < 60
    assert len(caplog.records) == 1


def test_whatever_taking_over_raises_the_thread_lives_on(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "FOLLOW_SECONDS", 0.01)
    monkeypatch.delenv("DRIFTLINE_STORE_URL")
    taken: list[str] = []
    is_taken, clock = threading.Event(), Clock()

    def take_over(predictor: Predictor) -> None:
        taken.append(predictor.contract.model_version)
        if len(taken) == 1:
            raise MemoryError
        is_taken.set()

    make_bento("1", machine / "beside")
    one = Follower("tiny", machine / "beside" / "src", take_over, clock=clock)
    one.start()
    shelve("2")
    while one.trouble is None:
        assert not is_taken.wait(0.01)
    assert one.trouble.why == "it cannot be loaded (MemoryError)"
    clock.seconds += PAUSE

    assert is_taken.wait(60)
    one.stop()
    assert taken == ["2", "2"]


def test_a_pointer_that_cannot_be_read_stops_nothing(machine: Path) -> None:
    follower, taken = follow(machine)
    shelve("2")
    pointer = shelf.pointer_file("tiny")
    whole = pointer.read_bytes()
    for broken in (b"", b"[]", b'{"tag"', b"{}", b"\xff", b"[" * 100_000, b'{"tag": null}'):
        pointer.write_bytes(broken)
        follower.look()
        assert follower.trouble is not None
        assert follower.trouble.version == "unknown"
    pointer.write_bytes(whole)
    follower.look()

    assert taken == ["2"]


@pytest.mark.parametrize(
    ("signed_with", "why"),
    [
        ("", "not signed, and DRIFTLINE_SIGNING_KEY is set"),
        (OTHER_KEY, "signed with another key"),
        (KEY, ""),
    ],
)
def test_with_a_key_only_what_was_signed_with_it_is_taken_over(
    machine: Path, monkeypatch: pytest.MonkeyPatch, signed_with: str, why: str
) -> None:
    monkeypatch.setenv("DRIFTLINE_SIGNING_KEY", KEY)
    follower, taken = follow(machine)
    shelve("2", key=signed_with)

    follower.look()

    assert taken == ([] if why else ["2"])
    assert why in str(follower.trouble)


def test_without_a_key_signatures_are_not_asked_for(machine: Path) -> None:
    follower, taken = follow(machine)
    shelve("2", key=KEY)

    follower.look()

    assert taken == ["2"]


def test_what_the_courier_could_not_bring_is_told_too(machine: Path) -> None:
    follower, _ = follow(machine)
    trouble = Trouble("2", "the archive is damaged", 3)
    write_trouble("tiny", trouble)
    told = follower.trouble
    write_trouble("tiny", None)

    assert told == trouble
    assert follower.trouble is None


def test_whoever_asks_whether_the_service_is_ready_is_told(machine: Path, api: Api) -> None:
    """It is, as long as it answers with a model; which version it lacks stands in the detail."""
    hot_path = HotPath()
    hot_path.api, hot_path.fallback = api, fallback
    make_bento("1", machine / "beside")
    hot_path.parts = Parts()
    one = Follower("tiny", machine / "beside" / "src", Taken(), parts=hot_path.parts)
    no_onnx(shelve("2"))
    one.look()
    degraded = call(hot_path, Client([]), "/readyz", "GET")
    shelve("3")
    one.look()
    ready = call(hot_path, Client([]), "/readyz", "GET")

    why = "version 2 could not be taken over: src/model.onnx: is missing"
    assert (degraded.status, told_of(degraded)) == (200, ("degraded", "degraded", why))
    assert (ready.status, told_of(ready)) == (200, ("ready", "up", ""))


def told_of(reply: Client) -> tuple[str, str, str]:
    """What `/readyz` says of the whole and of the take-over."""
    document = json.loads(reply.body)
    part = document["parts"]["takeover"]
    return document["status"], part["state"], part.get("why", "")

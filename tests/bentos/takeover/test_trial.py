"""A running service and the split that it follows: whatever is wrong, the champion answers all."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bentos.arms import Arms
from bentos.health.parts import Parts
from bentos.takeover import content, shelf
from bentos.takeover.attempts import read_trouble
from bentos.takeover.courier import TRIAL, Courier, TrialCourier
from bentos.takeover.split import (
    NO_TRIAL,
    Split,
    format_split,
    read_split,
    split_file,
    split_in_store,
    write_split,
)
from bentos.takeover.trial import TrialFollower
from tests.bentos.takeover.shelving import Clock, edit_contract, share, shelve, tiny_model

pytestmark = pytest.mark.usefixtures("machine")

KEY = "k" * 32
PAUSE = 3600.0  # longer than any between two attempts


class Heard(list[tuple[str, float] | None]):
    """What the service was told, in order: version and share, or that the champion answers all."""

    def __call__(self, arms: Arms | None) -> None:
        self.append(arms and (arms.contender.contract.model_version, arms.share))


def follow(clock: Clock | None = None) -> tuple[TrialFollower, Heard, Parts]:
    """A service that answers with version 7."""
    heard, parts = Heard(), Parts()
    champion = tiny_model()[0]
    follower = TrialFollower("tiny", lambda: champion, heard, parts=parts, clock=clock or Clock())
    return follower, heard, parts


def begin(version: str = "8", split_share: float = 0.2, key: str = "") -> Split:
    """Set a version beside the champion on this machine."""
    split = Split(shelve(version, key=key), "7", split_share, "5a" * 16)
    write_split("tiny", split)
    return split


def told(parts: Parts) -> tuple[str, str] | None:
    """What `/readyz` says of the trial."""
    part = parts.read().get("trial")
    return part and (part.health, part.why)


def test_a_trial_begins_goes_on_and_ends_with_its_file() -> None:
    follower, heard, parts = follow()
    follower.look()
    assert told(parts) is None  # there has been none

    begin()
    follower.look()
    follower.look()
    write_split("tiny", None)
    follower.look()

    assert heard == [("8", 0.2), None]
    assert told(parts) == ("up", "")


def test_another_share_takes_its_place() -> None:
    follower, heard, _ = follow()
    split = begin()
    follower.look()
    write_split("tiny", replace(split, share=0.4))
    follower.look()

    assert heard == [("8", 0.2), None, ("8", 0.4)]


def no_bento(split: Split) -> None:
    """No bento."""
    shelf.place_of(split.pointer.tag).rename(shelf.bentoml_home() / "away")


def edited_contract(split: Split) -> None:
    """Another threshold, beside the right ONNX file."""
    edit_contract(shelf.place_of(split.pointer.tag), threshold=0.999999)


def no_json(_split: Split) -> None:
    """Half a file."""
    split_file("tiny").write_bytes(b'{"pointer": {')


def all_of_it(split: Split) -> None:
    """A share that leaves the champion nothing."""
    split_file("tiny").write_bytes(format_split(replace(split, share=1.0)))


def no_salt(split: Split) -> None:
    """Nothing that keys the hash."""
    split_file("tiny").write_bytes(format_split(replace(split, salt="")))


def other_problem(split: Split) -> None:
    """A pointer to a bento of another problem."""
    named = replace(split.pointer, tag=split.pointer.tag.replace("tiny", "other"))
    split_file("tiny").write_bytes(format_split(replace(split, pointer=named)))


HARMS = {
    no_bento: "SHA256SUMS: is missing",
    edited_contract: "contract.json: got SHA-256",
    no_json: "the trial's split cannot be read",
    all_of_it: "wanted a share above 0 and below 1",
    no_salt: "wanted champion, salt and field as text",
    other_problem: "a bento of another problem than tiny",
}


@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__)
def test_with_a_broken_contender_the_champion_answers_all_and_readiness_tells_it(
    harm: Callable[[Split], None], caplog: pytest.LogCaptureFixture
) -> None:
    follower, heard, parts = follow()
    harm(begin())

    follower.look()

    state, why = told(parts) or ("", "")
    assert heard == []
    assert state == "degraded"
    assert why.startswith("the champion answers all: ")
    assert HARMS[harm] in why
    assert HARMS[harm] in caplog.text


def test_a_running_trial_stops_where_its_split_can_be_read_no_more() -> None:
    follower, heard, _ = follow()
    no_json(begin())
    follower.look()
    begin()
    follower.look()
    no_json(begin())
    follower.look()

    assert heard == [("8", 0.2), None]


def test_a_bento_that_comes_late_is_tried_again() -> None:
    clock = Clock()
    follower, heard, parts = follow(clock)
    split = begin()
    no_bento(split)
    follower.look()
    (shelf.bentoml_home() / "away").rename(shelf.place_of(split.pointer.tag))
    follower.look()
    assert heard == []  # its time has not come

    clock.seconds += PAUSE
    follower.look()

    assert heard == [("8", 0.2)]
    assert told(parts) == ("up", "")


@pytest.mark.parametrize(("signed_with", "heard_of"), [("", []), (KEY, [("8", 0.2)])])
def test_with_a_key_only_a_signed_contender_takes_part(
    monkeypatch: pytest.MonkeyPatch, signed_with: str, heard_of: list[object]
) -> None:
    monkeypatch.setenv("DRIFTLINE_SIGNING_KEY", KEY)
    follower, heard, _ = follow()
    begin(key=signed_with)

    follower.look()

    assert heard == heard_of


def test_a_trial_against_another_champion_is_told() -> None:
    heard, parts = Heard(), Parts()
    champion = replace(tiny_model()[0], model_version="9")
    follower = TrialFollower("tiny", lambda: champion, heard, parts=parts)
    begin()

    follower.look()

    why = "the champion answers all: it is not the one that the trial is against"
    assert told(parts) == ("degraded", why)


def in_store(machine: Path, split: Split | None) -> None:
    """What the store says of a trial."""
    place = machine / "store" / split_in_store("tiny")
    place.write_bytes(NO_TRIAL if split is None else format_split(split))


def test_the_courier_brings_a_contender_beside_the_champion_and_takes_the_trial_away(
    machine: Path,
) -> None:
    store = str(machine / "store")
    contender = share(machine / "store", "8")
    champion = share(machine / "store", "7")
    split = Split(contender, "7", 0.2, "5a" * 16)
    in_store(machine, split)
    courier = TrialCourier(store, "tiny", clock=Clock())
    Courier(store, "tiny", tell=lambda *_: None).look()
    courier.look()

    brought = read_split("tiny")
    in_store(machine, None)
    courier.look()

    assert brought == split
    assert content.check_bento(shelf.place_of(contender.tag)) == contender.sha256
    assert shelf.read_pointer("tiny") == champion
    assert read_split("tiny") is None


def test_a_damaged_contender_in_the_store_is_told_and_costs_the_champion_nothing(
    machine: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = str(machine / "store")
    contender = share(machine / "store", "8")
    (machine / "store" / shelf.archive_in_store(contender.tag)).write_bytes(b"no archive")
    in_store(machine, Split(contender, "7", 0.2, "5a" * 16))
    courier = TrialCourier(store, "tiny", clock=Clock())

    with caplog.at_level(logging.WARNING):
        courier.look()

    follower, heard, parts = follow()
    follower.look()
    trouble = read_trouble(f"tiny{TRIAL}")
    assert trouble is not None
    assert trouble.why.startswith("archive: got SHA-256")
    assert told(parts) == ("degraded", f"the champion answers all: {trouble}")
    assert heard == []

"""Whether sweeps go on, and whom they could not look after, is told once."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tasks.server.heartbeat import (
    Failure,
    expect_no_sweep,
    expect_sweep,
    read_heartbeat,
    record_sweep,
    tell_if_overdue,
)
from tests.receivers import HttpReceiver, http_receiver

PAST, FUTURE = timedelta(seconds=-1), timedelta(minutes=5)
BROKEN = Failure("data/problems/tiny.yaml: goal: missing", may_pass=False)
AWAY = Failure("the database did not answer", may_pass=True)


@pytest.fixture
def told(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpReceiver]:
    """What people are told."""
    del home
    with http_receiver() as receiver:
        monkeypatch.setenv("DRIFTLINE_NOTIFY_WEBHOOK", receiver.url)
        yield receiver


def test_sweeps_that_stop_are_told_once_until_they_go_on(told: HttpReceiver) -> None:
    record_sweep({}, next_within=PAST)
    looks = [tell_if_overdue(), tell_if_overdue()]
    expect_sweep(PAST)  # the sweeper is started again, in vain
    looks.append(tell_if_overdue())
    told_first = len(told.texts)
    record_sweep({}, next_within=FUTURE)
    looks.append(tell_if_overdue())
    record_sweep({}, next_within=PAST)
    looks.append(tell_if_overdue())

    assert looks == [True, True, True, False, True]
    assert (told_first, len(told.texts)) == (1, 2)
    assert "nobody looks any more" in told.texts[0]


def test_nobody_misses_a_sweep_of_a_system_that_was_stopped_or_never_began(
    told: HttpReceiver,
) -> None:
    looks = [tell_if_overdue()]
    record_sweep({}, next_within=PAST)
    expect_no_sweep()
    looks.append(tell_if_overdue())

    assert looks == [False, False]
    assert told.texts == []


def test_a_sweep_by_hand_neither_calls_for_a_next_one_nor_makes_up_for_those_due(
    home: Path,
) -> None:
    del home
    record_sweep({}, next_within=None)
    by_hand = read_heartbeat()
    record_sweep({}, next_within=FUTURE)
    due_by = read_heartbeat().due_by
    record_sweep({}, next_within=None)

    assert by_hand.swept_at
    assert by_hand.due_by == ""
    assert read_heartbeat().due_by == due_by != ""


def test_a_problem_that_is_broken_is_told_once_and_again_when_it_breaks_otherwise(
    told: HttpReceiver,
) -> None:
    for failures in ({"tiny": BROKEN}, {"tiny": BROKEN}, {}, {"tiny": BROKEN}):
        record_sweep(failures, next_within=FUTURE)
    record_sweep({"tiny": Failure("another", may_pass=False)}, next_within=FUTURE)

    assert [text.splitlines()[1] for text in told.texts] == [
        "- data/problems/tiny.yaml: goal: missing",
        "- data/problems/tiny.yaml: goal: missing",
        "- another",
    ]
    assert told.texts[0].startswith("*Driftline, tiny: the problem cannot be looked after")


def test_what_may_pass_is_told_when_it_has_not_passed_in_three_sweeps(told: HttpReceiver) -> None:
    counts = []
    for _ in range(4):
        record_sweep({"tiny": AWAY}, next_within=FUTURE)
        counts.append(len(told.texts))

    assert counts == [0, 0, 1, 1]


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"failures": {"a": 2}}', '{"due_by": "soon", "failures": {}}']
)
def test_a_file_that_cannot_be_read_counts_as_none(home: Path, content: str) -> None:
    (home / "sweep.json").write_text(content)

    record_sweep({}, next_within=FUTURE)

    assert read_heartbeat().swept_at

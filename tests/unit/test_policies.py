from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from driftline.cleaning import clean
from driftline.history import History, Renewed, cut_history, renew_at
from driftline.policies import Careful, Fixed, Flagged, Release
from driftline.promise import Recipe
from driftline.regret import choose_setting, make_yardstick, recommend, try_settings
from driftline.replay import Look, Replay
from driftline.verdicts import name_of
from tests.support import make_problem, tiny_rows

WINDOWS, ROWS = 8, 800
LEARNT = Recipe("logistic_regression", {"C": 1.0})


def flipped_rows() -> pd.DataFrame:
    """From the middle on, `level` means the opposite."""
    rows = tiny_rows(ROWS)
    rows.loc[ROWS // 2 :, "outcome"] = 1 - rows.loc[ROWS // 2 :, "outcome"]
    return rows


@cache
def learnt(*, is_flipped: bool) -> tuple[History, list[Renewed]]:
    rows = flipped_rows() if is_flipped else tiny_rows(ROWS)
    problem = make_problem(gates=[])
    table = clean(rows, problem, source="rows", with_target=True).table
    history = cut_history(table, problem, windows=WINDOWS)
    return history, [renew_at(history, window, LEARNT) for window in range(WINDOWS)]


def lived(*, is_flipped: bool, delay: int = 0) -> Replay:
    return Replay(*learnt(is_flipped=is_flipped), delay=delay)


def no_faults(champion: int, window: int) -> tuple[str, ...]:
    del champion, window
    return ()


def careful(replay: Replay, inspect=no_faults, release: Release = "next") -> Careful:  # type: ignore[no-untyped-def] # noqa: ANN001
    return Careful(replay, replay.history.problem.drift, inspect, release=release)


@pytest.mark.slow
def test_never_trains_nothing_and_no_gate_lets_everything_through() -> None:
    replay = lived(is_flipped=True)

    never = replay.run(Fixed("never", 0))
    blind = replay.run(Fixed("blind", 1, is_gated=False))

    assert never.count("full") == never.promotions == 0
    assert {step.champion for step in never.steps} == {0}
    assert blind.promotions == WINDOWS - 1
    assert [step.champion for step in blind.steps] == list(range(WINDOWS - 1))


@pytest.mark.slow
def test_the_gate_keeps_out_what_is_not_better() -> None:
    replay = lived(is_flipped=False)

    gated = replay.run(Fixed("always", 1))

    assert gated.promotions < gated.count("full") == WINDOWS - 1


@pytest.mark.slow
def test_labels_that_come_later_teach_later() -> None:
    replay = lived(is_flipped=True, delay=2)

    blind = replay.run(Fixed("blind", 1, is_gated=False))

    assert [step.champion for step in blind.steps] == [0, 0, 0, 1, 2, 3, 4]
    assert [step.trained is not None for step in blind.steps] == [False] * 2 + [True] * 5


@pytest.mark.slow
def test_no_policy_beats_hindsight() -> None:
    replay = lived(is_flipped=True)
    never, always = replay.run(Fixed("never", 0)), replay.run(Fixed("always", 1))

    yardstick = make_yardstick(replay, never, always)

    for course in (never, always, replay.run(careful(replay))):
        outcome = yardstick.measure(course)
        assert outcome.regret >= outcome.regret_as_many >= -1e-12


@pytest.mark.slow
def test_a_change_that_harms_is_answered() -> None:
    replay = lived(is_flipped=True)

    course = replay.run(careful(replay))

    after = [step for step in course.steps if step.window >= WINDOWS // 2]
    assert any(step.promoted for step in after[:2])
    assert not any(step.trained for step in course.steps[: WINDOWS // 2 - 1])
    assert course.loss < replay.run(Fixed("never", 0)).loss


@pytest.mark.slow
def test_a_quarantine_trains_nothing_and_is_told_once() -> None:
    replay = lived(is_flipped=True)
    fault = "level: looks like another unit (times 9.5)"

    course = replay.run(careful(replay, lambda _, window: (fault,) if window >= 4 else ()))

    verdicts = [step.verdict for step in course.steps]
    assert verdicts.count("quarantine") == 1
    assert (course.steps[3].verdict, course.steps[3].trained) == ("quarantine", None)
    assert course.steps[4].promoted  # released: its labels count now


@pytest.mark.slow
def test_what_nobody_releases_is_never_judged() -> None:
    replay = lived(is_flipped=True)

    course = replay.run(
        careful(replay, lambda _, window: ("level: stuck",) if window >= 4 else (), "never")
    )

    assert {step.verdict for step in course.steps[3:]} == {"quarantine"}
    assert not any(step.trained for step in course.steps)


@pytest.mark.slow
@pytest.mark.parametrize(("release", "unjudged"), [("next", 0), ("never", ROWS // WINDOWS)])
def test_labels_of_a_quarantine_count_once_it_is_released(release: Release, unjudged: int) -> None:
    replay = lived(is_flipped=False)
    policy = careful(replay, lambda _, window: ("level: stuck",) if window == 4 else (), release)

    course = replay.run(policy)

    assert not course.promotions
    assert policy.standing.rows == ROWS - ROWS // WINDOWS - unjudged


@pytest.mark.slow
def test_a_flag_trains_once_there_is_something_to_learn() -> None:
    replay = lived(is_flipped=True, delay=3)
    asked: list[Look] = []

    course = replay.run(Flagged("flag", lambda look: not asked.append(look)))

    assert [look.labelled for look in asked] == [look.window - 3 for look in asked]
    assert sum(step.trained is not None for step in course.steps) == len(asked)


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("age: times 3.2 of it", "age: times 9 of it", True),
        ("age: stuck at one value", "level: stuck at one value", False),
        ("age: stuck at one value", "age: +12% more values missing", False),
    ],
)
def test_a_finding_is_the_same_whatever_its_figures(one: str, other: str, is_same: bool) -> None:
    assert (name_of(one) == name_of(other)) == is_same


@pytest.mark.slow
def test_the_problems_own_setting_comes_first_and_the_words_say_what_was_chosen_on() -> None:
    replay = lived(is_flipped=True)
    never, always = replay.run(Fixed("never", 0)), replay.run(Fixed("always", 1))
    yardstick = make_yardstick(replay, never, always)

    settings = try_settings(replay, no_faults, yardstick, release="next")

    own = replay.history.problem.drift
    assert (settings[0].cost, settings[0].pace) == (own.cost, own.pace)
    words = recommend(settings, yardstick)
    assert "of what retraining every window saves" in words
    if choose_setting(settings) is not settings[0]:
        assert "on this very history" in words


@pytest.mark.slow
def test_where_nothing_is_to_be_gained_nothing_is_tuned() -> None:
    replay = lived(is_flipped=False)
    never, always = replay.run(Fixed("never", 0)), replay.run(Fixed("always", 1))
    yardstick = replace(make_yardstick(replay, never, always), noise=np.inf)

    settings = try_settings(replay, no_faults, yardstick, release="next")

    assert "nothing beyond noise" in recommend(settings, yardstick)

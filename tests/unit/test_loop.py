"""What a problem file says of when its flows run."""

from typing import Any

import pytest

from driftline.errors import ProblemError
from tests.support import make_problem


def test_a_problem_that_says_nothing_trains_each_week_and_is_judged_each_day() -> None:
    loop = make_problem().loop

    assert (loop.schedules.train, loop.schedules.monitor) == ("0 3 * * 1", "0 5 * * *")
    assert loop.schedules.pipeline is None
    assert (loop.retrain, loop.runs_at_once) == ("at_once", 1)


def test_a_schedule_may_be_another_or_none() -> None:
    loop = make_problem(loop={"schedules": {"train": None, "monitor": " 15  4 * * mon-fri "}}).loop

    assert loop.schedules.train is None
    assert loop.schedules.monitor == "15 4 * * mon-fri"


@pytest.mark.parametrize(
    ("loop", "message"),
    [
        (
            {"schedules": {"train": "weekly"}},
            "loop.schedules.train: got 'weekly', wanted a cron of five fields",
        ),
        (
            {"schedules": {"train": "0 25 * * *"}},
            "loop.schedules.train: got '25' as hour of '0 25 * * *', wanted 0 to 23",
        ),
        ({"schedules": {"retrain": "0 3 * * *"}}, "loop.schedules.retrain: unknown key"),
        ({"runs_at_once": 0}, "loop.runs_at_once: got 0, wanted: "),
        ({"retrain": "never"}, "loop.retrain: got 'never', wanted: 'at_once' or 'scheduled'"),
        (
            {"retrain": "scheduled", "schedules": {"train": None}},
            "loop: retrain: got 'scheduled', wanted a cron under schedules.train",
        ),
    ],
)
def test_a_mistake_is_named_with_its_key(loop: dict[str, Any], message: str) -> None:
    with pytest.raises(ProblemError) as raised:
        make_problem(loop=loop)

    assert str(raised.value).startswith(f"data/problems/tiny.yaml: {message}")

"""Rows of before: of the same time a period earlier, or the latest, and sound."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from bentos.log.tables import PREDICTIONS
from driftline.problem import Problem
from tasks.log import seasons
from tasks.log.records import open_records
from tests.support import make_problem
from tests.tasks.log.test_predictions import judge, predict, read


def predict_ago(problem: Problem, names: list[str], days: float) -> None:
    """Log predictions that were answered so many days ago."""
    predict(problem, names)
    then = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=days)
    with open_records().begin() as connection:
        mine = update(PREDICTIONS).where(PREDICTIONS.c.id.in_(names))
        connection.execute(mine.values(answered_at=then))


def test_the_season_before_is_a_period_earlier(home: Path) -> None:
    del home
    yearly = make_problem(drift={"season_days": 365})
    predict_ago(yearly, ["last winter", "also"], days=360)
    predict_ago(yearly, ["last summer"], days=180)
    judge(yearly, read(yearly), "ok", "nothing changed")
    predict(yearly, ["this winter"])

    assert len(seasons.read_season.fn(yearly, read(yearly))) == 2


def test_what_was_broken_is_no_season(home: Path) -> None:
    del home
    weekly = make_problem(drift={"season_days": 7})
    predict_ago(weekly, ["a", "b"], days=7)
    judge(weekly, read(weekly), "quarantine", "level: stuck at one value")
    predict(weekly, ["c"])

    assert len(seasons.read_season.fn(weekly, read(weekly))) == 0


def test_without_a_period_there_is_no_season(home: Path, problem: Problem) -> None:
    del home
    predict_ago(problem, ["a"], days=365)
    judge(problem, read(problem), "ok", "nothing changed")
    predict(problem, ["b"])

    assert len(seasons.read_season.fn(problem, read(problem))) == 0


def test_a_small_window_is_filled_up_by_what_came_just_before(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del home
    monkeypatch.setattr(seasons, "SPARE_ROWS", 0)
    problem = make_problem(drift={"min_rows": 10})
    predict(problem, [f"first {i}" for i in range(6)])
    judge(problem, read(problem), "ok", "nothing changed")
    predict(problem, [f"broken {i}" for i in range(6)])
    judge(problem, read(problem), "quarantine", "level: stuck at one value")
    predict(problem, [f"now {i}" for i in range(4)])
    few = seasons.read_earlier.fn(problem, read(problem), "3")
    predict(problem, ["now 4"])

    earlier = seasons.read_earlier.fn(problem, read(problem), "3")
    others = seasons.read_earlier.fn(problem, read(problem), "2")

    assert [len(few), len(earlier), len(others)] == [0, 5, 0]
    monkeypatch.setattr(seasons, "SPARE_ROWS", 1)  # one may not be taken today
    assert len(seasons.read_earlier.fn(problem, read(problem), "3")) == 6

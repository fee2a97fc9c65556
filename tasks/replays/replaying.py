"""Runs a replay: orders and cuts the rows, and lives through them under each policy."""

import time
from dataclasses import dataclass

import numpy as np
import pandas as pd

from driftline.cleaning import CleanTable, faults_of_values, read_days
from driftline.errors import DataError
from driftline.history import History, cut_history
from driftline.inspection import Inspector
from driftline.policies import Careful, Fixed, Flagged, Release
from driftline.problem import Problem
from driftline.quarantine import separate
from driftline.regret import (
    ALWAYS,
    DRIFTLINE,
    NEVER,
    Outcome,
    Setting,
    Yardstick,
    make_yardstick,
    try_settings,
)
from driftline.replay import Course, Policy, Replay
from tasks.decorators import work
from tasks.progress import bar, tell
from tasks.replays.detectors import AdwinFlag, evidently_flag


@work(name="order rows")
def order_rows(raw: pd.DataFrame, order_by: str | None, problem: Problem) -> pd.DataFrame:
    """The rows in order of time, by a column that need not be one of the problem's."""
    if order_by is None:
        return raw
    if order_by not in raw.columns:
        message = f"--order-by: got {order_by!r}, wanted one of {', '.join(map(str, raw.columns))}"
        raise DataError(message)
    moments = _moments(raw[order_by], problem)
    ordered = raw.iloc[np.argsort(moments.to_numpy(), kind="stable")].reset_index(drop=True)
    target = problem.target
    named = {*problem.columns, *problem.ignored, target.name, *target.aliases}
    named |= {alias for column in problem.columns.values() for alias in column.aliases}
    return ordered if order_by in named else ordered.drop(columns=order_by)


def _moments(values: pd.Series, problem: Problem) -> pd.Series:
    """Numbers or dates; a column that the problem declares as dates is read by its format."""
    column = problem.columns.get(str(values.name))
    if column is not None and column.kind == "date":
        return _refuse_unordered(read_days(values, column))
    moments = pd.to_numeric(values, errors="coerce")
    if moments.isna().any():
        moments = pd.to_datetime(values, errors="coerce", format="mixed", utc=True)
    return _refuse_unordered(moments)


def _refuse_unordered(moments: pd.Series) -> pd.Series:
    if moments.isna().any():
        message = (
            f"--order-by: {moments.name!r} holds {int(moments.isna().sum())} values that "
            "are neither numbers nor dates; wanted an order for every row"
        )
        raise DataError(message)
    return moments


@work(name="cut history")
def make_history(cleaned: CleanTable, problem: Problem, *, windows: int) -> History:
    """The rows that keep the contract, as windows; those that break it are left out."""
    kept = separate(cleaned.table, faults_of_values(cleaned, problem))
    if len(kept.quarantined):
        reasons = "; ".join(f"{why} ({count})" for why, count in kept.reasons.items())
        tell(f"{len(kept.quarantined)} rows left out: {reasons}")
    rows = len(kept.kept)
    tell(f"{rows} rows in {windows} windows of about {rows // windows}")
    return cut_history(kept.kept, problem, windows=windows)


@dataclass(frozen=True)
class Tried:
    """What each policy did on a history, in figures and in steps, and other settings of ours."""

    courses: tuple[Course, ...]
    outcomes: tuple[Outcome, ...]
    seconds: tuple[float, ...]
    settings: tuple[Setting, ...]
    yardstick: Yardstick


@work(name="try policies")
def try_policies(replay: Replay, *, release: Release) -> Tried:
    """Live through the history under every policy, then under other settings of Driftline's."""
    inspect = Inspector(replay)
    policies = [
        *_calendars(replay.history.windows),
        Flagged("Evidently's flag", evidently_flag(replay)),
        Flagged("ADWIN on the loss", AdwinFlag(replay)),
        Careful(replay, replay.history.problem.drift, inspect, DRIFTLINE, release),
    ]
    courses, seconds = [], []
    with bar("try policies") as advance:
        for done, policy in enumerate(policies, start=1):
            begun = time.perf_counter()
            courses.append(replay.run(policy))
            seconds.append(round(time.perf_counter() - begun, 3))
            advance(done / (len(policies) + 1))
        yardstick = make_yardstick(replay, courses[0], courses[1])
        settings = try_settings(replay, inspect, yardstick, release=release)
        advance(1.0)
    return Tried(
        courses=tuple(courses),
        outcomes=tuple(yardstick.measure(course) for course in courses),
        seconds=tuple(seconds),
        settings=tuple(settings),
        yardstick=yardstick,
    )


def _calendars(windows: int) -> list[Policy]:
    """Never and always come first: the others are measured by them."""
    some = [
        Fixed(f"every {word} window", every)
        for word, every in (("2nd", 2), ("3rd", 3), ("4th", 4), ("5th", 5))
        if every < windows
    ]
    blind = Fixed(f"{ALWAYS}, no gate", 1, is_gated=False)
    return [Fixed(NEVER, 0), Fixed(ALWAYS, 1), *some, blind]

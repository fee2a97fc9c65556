"""A history to replay: its windows in time order, and the model that each of them would have made.

What a window would have made does not depend on who was champion, so it is made once, whatever the
policies: its answers on all later rows, what it promised, and what the probe answered on its rows.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftline.dataset import encode_rows, encode_target
from driftline.errors import DataError
from driftline.evaluation import make_folds
from driftline.outcome import outcome_of
from driftline.probe import Probe, answer, probe_renewal, rows_of_past
from driftline.problem import Problem
from driftline.promise import OutOfFold, Promise, Recipe, make_promise
from driftline.recalibration import Baseline, fit_baseline
from driftline.scored import ScoredRows

Floats = NDArray[np.float64]
FOLDS = 3
LEAST_WINDOW = 20


@dataclass(frozen=True)
class History:
    """Labelled rows in order of time, cut into windows of about equal size."""

    problem: Problem
    table: pd.DataFrame
    X: NDArray[np.float32]
    y: NDArray[Any]
    cuts: tuple[int, ...]

    @property
    def windows(self) -> int:
        """How many windows there are; the first one trains the first champion."""
        return len(self.cuts) - 1

    def rows_of(self, window: int) -> slice:
        """Where a window's rows lie."""
        return slice(self.cuts[window], self.cuts[window + 1])

    def before(self, window: int) -> int:
        """How many rows there are up to and with a window."""
        return self.cuts[window + 1]


@dataclass(frozen=True)
class Renewed:
    """The model that is made once the outcomes of a window are known.

    `answers` holds probabilities (rows, classes) of all rows after the window, `probe` those on its
    own rows, each from rows before it; the first window has none. It learnt from the latest
    `learnt` rows. `baseline` tells how its probabilities came true.
    """

    window: int
    learnt: int
    answers: Floats
    promise: Promise
    threshold: float | None  # of a number, how far its intervals reach
    probe: Probe | None
    baseline: Baseline | None = None


def cut_history(table: pd.DataFrame, problem: Problem, *, windows: int) -> History:
    """The rows, which are in order of time, as windows; `DataError` where they are too few."""
    if windows < 3 or len(table) < LEAST_WINDOW * windows:  # noqa: PLR2004 - else nothing to decide
        message = (
            f"--windows: got {windows} windows for {len(table)} rows, wanted at least 3 windows of "
            f"{LEAST_WINDOW} rows"
        )
        raise DataError(message)
    y = encode_target(table, problem)
    cuts = tuple(int(cut) for cut in np.linspace(0, len(table), windows + 1).round())
    seen = np.unique(y[: cuts[1]])
    if len(seen) < 2:  # noqa: PLR2004 - nothing to learn
        message = (
            f"window 1 of {windows} holds one value of {problem.target.name!r} only; wanted fewer "
            "windows (--windows)"
        )
        raise DataError(message)
    return History(problem, table, encode_rows(table, problem), y, cuts)


def renew_at(history: History, window: int, recipe: Recipe) -> Renewed:
    """What a training would make when the outcomes of this window are known."""
    problem, metric = history.problem, history.problem.drift.loss
    classes, end = problem.width, history.before(window)
    X, y = history.X[:end], history.y[:end]  # noqa: N806
    newest = end - history.cuts[window]
    probe = None
    if window:
        probe = probe_renewal(X, y, newest=newest, classes=classes, fit=recipe.fit, metric=metric)
    past = 1 if probe is None else probe.past
    learnt = rows_of_past(end, past, least=newest)
    X, y = X[-learnt:], y[-learnt:]  # noqa: N806
    folded = _out_of_fold(X, y, problem, recipe)
    later = history.X[end:]
    return Renewed(
        window=window,
        learnt=learnt,
        answers=answer(X, y, later, classes=classes, fit=recipe.fit)
        if len(later)
        else np.zeros((0, classes)),
        promise=make_promise(OutOfFold(folded, y), metric=metric, recipe=recipe, use={}),
        threshold=outcome_of(problem).set_rule([folded], y),
        probe=probe,
        baseline=None if problem.weight else fit_baseline(OutOfFold(folded, y)),
    )


def score_window(history: History, model: Renewed, window: int) -> ScoredRows:
    """What a model answers on the rows of a later window, with their truth."""
    start = history.before(model.window)
    rows = history.rows_of(window)
    answers = model.answers[rows.start - start : rows.stop - start]
    return _score(history, answers, window, model.threshold)


def score_probe(history: History, model: Renewed) -> ScoredRows:
    """What the probe of a window answers on that window's own rows: its test."""
    assert model.probe is not None  # noqa: S101 - the first window is never a challenger
    return _score(history, model.probe.chosen, model.window, model.threshold)


def _score(history: History, answers: Floats, window: int, rule: float | None) -> ScoredRows:
    y = history.y[history.rows_of(window)]
    return outcome_of(history.problem).score(answers, y, rule)


def _out_of_fold(
    X: NDArray[np.float32],  # noqa: N803
    y: NDArray[Any],
    problem: Problem,
    recipe: Recipe,
) -> Floats:
    """Answers on every row by models that did not learn from its fold."""
    classes, strata = problem.width, problem.target.strata(y)
    folds = min(FOLDS, int(np.unique(strata, return_counts=True)[1].min()))
    if folds < 2:  # noqa: PLR2004 - a class of one row cannot be parted
        return answer(X, y, X, classes=classes, fit=recipe.fit)
    out = np.zeros((len(y), classes))
    for train, test in make_folds(strata, folds=folds, repeats=1, seed=recipe.seed)[0]:
        out[test] = answer(X[train], y[train], X[test], classes=classes, fit=recipe.fit)
    return out

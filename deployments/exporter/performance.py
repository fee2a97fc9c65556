"""How well the champion answers on its newest labelled rows, and the gates it is held to.

Figures move by `SHARED_BY` labels at a time, so that nobody reads one person's outcome off them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, Row, select

from bentos.http.metrics import SHARED_BY
from bentos.log.tables import LABELS, PARTS, PREDICTIONS
from deployments.exporter.records import Records
from driftline.dataset import number_of
from driftline.errors import DataError, NotFoundError
from driftline.goal import bare_metric
from driftline.measured import Measured
from driftline.metrics import METRICS, Scored, bootstrap_intervals, compute_metrics
from driftline.problem import Problem
from driftline.scored import ScoredRows
from driftline.target import NumberTarget
from tasks.log.inputs import read_logged, select_labelled
from tasks.log.quarantine import outside_quarantine

NEWEST_LABELS: Final = 5000  # among which the champion's are looked for
ROWS: Final = 500
RESAMPLES: Final = 200
SHOWN: Final = (  # of classes all but what needs the threshold, of numbers what needs no interval
    *(name for name in METRICS if name != "net_benefit"),
    *("mae", "rmse", "median_absolute_error", "r2"),
)
AT_LEAST, AT_MOST = "at_least", "at_most"


@dataclass(frozen=True)
class Performance:
    """Figures of the champion's newest labelled rows, each with a 95 % interval."""

    rows: int
    metrics: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]


class Judge:
    """Computes a problem's performance where enough new labels have come, and keeps it else."""

    def __init__(self) -> None:
        """Nothing was computed yet."""
        self._kept: Performance | None = None
        self._state: tuple[object, ...] = ()

    def judge(
        self, connection: Connection, problem: Problem, records: Records
    ) -> Performance | None:
        """The performance; None without a champion or with too few labels of it."""
        version = records.tenure.version
        state = (version, records.labels // SHARED_BY, records.quarantines)
        if state != self._state:
            try:
                scored = None if version is None else _read(connection, problem, version)
            except (DataError, NotFoundError):  # a part's file is damaged, or forgotten just now
                scored = None
            self._kept = None if scored is None else _compute(scored)
            self._state = state
        return self._kept


def gates_of(problem: Problem) -> dict[tuple[str, str], float]:
    """The bounds of test figures by metric and side; those of folds say nothing of live rows."""
    bounds = {}
    for gate in problem.gates:
        metric = bare_metric(gate.metric)
        if gate.metric == f"test_{metric}" and metric in SHOWN:
            side = AT_MOST if gate.at_least is None else AT_LEAST
            bound = gate.at_most if gate.at_least is None else gate.at_least
            bounds[metric, side] = float(bound or 0.0)
    return bounds


def _read(connection: Connection, problem: Problem, version: str) -> ScoredRows | None:
    """The newest labelled answers of a version outside of quarantine; None where they are few."""
    newest = (
        select(LABELS.c.prediction_id, LABELS.c.part, LABELS.c.label, LABELS.c.sequence)
        .where(LABELS.c.problem == problem.name)
        .order_by(LABELS.c.sequence.desc())
        .limit(NEWEST_LABELS)
        .subquery()
    )
    query = (
        select_labelled(newest.c.label, labels=newest)
        .where(PREDICTIONS.c.model_version == version)
        .where(newest.c.part.is_(None) | PARTS.c.is_kept)
        .where(*outside_quarantine(connection, problem.name))
        .order_by(newest.c.sequence.desc())
        .limit(ROWS)
    )
    found = connection.execute(query).all()
    return _score(found, problem) if len(found) >= problem.drift.min_labels else None


def _score(found: Sequence[Row[Any]], problem: Problem) -> ScoredRows | None:
    """Logged answers with their truth; labels of classes that are declared no more are left out."""
    logged = read_logged(found, problem)
    y = [found[place].label for place in logged.places]
    answers, predicted = np.array(logged.probabilities), np.array(logged.predictions)
    if isinstance(problem.target, NumberTarget):
        spec = number_of(problem, problem.target)
        return Measured(y=np.array(y, dtype=np.float64), answers=answers, spec=spec)
    known = [place for place, label in enumerate(y) if label in problem.classes]
    if len(known) < problem.drift.min_labels:
        return None
    return Scored(
        y=np.array([problem.classes.index(y[place]) for place in known]),
        probabilities=answers[known],
        predicted=predicted[known],
        positive=problem.positive_indices[0] if problem.is_binary else None,
        threshold=None,
    )


def _compute(scored: ScoredRows) -> Performance:
    metrics = compute_metrics(scored)
    intervals = bootstrap_intervals(scored, seed=0, resamples=RESAMPLES)
    shown = {name: metrics[name] for name in SHOWN if np.isfinite(metrics.get(name, np.nan))}
    return Performance(len(scored.y), shown, {name: intervals[name] for name in shown})

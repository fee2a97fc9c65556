"""Whether a number is answered as well for every declared part of the people, as far as rows tell.

As in `driftline.subgroups`, a part breaks a bound only where its whole interval lies beyond it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftline.conditions import parse_conditions, select_rows
from driftline.losses import weighted_mean
from driftline.measured import Measured
from driftline.problem import Problem
from driftline.subgroups import FALSE_ALARMS, Outcome, SubgroupResult

Floats = NDArray[np.float64]
BIAS_SHARE: Final = 0.5  # of the mean absolute error that is allowed, or that all rows have
LEAST_ROWS: Final = 10  # of fewer Student's t cannot be relied upon


@dataclass(frozen=True)
class _Bound:
    """Where a mean has to lie, how sure its interval is, and how far that of few rows goes."""

    metric: str
    low: float
    high: float
    confidence: float
    widest: float

    @property
    def wanted(self) -> str:
        if np.isinf(self.high):
            return "any size: no gate bounds it"
        return f"<= {self.high:g}" if np.isinf(self.low) else f"within {self.high:.4g} of 0"


def check_number_subgroups(
    problem: Problem, table: pd.DataFrame, test: Measured, *, false_alarms: float = FALSE_ALARMS
) -> list[SubgroupResult]:
    """The mean absolute error and the bias (answer minus truth) of every part, with intervals.

    `table` holds the test rows. Of few rows an interval goes as far as all rows' errors. The error
    is held to the gates of `mae`, where there are some; the bias, either way, to half of that, or
    of the error of all rows. Intervals of means are by Student's t, so wide that a model which
    keeps all bounds breaks one with a chance of at most `false_alarms` over all parts.
    Source of the correction: Dunn, JASA 56 (1961) 52-64.
    """
    parts = [
        (str(part), test.take(np.flatnonzero(select_rows(part, table, problem.columns))))
        for part in parse_conditions(problem.subgroups, problem.columns)
    ]
    most = mae_bound(problem)
    whole, _ = weighted_mean(np.abs(test.predicted - test.y), test.weights)
    widest = float(np.abs(test.predicted - test.y).max(initial=0.0))
    furthest = BIAS_SHARE * (whole if most is None else most)
    sides = len(parts) * (2 + (most is not None))
    confidence = 1 - false_alarms / max(sides, 1)
    of_size = _Bound("mae", -np.inf, np.inf if most is None else most, confidence, widest)
    of_bias = _Bound("bias", -furthest, furthest, confidence, widest)
    return [
        _hold(name, errors, part.weights, bound)
        for name, part in parts
        for errors, bound in (
            (np.abs(part.predicted - part.y), of_size),
            (part.predicted - part.y, of_bias),
        )
    ]


def mae_bound(problem: Problem) -> float | None:
    """The lowest bound that the gates set for the mean absolute error."""
    bounds = [
        gate.at_most
        for gate in problem.gates
        if gate.metric in {"test_mae", "cv_mae_mean"} and gate.at_most is not None
    ]
    return min(bounds, default=None)


def _hold(name: str, values: Floats, weights: Floats | None, bound: _Bound) -> SubgroupResult:
    from scipy.stats import t

    rows = len(values)
    got, error = weighted_mean(values, weights) if rows else (0.0, 0.0)
    low, high = -bound.widest, bound.widest
    if rows >= LEAST_ROWS:
        reach = float(t.ppf(bound.confidence, rows - 1)) * error
        low, high = got - reach, got + reach
    outcome: Outcome = "kept" if bound.low <= got <= bound.high else "unclear"
    if rows < LEAST_ROWS and np.isfinite(bound.high):
        outcome = "unclear"
    elif high < bound.low or low > bound.high:
        outcome = "broken"
    return SubgroupResult(
        subgroup=name,
        metric=bound.metric,
        rows=rows,
        wanted=bound.wanted,
        got=got,
        low=low,
        high=high,
        outcome=outcome,
    )

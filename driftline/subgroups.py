"""Whether a model keeps its bounds for every declared part of the people, as far as rows can tell.

A part breaks a bound only where its whole interval lies beyond it: few rows are told, not failed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftline.conditions import parse_conditions, select_rows
from driftline.metrics import Scored
from driftline.problem import Problem
from driftline.thresholds import wilson_bounds

Outcome = Literal["kept", "unclear", "broken"]
FALSE_ALARMS: Final = 0.05
CALIBRATION_BOUND: Final = 0.05


@dataclass(frozen=True)
class SubgroupResult:
    """One figure of one part: a share of `rows` rows with its interval, beside its bound.

    For `calibration` the figure is the observed minus the predicted share of the positive class. Of
    a number it is the mean absolute error, or the bias (`driftline.number_subgroups`).
    """

    subgroup: str
    metric: str
    rows: int
    wanted: str
    got: float
    low: float
    high: float
    outcome: Outcome

    @property
    def is_broken(self) -> bool:
        """Whether the part is served worse than the bound allows, beyond noise."""
        return self.outcome == "broken"

    @property
    def description(self) -> str:
        """The result as one sentence."""
        ending = {
            "kept": "",
            "unclear": ": too few rows to tell",
            "broken": ": beyond the bound, and not by chance",
        }[self.outcome]
        sign = "+" if self.metric in {"calibration", "bias"} else ""
        return (
            f"{self.metric} where {self.subgroup} is {self.got:{sign}.3f} "
            f"[{self.low:{sign}.3f}, {self.high:{sign}.3f}] on {self.rows} rows, "
            f"wanted {self.wanted}{ending}"
        )


@dataclass(frozen=True)
class _Share:
    """A count out of rows, to be held against a bound after `shift` is taken off."""

    subgroup: str
    metric: str
    count: int
    rows: int
    floor: float
    ceiling: float
    shift: float = 0.0


def check_subgroups(
    problem: Problem, table: pd.DataFrame, scored: Scored, *, false_alarms: float = FALSE_ALARMS
) -> list[SubgroupResult]:
    """Every declared part against the bounds of the whole; `scored` holds the table's rows.

    Recall, specificity, precision and accuracy are checked where a gate (`test_<m>`,
    `cv_<m>_mean`) or a condition of the goal bounds them from below, by Wilson's interval.
    Calibration in the large is always checked: the observed share of the positive class minus the
    mean prediction, within the gate on `test_ece` (0.05 where there is none). With more than two
    classes accuracy is all that is checked. A model that keeps its bounds in every part is failed
    with a chance of at most `false_alarms` over all parts and figures together.
    Source of the correction: Dunn, Journal of the American Statistical Association 56 (1961) 52-64.
    """
    parts = parse_conditions(problem.subgroups, problem.columns)
    shares = [
        share
        for part in parts
        for share in _measure(str(part), select_rows(part, table, problem.columns), scored, problem)
    ]
    sides = sum(np.isfinite(each.floor) + np.isfinite(each.ceiling) for each in shares)
    confidence = 1 - false_alarms / max(int(sides), 1)
    return [_hold(share, confidence) for share in shares]


def describe_broken(results: Sequence[SubgroupResult]) -> list[str]:
    """A sentence for each part that breaks a bound: obstacles to a promotion."""
    return [result.description for result in results if result.is_broken]


def bounds_of(problem: Problem) -> dict[str, float]:
    """The highest floor that the gates or the goal's conditions set for each share of rows."""
    known = _SHARES if problem.is_binary else ("accuracy",)
    floors: dict[str, float] = {}
    pairs = [(gate.metric, gate.at_least) for gate in problem.gates]
    pairs += [(f"test_{name}", floor) for name, floor in problem.goal.subject_to.items()]
    for metric, floor in pairs:
        for name in known:
            if floor is not None and metric in {f"test_{name}", f"cv_{name}_mean"}:
                floors[name] = max(floor, floors.get(name, floor))
    return floors


_SHARES: Final = ("recall", "specificity", "precision", "accuracy")


def _measure(
    name: str, rows: NDArray[np.bool_], scored: Scored, problem: Problem
) -> Iterator[_Share]:
    part = scored.take(np.flatnonzero(rows))
    for metric, floor in bounds_of(problem).items():
        counted, hits = _count(part, metric)
        yield _Share(name, metric, int(hits.sum()), int(counted.sum()), floor, np.inf)
    if part.positive is not None:
        ill = part.y == part.positive
        expected = float(part.probabilities[:, part.positive].mean()) if len(ill) else 0.0
        bound = _calibration_bound(problem)
        yield _Share(name, "calibration", int(ill.sum()), len(ill), -bound, bound, expected)


def _count(part: Scored, metric: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The rows that the share is taken of, and those among them that count for it."""
    right = part.y == part.predicted
    counted = {
        "recall": part.y == part.positive,
        "specificity": part.y != part.positive,
        "precision": part.predicted == part.positive,
        "accuracy": np.ones(len(part.y), dtype=bool),
    }[metric]
    return counted, counted & right


def _calibration_bound(problem: Problem) -> float:
    declared = [
        g.at_most for g in problem.gates if g.metric == "test_ece" and g.at_most is not None
    ]
    return min(declared, default=CALIBRATION_BOUND)


def _hold(share: _Share, confidence: float) -> SubgroupResult:
    got = share.count / share.rows - share.shift if share.rows else 0.0
    low, high = wilson_bounds(share.count, share.rows, confidence)
    low, high = low - share.shift, high - share.shift
    if high < share.floor or low > share.ceiling:
        outcome: Outcome = "broken"
    else:
        outcome = "kept" if share.rows and share.floor <= got <= share.ceiling else "unclear"
    wanted = f">= {share.floor:g}" if share.ceiling == np.inf else f"within {share.ceiling:g} of 0"
    return SubgroupResult(
        subgroup=share.subgroup,
        metric=share.metric,
        rows=share.rows,
        wanted=wanted,
        got=got,
        low=low,
        high=high,
        outcome=outcome,
    )

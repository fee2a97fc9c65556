"""The decision threshold: chosen for the problem's goal on rows the model was not fitted on."""

from collections.abc import Sequence
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from driftline.metrics import DECISION_METRICS, metrics_from_confusion
from driftline.problem import Goal

Floats = NDArray[np.float64]
_MOST_THRESHOLDS = 400
# which cells of a confusion (tp, fp, fn, tn) a share is of
RESTS_ON: Final = {"recall": (0, 2), "precision": (0, 1), "specificity": (3, 1)}


def choose_threshold(
    y: NDArray[np.int64],
    probabilities: Floats,
    goal: Goal,
    *,
    positive: int | None,
    copies: int = 1,
    weights: Floats | None = None,
) -> float | None:
    """The threshold that maximises the goal where its conditions hold; None without two classes.

    A condition such as recall >= 0.95 has to hold at the goal's confidence (Wilson's lower bound),
    since a threshold that just meets it on these rows would miss it on half of all others. Where
    none holds, the condition's bound comes first. Ties go to the threshold nearest 0.5. `copies`
    tells how many times each row stands in the input (repeated cross-validation). Rows count by
    their weights; a bound then goes by the effective number of the rows that its share is of.
    """
    if positive is None:
        return None
    truth = y == positive
    p = probabilities[:, positive]
    thresholds = _candidates(p)
    tp, fp, fn, tn = _confusion_at(truth, p, thresholds, weights)
    metrics = metrics_from_confusion(tp, fp, fn, tn, thresholds)
    aim = metrics[goal.metric] if goal.metric in DECISION_METRICS else metrics["f1"]
    squares = _confusion_at(truth, p, thresholds, None if weights is None else weights**2)
    sizes = {name: _count_alike((tp, fp, fn, tn), squares, rows) for name, rows in RESTS_ON.items()}
    whole = _count_alike((tp, fp, fn, tn), squares, (0, 1, 2, 3))
    shortfall = np.zeros(len(thresholds))
    for name, floor in goal.subject_to.items():
        n = sizes.get(name, whole) / copies
        shortfall += np.maximum(0, floor - wilson_lower(metrics[name], n, goal.confidence))
    order = np.lexsort((np.abs(thresholds - 0.5), -np.round(aim, 12), np.round(shortfall, 12)))
    return float(thresholds[order[0]])


def _count_alike(sums: Sequence[Floats], squares: Sequence[Floats], cells: Sequence[int]) -> Floats:
    """Kish's effective number of the rows in some cells of the confusion, per threshold."""
    total = np.sum([sums[cell] for cell in cells], axis=0)
    squared = np.sum([squares[cell] for cell in cells], axis=0)
    alike: Floats = np.divide(total**2, squared, out=np.zeros_like(squared), where=squared > 0)
    return alike


def settle_threshold(threshold: float, scores: Floats, *, margin: float = 1e-5) -> float:
    """The nearest point to the threshold that keeps `margin` from every score.

    Serving answers in float32; a row that sat on the threshold would get another label there.
    """
    points = np.unique(np.r_[0.0, scores, 1.0])
    low, high = points[:-1] + margin, points[1:] - margin
    is_gap = low < high
    if not is_gap.any():
        return threshold
    nearest = np.clip(threshold, low[is_gap], high[is_gap])
    return float(nearest[np.argmin(np.abs(nearest - threshold))])


def wilson_lower(share: Floats, n: Floats, confidence: float) -> Floats:
    """One-sided lower bound of a proportion.

    Source: Wilson, Journal of the American Statistical Association 22 (1927) 209-212.
    """
    z = NormalDist().inv_cdf(confidence)
    n = np.maximum(n, 1e-9)
    centre = share + z * z / (2 * n)
    spread = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    bound: Floats = np.maximum(0, (centre - spread) / (1 + z * z / n))
    return bound


def count_effective(rows: int, weights: Floats | None) -> float:
    """As how many equal rows weighted ones are worth: (sum of weights)^2 / sum of squares.

    Source: Kish, Survey Sampling (1965), chapter 8.
    """
    if weights is None or not rows:
        return float(rows)
    return float(weights.sum() ** 2 / (weights**2).sum())


def wilson_bounds(count: float, n: float, confidence: float) -> tuple[float, float]:
    """Wilson's lower and upper bound of a proportion, each one-sided; (0, 1) of no rows."""
    if not n:
        return 0.0, 1.0
    share, rows = np.array([count / n, 1 - count / n]), np.array([float(n)])
    low, opposite = wilson_lower(share, rows, confidence)
    return float(low), float(1 - opposite)


def _candidates(p: Floats) -> Floats:
    """Midpoints between neighbouring scores, so that no row sits on a threshold."""
    scores = np.unique(p)
    middles = (scores[1:] + scores[:-1]) / 2
    apart = np.diff(scores) > 1e-5  # noqa: PLR2004 - wider than serving's rounding
    middles = middles[apart]
    if len(middles) > _MOST_THRESHOLDS:
        picks = np.linspace(0, len(middles) - 1, _MOST_THRESHOLDS).round().astype(int)
        middles = middles[picks]
    inside = middles[(middles > 0) & (middles < 1)]
    return np.unique(np.r_[inside, 0.5])


def _confusion_at(
    truth: NDArray[np.bool_], p: Floats, thresholds: Floats, weights: Floats | None
) -> tuple[Floats, Floats, Floats, Floats]:
    counted = np.ones(len(p)) if weights is None else weights
    fn, hits = _weigh_below(p[truth], counted[truth], thresholds)
    tn, misses = _weigh_below(p[~truth], counted[~truth], thresholds)
    return hits - fn, misses - tn, fn, tn


def _weigh_below(p: Floats, weights: Floats, thresholds: Floats) -> tuple[Floats, float]:
    """The weight of the scores below each threshold, and that of all."""
    order = np.argsort(p, kind="stable")
    sums = np.r_[0.0, np.cumsum(weights[order])]
    return sums[np.searchsorted(p[order], thresholds, side="left")], float(sums[-1])

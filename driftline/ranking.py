"""How much better one model ranks the same rows than another, with the standard error of that.

Both areas (under the ROC curve, under the precision-recall curve) are sums over rows plus a
remainder that vanishes faster than their noise, so each row's part in the area gives its variance.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from driftline.metrics import Scored, base_weights

Floats = NDArray[np.float64]
Parts = tuple[float, Floats]
LEAST_OF_A_CLASS: Final = 2  # a variance needs two


def compare_ranking(one: Scored, other: Scored, metric: str) -> tuple[float, float] | None:
    """Area of `one` minus area of `other`, and its standard error; both hold the same rows.

    With more than two classes it is the mean of the areas of each class against the rest. None
    where no class has two rows within it and two without. The variance adds up over the true
    classes, whose sizes are taken as given. Rows with sampling weights count by them.
    """
    measure, weights = _AREAS[metric], base_weights(one)
    classes = [one.positive] if one.positive is not None else range(one.probabilities.shape[1])
    most = len(one.y) - LEAST_OF_A_CLASS
    usable = [k for k in classes if LEAST_OF_A_CLASS <= (one.y == k).sum() <= most]
    if not usable:
        return None
    gaps, parts = [], np.zeros(len(one.y))
    for k in usable:
        area, own = measure(one.y == k, one.probabilities[:, k], weights)
        against, theirs = measure(other.y == k, other.probabilities[:, k], weights)
        gaps.append(area - against)
        parts += (own - theirs) / len(usable)
    variance = sum(_variance(parts[one.y == k], weights[one.y == k]) for k in np.unique(one.y))
    return float(np.mean(gaps)), float(np.sqrt(variance))


def _variance(parts: Floats, weights: Floats) -> float:
    """The variance of the sum of rows' parts, each of which is as large as its weight makes it."""
    rows = len(parts)
    if rows < LEAST_OF_A_CLASS:
        return 0.0
    apart = parts - weights * parts.sum() / weights.sum()
    return float(rows / (rows - 1) * (apart**2).sum())


def _roc_parts(truth: NDArray[np.bool_], scores: Floats, weights: Floats) -> Parts:
    """The area, and each row's placement (share of the other class outranked) by class size.

    Source: DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988) 837-845, computed from sorted
    scores in O(n log n) as by Sun and Xu, IEEE Signal Processing Letters 21 (2014) 1389-1393.
    """
    share = weights / np.where(truth, weights[truth].sum(), weights[~truth].sum())
    parts = np.empty(len(scores))
    parts[truth] = _outranked(scores[truth], scores[~truth], share[~truth])
    parts[~truth] = 1 - _outranked(scores[~truth], scores[truth], share[truth])
    parts *= share
    return float(parts[truth].sum()), parts


def _outranked(scores: Floats, others: Floats, shares: Floats) -> Floats:
    """For each score, the share of the others below it, ties counting half."""
    order = np.argsort(others, kind="stable")
    sums = np.r_[0.0, np.cumsum(shares[order])]
    below, upto = (np.searchsorted(others[order], scores, side=side) for side in ("left", "right"))
    middle: Floats = (sums[below] + sums[upto]) / 2
    return middle


def _precision_recall_parts(truth: NDArray[np.bool_], scores: Floats, weights: Floats) -> Parts:
    """Average precision, and each row's influence on it by class size.

    Precision at a score is P = tp / (tp + fp) in counts of the rows from it on; average precision
    is its mean over the positives. A positive moves it by its own precision and by dP/dtp at each
    positive that it outranks, a negative by dP/dfp there: the functional delta method.
    Source: van der Vaart, Asymptotic Statistics (1998), chapter 20.
    """
    order = np.argsort(scores[truth], kind="stable")
    hits, heavy = scores[truth][order], weights[truth][order]
    tp = _weigh_from(scores[truth], weights[truth], hits)
    fp = _weigh_from(scores[~truth], weights[~truth], hits)
    precision = tp / (tp + fp)
    by_hit, by_miss = fp / (tp + fp) ** 2, -tp / (tp + fp) ** 2
    shares = heavy / heavy.sum()
    parts = np.empty(len(scores))
    own = precision[np.searchsorted(hits, scores[truth], side="left")]
    parts[truth] = own / heavy.sum() + _over_outranked(hits, by_hit * shares, scores[truth])
    parts[~truth] = _over_outranked(hits, by_miss * shares, scores[~truth])
    return float((precision * shares).sum()), parts * weights


def _weigh_from(scores: Floats, weights: Floats, bounds: Floats) -> Floats:
    """The weight of the scores from each bound on."""
    order = np.argsort(-scores, kind="stable")
    sums = np.r_[0.0, np.cumsum(weights[order])]
    reached: Floats = sums[np.searchsorted(-scores[order], -bounds, side="right")]
    return reached


def _over_outranked(hits: Floats, slopes: Floats, scores: Floats) -> Floats:
    """For each score, the sum of the slopes over the positives at or below it."""
    sums = np.r_[0.0, np.cumsum(slopes)]
    outranked: Floats = sums[np.searchsorted(hits, scores, side="right")]
    return outranked


_AREAS: Final[dict[str, Callable[[NDArray[np.bool_], Floats, Floats], Parts]]] = {
    "roc_auc": _roc_parts,
    "pr_auc": _precision_recall_parts,
}

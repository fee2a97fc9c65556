"""How much better one model ranks the same rows than another, with the standard error of that.

Both areas (under the ROC curve, under the precision-recall curve) are sums over rows plus a
remainder that vanishes faster than their noise, so each row's part in the area gives its variance.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from driftline.metrics import Scored

Floats = NDArray[np.float64]
Parts = tuple[float, Floats]
LEAST_OF_A_CLASS: Final = 2  # a variance needs two


def compare_ranking(one: Scored, other: Scored, metric: str) -> tuple[float, float] | None:
    """Area of `one` minus area of `other`, and its standard error; both hold the same rows.

    With more than two classes it is the mean of the areas of each class against the rest. None
    where no class has two rows within it and two without. The variance adds up over the true
    classes, whose sizes are taken as given.
    """
    measure = _AREAS[metric]
    classes = [one.positive] if one.positive is not None else range(one.probabilities.shape[1])
    most = len(one.y) - LEAST_OF_A_CLASS
    usable = [k for k in classes if LEAST_OF_A_CLASS <= (one.y == k).sum() <= most]
    if not usable:
        return None
    gaps, parts = [], np.zeros(len(one.y))
    for k in usable:
        area, own = measure(one.y == k, one.probabilities[:, k])
        against, theirs = measure(other.y == k, other.probabilities[:, k])
        gaps.append(area - against)
        parts += (own - theirs) / len(usable)
    strata = [parts[one.y == k] for k in np.unique(one.y)]
    variance = sum(len(part) * part.var(ddof=1) for part in strata if len(part) > 1)
    return float(np.mean(gaps)), float(np.sqrt(variance))


def _roc_parts(truth: NDArray[np.bool_], scores: Floats) -> Parts:
    """The area, and each row's placement (share of the other class outranked) by class size.

    Source: DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988) 837-845, computed from midranks
    in O(n log n): Sun and Xu, IEEE Signal Processing Letters 21 (2014) 1389-1393.
    """
    from scipy.stats import rankdata

    ranks = rankdata(scores)
    positives, negatives = int(truth.sum()), int((~truth).sum())
    parts = np.empty(len(scores))
    parts[truth] = (ranks[truth] - rankdata(scores[truth])) / (negatives * positives)
    outranking = 1 - (ranks[~truth] - rankdata(scores[~truth])) / positives
    parts[~truth] = outranking / negatives
    return float(parts[truth].sum()), parts


def _precision_recall_parts(truth: NDArray[np.bool_], scores: Floats) -> Parts:
    """Average precision, and each row's influence on it by class size.

    Precision at a score is P = tp / (tp + fp) in counts of the rows from it on; average precision
    is its mean over the positives. A positive moves it by its own precision and by dP/dtp at each
    positive that it outranks, a negative by dP/dfp there: the functional delta method.
    Source: van der Vaart, Asymptotic Statistics (1998), chapter 20.
    """
    hits, misses = np.sort(scores[truth]), np.sort(scores[~truth])
    tp = len(hits) - np.searchsorted(hits, hits, side="left").astype(np.float64)
    fp = len(misses) - np.searchsorted(misses, hits, side="left").astype(np.float64)
    precision = tp / (tp + fp)
    by_hit, by_miss = fp / (tp + fp) ** 2, -tp / (tp + fp) ** 2
    area = float(precision.mean())
    parts = np.empty(len(scores))
    own = precision[np.searchsorted(hits, scores[truth], side="left")]
    parts[truth] = own / len(hits) + _over_outranked(hits, by_hit, scores[truth])
    parts[~truth] = _over_outranked(hits, by_miss, scores[~truth])
    return area, parts


def _over_outranked(hits: Floats, slopes: Floats, scores: Floats) -> Floats:
    """For each score, the mean slope over the positives at or below it, counting all of them."""
    sums = np.r_[0.0, np.cumsum(slopes)]
    outranked: Floats = sums[np.searchsorted(hits, scores, side="right")] / len(hits)
    return outranked


_AREAS: Final[dict[str, Callable[[NDArray[np.bool_], Floats], Parts]]] = {
    "roc_auc": _roc_parts,
    "pr_auc": _precision_recall_parts,
}

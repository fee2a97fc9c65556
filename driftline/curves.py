"""Areas under curves, and the calibration error, of weighted rows.

`truth` says which rows are positive and `p` how probable that was, both of shape (rows,); `weights`
has shape (resamples, rows), so that one pass serves a whole bootstrap. Answers: (resamples,).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
BINS: Final = 10  # of the calibration error


def _grouped(truth: NDArray[np.bool_], p: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Positive and negative weight per distinct score, highest score first."""
    order = np.argsort(-p, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(p[order]) != 0])
    hits = np.add.reduceat(weights[:, order] * truth[order], starts, axis=1)
    misses = np.add.reduceat(weights[:, order] * ~truth[order], starts, axis=1)
    return hits, misses


def roc_auc(truth: NDArray[np.bool_], p: Floats, weights: Floats) -> Floats:
    """Chance that a positive outranks a negative, ties counting half (Mann-Whitney)."""
    hits, misses = _grouped(truth, p, weights)
    outranked = misses.sum(axis=1, keepdims=True) - np.cumsum(misses, axis=1) + misses / 2
    pairs = hits.sum(axis=1) * misses.sum(axis=1)
    return divide((hits * outranked).sum(axis=1), pairs, empty=np.nan)


def average_precision(truth: NDArray[np.bool_], p: Floats, weights: Floats) -> Floats:
    """Precision over recall, in steps, at each distinct score."""
    hits, misses = _grouped(truth, p, weights)
    found, flagged = np.cumsum(hits, axis=1), np.cumsum(hits + misses, axis=1)
    precision = divide(found, flagged)
    return divide((hits * precision).sum(axis=1), hits.sum(axis=1), empty=np.nan)


def calibration_error(truth: NDArray[np.bool_], p: Floats, weights: Floats) -> Floats:
    """Expected calibration error over ten equal bins.

    Source: Naeini, Cooper and Hauskrecht, AAAI 2015.
    """
    bins = np.minimum((p * BINS).astype(int), BINS - 1)
    member = bins[:, None] == np.arange(BINS)
    gap = weights @ (member * (p - truth)[:, None])
    return divide(np.abs(gap).sum(axis=1), weights.sum(axis=1))


def divide(numerator: Floats, denominator: Floats, empty: float = 0.0) -> Floats:
    """The quotient, `empty` where nothing is divided by."""
    out = np.full(np.broadcast(numerator, denominator).shape, empty, dtype=np.float64)
    np.divide(numerator, denominator, out=out, where=denominator > 0)
    return out

"""Which share of the rows has lost a column's relation to the rest, against what tilts explain.

A window's rows are counted by prediction and value (see `driftline.dependence`). Sound rows keep
the reference's odds ratios, whatever the margins; in broken ones the value has nothing to do with
the prediction. The share of the broken is fitted by expectation and maximisation.
Source: Dempster, Laird and Rubin, Journal of the Royal Statistical Society B 39 (1977) 1-38.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
STEPS: Final = 30
TINY: Final = 1e-300
NEARLY_0: Final = 1e-6


@dataclass(frozen=True)
class Mixture:
    """Per column: the broken share and the log likelihood that goes with it."""

    share: Floats
    likelihood: Floats


def stack(tables: Sequence[Floats]) -> Floats:
    """Tables of different shapes as one array (tables, predictions, values), filled up with 0."""
    shape = np.max([table.shape for table in tables], axis=0)
    made = np.zeros((len(tables), *shape))
    for each, table in zip(made, tables, strict=True):
        each[: table.shape[0], : table.shape[1]] = table
    return made


def fit_share(reference: Floats, window: Floats, *, share: float | None = None) -> Mixture:
    """The broken share of each table of a window, or the fit with a share that is given.

    Both arrays have shape (tables, predictions, values); the reference's are softened and stacked.
    """
    total = np.maximum(window.sum(axis=(1, 2)), 1e-9)[:, None, None]
    pi = np.full_like(total, 0.5 if share is None else share)
    broken = window.sum(axis=1, keepdims=True) / total
    tilt = np.ones_like(broken)
    chance = np.ones_like(window)
    for _ in range(STEPS):
        sound = reference * tilt
        sound /= np.maximum(sound.sum(axis=2, keepdims=True), TINY)
        kept = (1 - pi) * sound
        chance = np.maximum(kept + pi * broken, TINY)
        kept = window * kept / chance
        lost = (window - kept).sum(axis=1, keepdims=True)
        expected = (kept.sum(axis=2, keepdims=True) * sound).sum(axis=1, keepdims=True)
        tilt = tilt * (kept.sum(axis=1, keepdims=True) + NEARLY_0) / (expected + NEARLY_0)
        gone = lost.sum(axis=2, keepdims=True)
        broken = np.where(gone > NEARLY_0, lost / np.maximum(gone, NEARLY_0), broken)
        if share is None:
            pi = gone / total
    likelihood = (window * np.log(chance)).sum(axis=(1, 2))
    return Mixture(pi[:, 0, 0], likelihood)

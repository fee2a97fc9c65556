"""What a real change of the people can do to a column: make some values commoner, others rarer.

A change of people weighs the rows of the reference; values that the reference lacks stay rare, and
neighbouring values gain and lose alike. An exponential tilt moves the mean; beside it the odds of
any range may grow by a bounded factor (a sub-population, a class that comes more often).
Source of the tilt: Efron, Annals of Statistics 9 (1981) 139-158.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import rel_entr

Floats = NDArray[np.float64]
MOST_MOVED: Final = 1.5  # deviations by which people may move a column's mean
MOST_EXPONENT: Final = 6.0
STRONGEST: Final = 8.0
HALVINGS: Final = 18
ALMOST_1: Final = 1 - 1e-12


def tilt_to_mean(
    shares: Floats, centres: Floats, mean: float, *, most: float = MOST_MOVED
) -> Floats:
    """The shares, tilted exponentially until their mean is the given one or `most` away.

    `centres` are the bins' places in reference deviations, of which the shares' own mean is 0.
    """
    wanted = float(np.clip(mean, -most, most))
    low, high = -STRONGEST, STRONGEST
    tilted = shares
    for _ in range(HALVINGS):
        strength = (low + high) / 2
        exponent = (strength * centres).clip(-MOST_EXPONENT, MOST_EXPONENT)
        tilted = shares * np.exp(exponent)
        tilted = tilted / tilted.sum()
        if float(tilted @ centres) < wanted:
            low = strength
        else:
            high = strength
    return np.asarray(tilted)


def raise_odds(shares: Floats | float, factor: float) -> Floats:
    """Shares whose odds are so many times as large."""
    p = np.asarray(shares, dtype=np.float64)
    return np.asarray(factor * p / (1 - p + factor * p))


def excess_evidence(count: Floats | float, rows: float, most: Floats | float) -> Floats:
    """Log likelihood ratio, in nats, that a share is above the most that is sound; 0 below it.

    Rows times the Kullback-Leibler divergence of two binomials, which bounds the chance of so many
    by exp(-evidence). Source: Chernoff, Annals of Mathematical Statistics 23 (1952) 493-507.
    """
    bound = np.minimum(np.asarray(most, dtype=np.float64), ALMOST_1)
    share = np.asarray(count, dtype=np.float64) / max(rows, 1e-9)
    divergence = rel_entr(share, bound) + rel_entr(1 - share, 1 - bound)
    return np.where(share > bound, rows * divergence, 0.0)


def ratio_evidence(ratio: float, freedoms: int) -> float:
    """Evidence, in nats, of a log likelihood ratio that so many free parameters were fitted for.

    Chernoff's bound on the chi-square distribution of twice the ratio.
    Source: Wilks, Annals of Mathematical Statistics 9 (1938) 60-62.
    """
    half = freedoms / 2
    return float(ratio - half - half * np.log(ratio / half)) if ratio > half else 0.0

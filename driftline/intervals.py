"""How far a prediction interval has to reach, from errors on rows that a model had not learnt from.

The interval is the answer plus and minus a quantile of the absolute errors out of fold, with the
finite-sample correction of conformal prediction: of n errors the ceil((n + 1) * coverage)-th
smallest. With errors of a holdout that covers at least `coverage` of new rows, however the errors
are distributed, while rows are exchangeable. Errors out of fold use every row; what covers then is
no theorem without stability of the fit, so the coverage is measured on test rows and told.
Sources: Lei et al., Distribution-free predictive inference for regression, JASA 113 (2018)
1094-1111; Barber et al., Predictive inference with the jackknife+, Annals of Statistics 49 (2021)
486-507.
"""

import math

import numpy as np
from numpy.typing import NDArray

from driftline.errors import DataError

Floats = NDArray[np.float64]


def conformal_reach(
    errors: Floats, coverage: float, *, copies: int = 1, weights: Floats | None = None
) -> float:
    """The reach for a coverage; each row stands `copies` times in the errors.

    With weights, 1 on average, it is the quantile of the errors that count so, and the new row
    counts as the average one: the coverage is then of the people that the weights stand for.
    Source: Tibshirani et al., Conformal prediction under covariate shift, NeurIPS 2019.
    `DataError` where the rows are too few for any finite interval to cover so much.
    """
    rows = len(errors) // copies
    rank = _rank(rows, coverage)
    if rank > rows:
        message = (
            f"training rows: got {rows} errors to make intervals from, wanted at least "
            f"{least_rows(coverage)} for intervals.coverage {coverage:g}"
        )
        raise DataError(message)
    if weights is not None:
        return _weighted_reach(np.abs(errors), coverage, weights, copies)
    place = rank * copies - 1
    return float(np.partition(np.abs(errors), place)[place])


def _weighted_reach(sizes: Floats, coverage: float, weights: Floats, copies: int) -> float:
    order = np.argsort(sizes, kind="stable")
    sums = np.cumsum(weights[order]) / copies
    rows = len(sizes) // copies
    needed = coverage * sums[-1] * (rows + 1) / rows
    place = int(np.searchsorted(np.round(sums, 9), round(needed, 9), side="left"))
    return float(sizes[order][min(place, len(sizes) - 1)])


def least_rows(coverage: float) -> int:
    """The fewest errors that make a finite interval."""
    return math.ceil(round(coverage / (1 - coverage), 6))


def _rank(rows: int, coverage: float) -> int:
    return math.ceil(round((rows + 1) * coverage, 9))

"""Figures of merit of a number's answers and of the intervals around them.

`weights` has shape (resamples, rows), as in `driftline.metrics`. Lower is better for all but `r2`
and `interval_coverage`.
"""

from dataclasses import dataclass
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from driftline.losses import LossName, blind_answers, row_losses, weighted_median
from driftline.numbers import NumberSpec

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NUMBER_METRICS: Final = (
    "mae",
    "rmse",
    "median_absolute_error",
    "r2",
    "pinball",
    "interval_coverage",
    "interval_width",
)
HIGHER_IS_BETTER: Final = frozenset({"r2", "interval_coverage"})


@dataclass(frozen=True)
class Measured:
    """Rows with their true numbers, the answers (rows, 1), what intervals go by, and weights."""

    y: Floats
    answers: Floats
    spec: NumberSpec
    weights: Floats | None = None

    @property
    def probabilities(self) -> Floats:
        """The answers as every kind of answer is kept: (rows, figures of an answer)."""
        return self.answers

    @property
    def predicted(self) -> Floats:
        """The answer of each row."""
        return self.answers[:, 0]

    @property
    def threshold(self) -> None:
        """None: nothing is decided."""
        return

    @property
    def ends(self) -> tuple[Floats, Floats]:
        """The lower and upper end of each row's interval."""
        low, high = self.spec.ends
        reach = self.spec.reach
        return np.maximum(low, self.predicted - reach), np.minimum(high, self.predicted + reach)

    @property
    def is_covered(self) -> NDArray[np.bool_]:
        """Which rows' intervals hold the truth."""
        low, high = self.ends
        return np.asarray((low <= self.y) & (self.y <= high))

    def take(self, rows: Ints) -> "Measured":
        """The same for some of the rows."""
        weights = None if self.weights is None else self.weights[rows]
        return Measured(self.y[rows], self.answers[rows], self.spec, weights)

    def losses(self, metric: str) -> Floats:
        """What each row costs."""
        return row_losses(self.answers, self.y, cast("LossName", metric))

    def blind_losses(self, metric: str) -> Floats:
        """What each row would cost by the best constant answer."""
        name = cast("LossName", metric)
        return row_losses(blind_answers(self.y, name, width=1, weights=self.weights), self.y, name)

    def weigh(self, weights: Floats) -> dict[str, Floats]:
        """Each metric per resample; `r2` is nan where the truth does not vary.

        `pinball` is the quantile loss of the interval's two ends, each at its own level.
        Source: Koenker and Bassett, Regression quantiles, Econometrica 46 (1978) 33-50.
        """
        errors = np.abs(self.y - self.predicted)
        total = weights.sum(axis=1)
        squares = weights @ errors**2
        low, high = self.ends
        tail = (1 - self.spec.coverage) / 2
        pinball = (_pinball(self.y - low, tail) + _pinball(self.y - high, 1 - tail)) / 2
        return {
            "mae": weights @ errors / total,
            "rmse": np.sqrt(squares / total),
            "median_absolute_error": weighted_median(errors, weights),
            "r2": _explained(self.y, squares, weights),
            "pinball": weights @ pinball / total,
            "interval_coverage": weights @ self.is_covered / total,
            "interval_width": weights @ (high - low) / total,
        }


def _pinball(above: Floats, level: float) -> Floats:
    return np.maximum(level * above, (level - 1) * above)


def _explained(y: Floats, squares: Floats, weights: Floats) -> Floats:
    total = weights.sum(axis=1, keepdims=True)
    means = (weights @ y)[:, None] / total
    spread = (weights * (y - means) ** 2).sum(axis=1)
    out = np.full(len(weights), np.nan)
    np.divide(squares, spread, out=out, where=spread > 0)
    return 1 - out

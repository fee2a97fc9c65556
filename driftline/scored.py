"""Answers with their truth, whatever is predicted: what metrics, comparisons and pictures read."""

from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class ScoredRows(Protocol):
    """`driftline.metrics.Scored` of classes, or `driftline.measured.Measured` of a number."""

    @property
    def y(self) -> NDArray[Any]:
        """The truth of each row."""

    @property
    def probabilities(self) -> Floats:
        """The answers, shape (rows, figures of an answer)."""

    @property
    def threshold(self) -> float | None:
        """The decision threshold, where there is one."""

    @property
    def weights(self) -> Floats | None:
        """What each row counts, None where all count alike."""

    def take(self, rows: Ints) -> Self:
        """The same for some of the rows."""

    def losses(self, metric: str) -> Floats:
        """What each row costs."""

    def blind_losses(self, metric: str) -> Floats:
        """What each row would cost by the best constant answer."""

    def weigh(self, weights: Floats) -> dict[str, Floats]:
        """Each metric per resample."""

"""What a model promised when it was trained: its loss on rows it was not fitted on, and its recipe.

Out-of-fold answers of the whole training set are the baseline: a holdout is a fraction of them, and
a lucky or badly fitting one would hide harm or invent it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftline.candidates import CALIBRATION_FOLDS, CANDIDATES, build_calibrated
from driftline.losses import LossName, row_losses
from driftline.probe import Fit

Floats = NDArray[np.float64]
SEARCHED_AGAIN = 2.0  # a search is done again when the rows have doubled since the last one


@dataclass(frozen=True)
class Recipe:
    """How a model is made from rows; enough to make it again from others."""

    candidate: str
    params: Mapping[str, Any]
    is_calibrated: bool = False
    seed: int = 0
    searched_rows: int = 0  # how many rows it was searched and compared on

    @property
    def fit(self) -> Fit:
        """A function that fits a new model of this make."""

        def make(X: NDArray[np.float32], y: NDArray[np.int64]) -> Any:  # noqa: N803
            candidate = CANDIDATES[self.candidate]
            smallest = int(np.unique(y, return_counts=True)[1].min())
            if self.is_calibrated and smallest >= CALIBRATION_FOLDS:
                return build_calibrated(candidate, self.params, self.seed).fit(X, y)
            return candidate.build(self.params, self.seed).fit(X, y)

        return make


DEFAULT_RECIPE = Recipe("hist_gradient_boosting", CANDIDATES["hist_gradient_boosting"].defaults)


@dataclass(frozen=True)
class OutOfFold:
    """Answers on the training rows by models that did not learn from them, with their truth."""

    probabilities: Floats
    y: NDArray[np.int64]


@dataclass(frozen=True)
class Promise:
    """Mean loss per row out of fold, its deviation over rows, and the loss of the base rates.

    `use` tells how much the model relies on each column, as shares that sum to 1.
    """

    metric: LossName
    loss: float
    deviation: float
    rows: int
    base_loss: float
    recipe: Recipe
    use: Mapping[str, float]

    @property
    def skill(self) -> float:
        """What the model saves per row over answering the base rates; never below a trifle."""
        return max(self.base_loss - self.loss, 0.01 * self.base_loss, 1e-6)

    @property
    def has_skill(self) -> bool:
        """Whether it saves more than a trifle: else a share of its skill says nothing."""
        return self.base_loss - self.loss > max(0.01 * self.base_loss, 1e-6)

    @property
    def error(self) -> float:
        """The standard error of the promised loss."""
        return self.deviation / float(np.sqrt(max(self.rows, 1)))

    def to_document(self) -> dict[str, Any]:
        """The promise as JSON's own types."""
        return asdict(self)


def make_promise(
    answers: OutOfFold, *, metric: LossName, recipe: Recipe, use: Mapping[str, float]
) -> Promise:
    """What these answers promise."""
    y, classes = answers.y, answers.probabilities.shape[1]
    losses = row_losses(answers.probabilities, y, metric)
    rates = np.bincount(y, minlength=classes) / len(y)
    base = row_losses(np.tile(rates, (len(y), 1)), y, metric)
    return Promise(
        metric=metric,
        loss=float(losses.mean()),
        deviation=float(losses.std()),
        rows=len(y),
        base_loss=float(base.mean()),
        recipe=recipe,
        use=dict(use),
    )


def read_promise(document: Mapping[str, Any]) -> Promise:
    """What `to_document` wrote."""
    return Promise(**{**document, "recipe": Recipe(**document["recipe"])})

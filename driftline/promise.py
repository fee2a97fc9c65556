"""What a model promised when it was trained: its loss on rows it was not fitted on, and its recipe.

Out-of-fold answers of the whole training set are the baseline: a holdout is a fraction of them, and
a lucky or badly fitting one would hide harm or invent it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from driftline.candidates import CALIBRATION_FOLDS, CANDIDATES, build_calibrated
from driftline.design import EVEN, Design
from driftline.evaluation import keep_groups
from driftline.losses import NUMBER_LOSSES, LossName, blind_answers, row_losses
from driftline.probe import Fit
from driftline.regressors import REGRESSORS

Floats = NDArray[np.float64]
MADE_FROM = {"class": CANDIDATES, "number": REGRESSORS}
_MOSTLY = 0.99  # the share of answers whose loss is within the scale
SEARCHED_AGAIN = 2.0  # a search is done again when the rows have doubled since the last one


@dataclass(frozen=True)
class Recipe:
    """How a model is made from rows; enough to make it again from others."""

    candidate: str
    params: Mapping[str, Any]
    is_calibrated: bool = False
    seed: int = 0
    searched_rows: int = 0  # how many rows it was searched and compared on
    predicts: Literal["class", "number"] = "class"

    @property
    def fit(self) -> Fit:
        """A function that fits a new model of this make, with the rows' weights.

        The folds that a calibration learns from have the rows of a group together.
        """

        def make(X: NDArray[np.float32], y: NDArray[Any], design: Design = EVEN) -> Any:  # noqa: N803
            candidate = MADE_FROM[self.predicts][self.candidate]
            if not self.is_calibrated or not _can_calibrate(y, design):
                return design.fit(candidate.build(self.params, self.seed), X, y)
            folds = calibration_folds(y, design, seed=self.seed)
            return design.fit(build_calibrated(candidate, self.params, self.seed, folds), X, y)

        return make


def _can_calibrate(y: NDArray[Any], design: Design) -> bool:
    counts = np.unique(y[design.one_a_group(y)], return_counts=True)[1]
    return int(counts.min()) >= CALIBRATION_FOLDS


def calibration_folds(y: NDArray[Any], design: Design, *, seed: int) -> Any:
    """The folds that a calibration learns from, where the rows' groups ask for some."""
    if design.groups is None:
        return None
    return keep_groups(y, design.groups, folds=CALIBRATION_FOLDS, seed=seed)


DEFAULT_RECIPE = Recipe("hist_gradient_boosting", CANDIDATES["hist_gradient_boosting"].defaults)


@dataclass(frozen=True)
class OutOfFold:
    """Answers on the training rows by models that did not learn from them, with their truth."""

    probabilities: Floats
    y: NDArray[Any]


@dataclass(frozen=True)
class Promise:
    """Mean loss per row out of fold, its deviation over rows, and the best constant answer's loss.

    `use` tells how much the model relies on each column, as shares that sum to 1. `scale` is what a
    row's loss mostly reaches, by which evidence is bounded: 1 for probabilities, for a number the
    loss that 99 % of the answers out of fold stay below.
    """

    metric: LossName
    loss: float
    deviation: float
    rows: int
    base_loss: float
    recipe: Recipe
    use: Mapping[str, float]
    scale: float = 1.0

    @property
    def skill(self) -> float:
        """What the model saves per row over the best constant answer; never below a trifle."""
        return max(self.base_loss - self.loss, 0.01 * self.base_loss, 1e-6 * self.scale)

    @property
    def has_skill(self) -> bool:
        """Whether it saves more than a trifle: else a share of its skill says nothing."""
        return self.base_loss - self.loss > max(0.01 * self.base_loss, 1e-6 * self.scale)

    @property
    def blind(self) -> str:
        """The best constant answer, which skill is counted from."""
        return {"absolute_error": "the median", "squared_error": "the mean"}.get(
            self.metric, "the base rates"
        )

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
    y, width = answers.y, answers.probabilities.shape[1]
    losses = row_losses(answers.probabilities, y, metric)
    base = row_losses(blind_answers(y, metric, width=width), y, metric)
    scale = float(np.quantile(losses, _MOSTLY)) if metric in NUMBER_LOSSES else 1.0
    return Promise(
        metric=metric,
        loss=float(losses.mean()),
        deviation=float(losses.std()),
        rows=len(y),
        base_loss=float(base.mean()),
        recipe=recipe,
        use=dict(use),
        scale=max(scale, np.finfo(np.float32).tiny.item()),
    )


def read_promise(document: Mapping[str, Any]) -> Promise:
    """What `to_document` wrote."""
    return Promise(**{**document, "recipe": Recipe(**document["recipe"])})

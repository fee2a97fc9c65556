"""What a model's losses are likely to be on rows whose labels have not come.

Rests on one assumption, that the truth still follows from the inputs as it did: no method without
labels can see it fail. `driftline.calibration.check_calibration` tests it as labels trickle in.
"""

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Final, Literal, cast

import numpy as np
from numpy.typing import NDArray

from driftline.calibration import Calibrator, fit_calibrator
from driftline.density import measure_ratios
from driftline.losses import LossName, row_losses

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
EstimatedMetric = Literal["brier", "log_loss", "error", "roc_auc"]
_NUDGE: Final = 1e-4


@dataclass(frozen=True)
class Estimator:
    """Labelled reference rows that the model was not fitted on, and the calibration they show.

    `effective_rows` is how many of them count for what is to be estimated.
    """

    probabilities: Floats
    y: Ints
    calibrator: Calibrator
    effective_rows: float
    method: Literal["CBPE", "PAPE"] = "CBPE"


@dataclass(frozen=True)
class Estimate:
    """The expected loss on rows like the current ones, with its interval; lower is better.

    For `roc_auc` the loss is 1 minus it. `effective_rows` is what the reference rows are worth
    after weighting: where few are like the current rows, the interval is wide and so is the doubt.
    """

    metric: EstimatedMetric
    loss: float
    low: float
    high: float
    rows: int
    effective_rows: float
    method: Literal["CBPE", "PAPE"]

    def is_worse_than(self, reference_loss: float, bound: float = 0.0) -> bool:
        """Whether the loss has risen over `reference_loss` by more than `bound`, beyond noise."""
        return self.low > reference_loss + bound

    @property
    def description(self) -> str:
        """The estimate as one sentence."""
        name = "1 - roc_auc" if self.metric == "roc_auc" else self.metric
        return (
            f"{name} is likely {self.loss:.4f} [{self.low:.4f}, {self.high:.4f}] on rows like "
            f"these {self.rows} without labels ({self.method}, by {self.effective_rows:.0f} "
            "reference rows), if the truth follows from the inputs as before"
        )


def fit_estimator(reference_probabilities: Floats, reference_y: Ints) -> Estimator:
    """Learn from rows that the model was not fitted on (out of fold, or held out) how it errs.

    Probabilities are (rows, classes), the truth holds class indices. By itself this is CBPE.
    Source: Białek, Kuberski, Perrakis and Bifet, arXiv 2401.08348.
    """
    calibrator = fit_calibrator(reference_probabilities, reference_y)
    rows = float(len(reference_y))
    return Estimator(reference_probabilities, reference_y, calibrator, rows)


def adapt_estimator(
    estimator: Estimator,
    reference_X: NDArray[Any],  # noqa: N803
    current_X: NDArray[Any],  # noqa: N803
    *,
    seed: int,
) -> Estimator:
    """The estimator for rows like the current ones: PAPE.

    Calibration is learnt anew from the reference rows, weighted by how much commoner such rows are
    now: under a change of the inputs alone the same score comes to mean something else.
    Source: Białek, Kuberski, Perrakis and Bifet, arXiv 2401.08348.
    """
    ratios = measure_ratios(reference_X, current_X, seed=seed)
    calibrator = fit_calibrator(estimator.probabilities, estimator.y, ratios.reference)
    return Estimator(
        estimator.probabilities, estimator.y, calibrator, ratios.effective_rows, "PAPE"
    )


def estimate_performance(
    estimator: Estimator,
    current_probabilities: Floats,
    current_X: NDArray[Any] | None = None,  # noqa: N803
    reference_X: NDArray[Any] | None = None,  # noqa: N803
    *,
    metric: EstimatedMetric = "brier",
    current_predicted: Ints | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """The expected loss on rows like the current ones; with inputs of both sides adapted to them.

    The interval counts the noise of the reference rows (by the delta method, sandwich covariance)
    and of the current rows, but not that of the weights. `current_predicted` are decisions, for
    `error`; by default the most probable class.
    """
    if (current_X is None) != (reference_X is None):
        message = "got inputs of one side, wanted current_X and reference_X together"
        raise ValueError(message)
    if current_X is not None and reference_X is not None:
        estimator = adapt_estimator(estimator, reference_X, current_X, seed=seed)
    loss, error = _expect(estimator.calibrator, current_probabilities, metric, current_predicted)
    reach = NormalDist().inv_cdf((1 + confidence) / 2) * error
    return Estimate(
        metric=metric,
        loss=loss,
        low=max(0.0, loss - reach),
        high=loss + reach,
        rows=len(current_probabilities),
        effective_rows=estimator.effective_rows,
        method=estimator.method,
    )


def _expect(
    calibrator: Calibrator, p: Floats, metric: EstimatedMetric, predicted: Ints | None
) -> tuple[float, float]:
    """The expected loss and its standard error."""

    def expected(theta: Floats) -> tuple[float, Floats]:
        q = calibrator.calibrate(p, theta)
        if metric == "roc_auc":
            return _expect_auc(p, q)
        rows = _losses_by_truth(p, metric, predicted) * q
        each = rows.sum(axis=1)
        return float(each.mean()), each

    theta = calibrator.coefficients
    loss, each = expected(theta)
    nudges = _NUDGE * np.eye(len(theta))
    slope = np.array(
        [(expected(theta + n)[0] - expected(theta - n)[0]) / (2 * _NUDGE) for n in nudges]
    )
    by_reference = float(slope @ calibrator.covariance @ slope)
    return loss, float(np.sqrt(by_reference + each.var(ddof=1) / len(p)))


def _losses_by_truth(p: Floats, metric: EstimatedMetric, predicted: Ints | None) -> Floats:
    """What each row would cost if the truth were each class, shape (rows, classes)."""
    name = cast("LossName", metric)
    truths = [np.full(len(p), k, dtype=np.int64) for k in range(p.shape[1])]
    return np.stack([row_losses(p, y, name, predicted=predicted) for y in truths], axis=1)


def _expect_auc(p: Floats, q: Floats) -> tuple[float, Floats]:
    """1 - AUC with every row a positive by q and a negative by 1 - q, and each row's influence.

    With more than two classes, the mean over each class against the rest.
    """
    classes = [1] if p.shape[1] == 2 else range(p.shape[1])  # noqa: PLR2004 - two classes
    areas, influence = [], np.zeros(len(p))
    for k in classes:
        positive, negative = q[:, k] / q[:, k].sum(), (1 - q[:, k]) / (1 - q[:, k]).sum()
        below, above = _outranked(p[:, k], negative), 1 - _outranked(p[:, k], positive)
        area = float(positive @ below)
        areas.append(area)
        parts = positive * (below - area) + negative * (above - area)
        influence -= parts * len(p) / len(classes)
    return 1 - float(np.mean(areas)), influence


def _outranked(scores: Floats, weights: Floats) -> Floats:
    """The weight of the rows that each score outranks, ties counting half."""
    order = np.argsort(scores, kind="stable")
    ordered, sums = scores[order], np.r_[0.0, np.cumsum(weights[order])]
    low = sums[np.searchsorted(ordered, scores, side="left")]
    high = sums[np.searchsorted(ordered, scores, side="right")]
    middle: Floats = (low + high) / 2
    return middle

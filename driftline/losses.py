"""What one answered row costs: the per-row losses that every comparison and every figure rests on.

With two classes the Brier loss counts the positive class once, with more it sums over the classes.
Answers are arrays (rows, classes) of probabilities, or (rows, 1) of numbers.
"""

from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

LossName = Literal["brier", "log_loss", "error", "absolute_error", "squared_error"]
CLASS_LOSSES: Final = ("log_loss", "brier", "error")
NUMBER_LOSSES: Final = ("absolute_error", "squared_error")
Floats = NDArray[np.float64]
LEAST_PROBABILITY: Final = 1e-6  # a log loss is cut there: one surprise must not decide everything


def row_losses(
    probabilities: Floats,
    y: NDArray[Any],
    metric: LossName,
    *,
    predicted: NDArray[Any] | None = None,
) -> Floats:
    """Loss of each row, lower is better.

    `probabilities` has shape (rows, classes), `y` holds class indices; `error` needs the decisions.
    Errors of a number are in the target's unit, or its square: answers (rows, 1), `y` the numbers.
    Source of the Brier score: Brier, Monthly Weather Review 78 (1950) 1-3.
    """
    if metric in NUMBER_LOSSES:
        errors: Floats = np.abs(probabilities[:, 0] - y)
        return errors if metric == "absolute_error" else errors**2
    if metric == "error":
        decided = probabilities.argmax(axis=1) if predicted is None else predicted
        return np.asarray(y != decided, dtype=np.float64)
    rows = np.arange(len(y))
    if metric == "log_loss":
        return np.asarray(-np.log(np.clip(probabilities[rows, y], LEAST_PROBABILITY, 1.0)))
    classes = probabilities.shape[1]
    squares = ((probabilities - np.eye(classes)[y]) ** 2).sum(axis=1)
    return np.asarray(squares / (2 if classes == 2 else 1))  # noqa: PLR2004 - two classes


def blind_answers(
    y: NDArray[Any], metric: LossName, *, width: int, weights: Floats | None = None
) -> Floats:
    """The best constant answer in a loss: the classes' shares, the median, or the mean."""
    if metric == "absolute_error":
        counted = np.ones(len(y)) if weights is None else weights
        constant = weighted_median(y, counted[None, :])
    elif metric == "squared_error":
        constant = np.array([np.average(y, weights=weights)])
    else:
        counts = np.bincount(y, weights=weights, minlength=width)
        constant = counts / counts.sum()
    return np.tile(constant, (len(y), 1))


def weighted_median(values: Floats, weights: Floats) -> Floats:
    """The middle of the values, each counted as often as its weight says: (samples, rows)."""
    order = np.argsort(values, kind="stable")
    counts = np.cumsum(weights[:, order], axis=1)
    half = counts[:, -1:] / 2
    lower, upper = (counts >= half).argmax(axis=1), (counts > half).argmax(axis=1)
    middle: Floats = (values[order][lower] + values[order][upper]) / 2
    return middle


def weighted_mean(values: Floats, weights: Floats | None = None) -> tuple[float, float]:
    """The mean of rows that count by their weights, and its standard error.

    With weights it is the ratio estimator of a mean, whose error is linearised with rows drawn
    independently. Source: Särndal et al., Model Assisted Survey Sampling (1992), 5.7.
    """
    rows = len(values)
    mean = float(np.average(values, weights=weights))
    if rows < 2:  # noqa: PLR2004 - no variance of one
        return mean, 0.0
    if weights is None:
        return mean, float(values.std(ddof=1) / np.sqrt(rows))
    parts = weights * (values - mean) / weights.sum()
    return mean, float(np.sqrt(rows / (rows - 1) * (parts**2).sum()))


def largest_loss(metric: LossName, classes: int) -> float:
    """The most that one row can cost."""
    if metric == "log_loss":
        return float(-np.log(LEAST_PROBABILITY))
    return 2.0 if metric == "brier" and classes > 2 else 1.0  # noqa: PLR2004 - two classes

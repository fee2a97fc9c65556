"""Which candidate wins: by cross-validation alone, and the simpler one where noise decides."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from driftline.evaluation import CrossValidated
from driftline.losses import row_losses, weighted_mean
from driftline.problem import Goal


def choose_winner(results: Mapping[str, CrossValidated], goal: Goal) -> str:
    """The simplest candidate whose shortfall to the best is within one standard error.

    Candidates that meet the goal's conditions on their cross-validated means go first; if none
    does, those that come nearest. The standard error is of the paired differences over folds.
    `results` goes from simple to complex. The dummy wins only when it stands alone.
    Source: Breiman et al., Classification and Regression Trees (1984), the one-standard-error rule.
    """
    runners = [name for name in results if name != "dummy"] or list(results)
    missed = {name: round(_shortfall(results[name], goal), 6) for name in runners}
    eligible = [name for name in runners if missed[name] == min(missed.values())]
    sign = -1 if goal.is_low_best else 1
    best = max(eligible, key=lambda name: sign * results[name].mean(goal.metric))
    for name in eligible:
        ahead = sign * (results[best].per_fold[goal.metric] - results[name].per_fold[goal.metric])
        if float(np.nanmean(ahead)) <= _standard_error(ahead):
            return name
    return best


def _shortfall(result: CrossValidated, goal: Goal) -> float:
    return sum(max(0.0, floor - result.mean(name)) for name, floor in goal.subject_to.items())


def _standard_error(values: np.ndarray) -> float:
    usable = values[np.isfinite(values)]
    return float(np.std(usable, ddof=1) / np.sqrt(len(usable))) if len(usable) > 1 else 0.0


def is_calibration_helpful(
    plain: CrossValidated,
    calibrated: CrossValidated,
    y: NDArray[np.int64],
    weights: NDArray[np.float64] | None = None,
) -> bool:
    """Whether calibration lowers the Brier score of the same rows by more than its noise.

    `y` holds the class index of each row, which counts by its weight.
    """
    gains = [
        row_losses(before, y, "brier") - row_losses(after, y, "brier")
        for before, after in zip(plain.probabilities, calibrated.probabilities, strict=True)
    ]
    gain = np.mean(gains, axis=0)
    mean, error = weighted_mean(gain, weights)
    return mean > error

"""Figures of merit of a classifier, each with weights so that one pass serves a whole bootstrap.

`weights` has shape (resamples, rows); plain metrics are the case of one resample of ones. With two
classes a metric speaks of the positive class; with more it is the plain mean over classes (macro).
Higher is better for all but `brier` and `ece`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from driftline.curves import average_precision, calibration_error, divide, roc_auc
from driftline.deciding import Costs, decide_by_costs
from driftline.losses import LossName, blind_answers, row_losses
from driftline.scored import ScoredRows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DECISION_METRICS: Final = (
    "accuracy",
    "precision",
    "recall",
    "specificity",
    "f1",
    "balanced_accuracy",
    "lowest_recall",
    "net_benefit",
)
METRICS: Final = (*DECISION_METRICS, "roc_auc", "pr_auc", "brier", "ece", "cost")
BINARY_METRICS: Final = ("specificity", "net_benefit")
COST: Final = "cost"  # of the average row, the dearest mistake being 1
LOWER_IS_BETTER: Final = frozenset({"brier", "ece", COST})
_CELLS_AT_ONCE: Final = 4_000_000


@dataclass(frozen=True)
class Scored:
    """Rows with their truth, probabilities (rows, classes), decisions, threshold and weights."""

    y: Ints
    probabilities: Floats
    predicted: Ints
    positive: int | None
    threshold: float | None
    weights: Floats | None = None
    costs: Costs = ()

    def take(self, rows: Ints) -> "Scored":
        """The same for some of the rows."""
        return Scored(
            y=self.y[rows],
            probabilities=self.probabilities[rows],
            predicted=self.predicted[rows],
            positive=self.positive,
            threshold=self.threshold,
            weights=None if self.weights is None else self.weights[rows],
            costs=self.costs,
        )

    def losses(self, metric: str) -> Floats:
        """What each row costs."""
        if metric == COST:
            return self._matrix[self.y, self.predicted]
        name = cast("LossName", metric)
        return row_losses(self.probabilities, self.y, name, predicted=self.predicted)

    def blind_losses(self, metric: str) -> Floats:
        """What each row would cost by the classes' shares alone."""
        if metric == COST:
            blind = blind_answers(self.y, "error", width=self._width, weights=self.weights)
            return replace(self, predicted=decide_by_costs(blind, self.costs)).losses(COST)
        name = cast("LossName", metric)
        shares = blind_answers(self.y, name, width=self._width, weights=self.weights)
        return row_losses(shares, self.y, name)

    @property
    def _width(self) -> int:
        return int(self.probabilities.shape[1])

    @property
    def _matrix(self) -> Floats:
        """What each answer costs, truth by answer: every miss alike where nothing is declared."""
        costs = np.asarray(self.costs or (1.0,) * self._width)
        return costs if costs.ndim > 1 else costs[:, None] * (1 - np.eye(len(costs)))

    def weigh(self, weights: Floats) -> dict[str, Floats]:
        """Each metric per resample."""
        if self.positive is not None:
            return _binary_metrics(self, weights)
        return _macro_metrics(self, weights)


def compute_metrics(scored: ScoredRows) -> dict[str, float]:
    """Each metric of these rows; those that are undefined on them (one class only) are nan."""
    weights = base_weights(scored)[None, :]
    return {name: float(values[0]) for name, values in scored.weigh(weights).items()}


def base_weights(scored: ScoredRows) -> Floats:
    """What each row counts: its sampling weight, else 1."""
    return np.ones(len(scored.y)) if scored.weights is None else scored.weights


def bootstrap_intervals(
    scored: ScoredRows, *, seed: int, resamples: int = 1000, coverage: float = 0.95
) -> dict[str, tuple[float, float]]:
    """Percentile bootstrap interval of each metric over resampled rows.

    Rows with sampling weights are redrawn with their weights. The interval is then of the figure
    over the people that the weights stand for, as it would vary from sample to sample if rows were
    drawn independently, with weights that are right as they stand: strata and clusters of a survey
    are not known here, and clusters make the true interval wider.
    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
    """
    rows = len(scored.y)
    rng = np.random.default_rng(seed)
    chunk = max(1, min(resamples, _CELLS_AT_ONCE // max(rows, 1)))
    parts: list[dict[str, Floats]] = []
    for start in range(0, resamples, chunk):
        count = min(chunk, resamples - start)
        weights = np.stack(
            [np.bincount(rng.integers(0, rows, rows), minlength=rows) for _ in range(count)]
        ).astype(np.float64)
        parts.append(scored.weigh(weights * base_weights(scored)))
    tail = (1 - coverage) / 2 * 100
    intervals = {}
    for name in parts[0]:
        values = np.concatenate([part[name] for part in parts])
        values = values[np.isfinite(values)]
        if len(values):
            low, high = np.percentile(values, [tail, 100 - tail])
            intervals[name] = (float(low), float(high))
    return intervals


def weighted_metric(scored: Scored, weights: Floats, metric: str) -> Floats:
    """One decision metric, `roc_auc` or `pr_auc`, per resample; weights are (resamples, rows)."""
    ranks = {"roc_auc": roc_auc, "pr_auc": average_precision}
    positive = scored.positive
    if positive is None:
        if metric in ranks:
            return _mean_over_classes(ranks[metric], scored, weights)
        return _macro_decisions(scored, weights)[metric]
    truth = scored.y == positive
    if metric in ranks:
        return ranks[metric](truth, scored.probabilities[:, positive], weights)
    return _binary_decisions(scored, weights)[metric]


def decide(
    probabilities: Floats,
    *,
    positive: int | None,
    threshold: float | None,
    costs: Costs = (),
) -> Ints:
    """Class index per row: the positive class from its threshold on, else the most probable.

    With costs, at most 1, it is the class that is expected to cost the least: with a cost of
    missing each class the one whose cost times probability is the highest. Where several are as
    cheap, it is the first: votes of trees tie exactly, and must not be told apart by the last
    digit. Source: Elkan, The foundations of cost-sensitive learning, IJCAI 2001.
    """
    if positive is None or threshold is None:
        return decide_by_costs(probabilities, costs)
    is_positive = probabilities[:, positive] >= threshold
    return np.asarray(np.where(is_positive, positive, 1 - positive), dtype=np.int64)


def score_rows(
    probabilities: Floats,
    y: Ints,
    *,
    positive: int | None,
    threshold: float | None,
    costs: Costs = (),
    weights: Floats | None = None,
) -> Scored:
    """Probabilities with the decisions that follow from them."""
    predicted = decide(probabilities, positive=positive, threshold=threshold, costs=costs)
    return Scored(
        y=y,
        probabilities=probabilities,
        predicted=predicted,
        positive=positive,
        threshold=threshold,
        weights=weights,
        costs=costs,
    )


def metrics_from_confusion(
    tp: Floats, fp: Floats, fn: Floats, tn: Floats, threshold: Floats
) -> dict[str, Floats]:
    """The decision metrics from (weighted) confusion counts; 0 where a denominator is 0.

    Net benefit at probability threshold t is TP/n - FP/n * t/(1-t).
    Source: Vickers and Elkin, Medical Decision Making 26 (2006) 565-574.
    """
    total = tp + fp + fn + tn
    recall, specificity = divide(tp, tp + fn), divide(tn, tn + fp)
    odds = threshold / np.maximum(1 - threshold, 1e-12)
    return {
        "accuracy": divide(tp + tn, total),
        "precision": divide(tp, tp + fp),
        "recall": recall,
        "specificity": specificity,
        "f1": divide(2 * tp, 2 * tp + fp + fn),
        "balanced_accuracy": (recall + specificity) / 2,
        "lowest_recall": np.minimum(recall, specificity),
        "net_benefit": divide(tp - fp * odds, total),
    }


def _binary_metrics(scored: Scored, weights: Floats) -> dict[str, Floats]:
    positive = scored.positive
    truth = scored.y == positive
    p = scored.probabilities[:, positive]
    return _binary_decisions(scored, weights) | {
        "roc_auc": roc_auc(truth, p, weights),
        "pr_auc": average_precision(truth, p, weights),
        "brier": _brier(scored, weights),
        "ece": calibration_error(truth, p, weights),
    }


def _binary_decisions(scored: Scored, weights: Floats) -> dict[str, Floats]:
    positive = scored.positive
    tp, fp, fn, tn = _confusion(scored.y == positive, scored.predicted == positive, weights)
    threshold = np.full(len(weights), 0.5 if scored.threshold is None else scored.threshold)
    return metrics_from_confusion(tp, fp, fn, tn, threshold)


def _macro_decisions(scored: Scored, weights: Floats) -> dict[str, Floats]:
    half = np.full(len(weights), 0.5)
    per_class = [
        metrics_from_confusion(*_confusion(scored.y == k, scored.predicted == k, weights), half)
        for k in range(scored.probabilities.shape[1])
    ]
    macro: dict[str, Floats] = {
        name: np.mean([values[name] for values in per_class], axis=0)
        for name in ("precision", "recall", "f1")
    }
    right = weights @ (scored.y == scored.predicted)
    recalls = np.array([values["recall"] for values in per_class])
    occurs = np.array([weights @ (scored.y == k) > 0 for k in range(len(per_class))])
    return macro | {
        "accuracy": divide(right, weights.sum(axis=1)),
        "balanced_accuracy": divide((recalls * occurs).sum(axis=0), occurs.sum(axis=0)),
        "lowest_recall": np.where(occurs, recalls, 1.0).min(axis=0),
    }


def _macro_metrics(scored: Scored, weights: Floats) -> dict[str, Floats]:
    right = scored.y == scored.predicted
    confidence = scored.probabilities[np.arange(len(scored.y)), scored.predicted]
    cost = {COST: divide(weights @ scored.losses(COST), weights.sum(axis=1))}
    return (_macro_decisions(scored, weights) | (cost if scored.costs else {})) | {
        "roc_auc": _mean_over_classes(roc_auc, scored, weights),
        "pr_auc": _mean_over_classes(average_precision, scored, weights),
        "brier": _brier(scored, weights),
        "ece": calibration_error(right, confidence, weights),
    }


def _brier(scored: Scored, weights: Floats) -> Floats:
    losses = row_losses(scored.probabilities, scored.y, "brier")
    return divide(weights @ losses, weights.sum(axis=1))


def _mean_over_classes(
    metric: Callable[[NDArray[np.bool_], Floats, Floats], Floats], scored: Scored, weights: Floats
) -> Floats:
    classes = range(scored.probabilities.shape[1])
    values = [metric(scored.y == k, scored.probabilities[:, k], weights) for k in classes]
    mean: Floats = np.mean(values, axis=0)
    return mean


def _confusion(
    truth: NDArray[np.bool_], flagged: NDArray[np.bool_], weights: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    return (
        weights @ (truth & flagged),
        weights @ (~truth & flagged),
        weights @ (truth & ~flagged),
        weights @ (~truth & ~flagged),
    )

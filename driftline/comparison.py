"""Two models on the same unseen rows: by how much is one better, and how sure is that?

Judged in the problem's own goal. A gain is positive where the challenger is better, whichever way
the metric points. Whether it suffices is for `driftline.promotion` to say.
"""

from dataclasses import dataclass
from typing import Final, Literal, cast

import numpy as np
from numpy.typing import NDArray

from driftline.losses import weighted_mean
from driftline.metrics import DECISION_METRICS, Scored, base_weights, weighted_metric
from driftline.problem import ROW_LOSSES, Comparison
from driftline.ranking import compare_ranking
from driftline.scored import ScoredRows

Floats = NDArray[np.float64]
Role = Literal["champion", "baseline"]

RESAMPLES: Final = 2000
RANKING_METRICS: Final = ("roc_auc", "pr_auc")
SHORTFALL_WEIGHT: Final = 5.0
MARGIN_SHARE: Final = 0.1


@dataclass(frozen=True)
class Improvement:
    """What the challenger gains in the metric over another model, on `rows` paired rows.

    `low` and `high` each bound the gain from one side at the policy's confidence; a loss of less
    than `margin` counts as no worse. The role says what the other model is.
    """

    against: str
    metric: str
    rows: int
    mean: float
    low: float
    high: float
    margin: float = 0.0
    role: Role = "champion"

    @property
    def is_superior(self) -> bool:
        """Whether the challenger is better beyond noise."""
        return self.low > 0

    @property
    def is_non_inferior(self) -> bool:
        """Whether the challenger is, beyond noise, at most the margin worse."""
        return self.low > -self.margin


def compare_pairwise(
    challenger: ScoredRows,
    other: ScoredRows,
    policy: Comparison,
    *,
    against: str,
    seed: int,
    role: Role = "champion",
) -> Improvement:
    """The challenger's gain over `other` on the same rows in the same order.

    Areas go by their rows' parts (DeLong's test for `roc_auc`), a loss per row (`brier`,
    `log_loss`, `error`) by Student's paired t, all else by a paired bootstrap within each class.
    Rows with sampling weights count by them in each of the three: a gain is one over the people
    that the weights stand for, its error that of rows drawn independently with such weights.

    Under conditions (`subject_to`, such as recall >= 0.95) each model is judged at its own
    threshold, and what it lacks of a condition is taken off its value five times over. So a model
    cannot win by sliding below the floor (along a ROC curve a point of recall buys some two to
    three points of precision), a champion that has fallen below it is beaten by one that keeps it,
    and above the floor only the goal counts. The alternative, to refuse a challenger whose recall
    is proven too low and to compare precision alone, keeps a champion that no longer finds the
    ill. A proper score (`brier`, `log_loss`) needs fewer rows to tell two models apart, but does
    not ask the problem's question; `comparison.metric` names one where that is wanted.

    Of the baseline it is asked only whether the model has learnt anything. Its decisions are all
    alike and lack nothing of a condition, so where the goal is about decisions the Brier score
    tells instead.
    """
    if role == "baseline" and policy.metric in DECISION_METRICS:
        policy = policy.model_copy(update={"metric": "brier", "subject_to": {}, "margin": None})
    metric = policy.metric or "brier"
    measured = _measure(challenger, other, policy, metric, seed=seed)
    conditions = [f"{name} >= {floor:g}" for name, floor in policy.subject_to.items()]
    label = f"{metric} subject to {', '.join(conditions)}" if conditions else metric
    if measured is None:
        return Improvement(against, label, 0, 0.0, 0.0, 0.0, role=role)
    mean, low, high = measured
    margin = policy.margin
    if margin is None:
        margin = MARGIN_SHARE * max(0.0, measure_skill(other, policy))
    return Improvement(against, label, len(challenger.y), mean, low, high, margin, role)


def measure_skill(rows: ScoredRows, policy: Comparison) -> float:
    """What a model gains in the policy's metric over answers that know the classes' shares only.

    For a loss that is the constant answer (the median of a number, for its absolute error), for
    decisions the same number of each at random.
    """
    metric = policy.metric or "brier"
    if metric in ROW_LOSSES:
        saved = rows.blind_losses(metric) - rows.losses(metric)
        return float(np.average(saved, weights=rows.weights))
    scored = cast("Scored", rows)
    counted = base_weights(scored)
    shares = np.bincount(scored.y, counted, scored.probabilities.shape[1]) / counted.sum()
    value = float(_value(scored, counted[None, :], policy, metric)[0])
    if metric == "roc_auc":
        return value - 0.5
    if metric == "pr_auc":
        is_binary = scored.positive is not None
        return value - float(shares[scored.positive] if is_binary else shares.mean())
    return value - _value_by_chance(scored, metric)


def _measure(
    challenger: ScoredRows, other: ScoredRows, policy: Comparison, metric: str, *, seed: int
) -> tuple[float, float, float] | None:
    from scipy.stats import t

    rows = len(challenger.y)
    if rows < 2:  # noqa: PLR2004 - no variance of one
        return None
    one, two = cast("Scored", challenger), cast("Scored", other)  # all but losses are of classes
    if metric in RANKING_METRICS:
        compared = compare_ranking(one, two, metric)
        if compared is None:
            return None
        mean, error = compared
    elif metric in ROW_LOSSES:
        saved = other.losses(metric) - challenger.losses(metric)
        mean, error = weighted_mean(saved, challenger.weights)
    else:
        return _bootstrap(one, two, policy, metric, seed=seed)
    reach = float(t.ppf(policy.confidence, rows - 1)) * error
    return mean, mean - reach, mean + reach


def _bootstrap(
    challenger: Scored, other: Scored, policy: Comparison, metric: str, *, seed: int
) -> tuple[float, float, float]:
    """The gain with percentile bounds, over rows redrawn within each class.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapters 8 and 13.
    """
    one, two, codes = _collapse(challenger, other)
    rng = np.random.default_rng(seed)
    if challenger.weights is None:
        weights = _redraw(one.y, np.bincount(codes), rng)
    else:
        weights = _redraw_weighted(challenger.y, codes, challenger.weights, rng)
    gains = _value(one, weights, policy, metric) - _value(two, weights, policy, metric)
    tail = 1 - policy.confidence
    low, high = np.quantile(gains[1:], [tail, 1 - tail])
    return float(gains[0]), float(low), float(high)


def _value(scored: Scored, weights: Floats, policy: Comparison, metric: str) -> Floats:
    value = weighted_metric(scored, weights, metric)
    for name, floor in policy.subject_to.items():
        lacking = np.maximum(0.0, floor - weighted_metric(scored, weights, name))
        value = value - SHORTFALL_WEIGHT * lacking
    return value


def _collapse(one: Scored, other: Scored) -> tuple[Scored, Scored, NDArray[np.int64]]:
    """One row per (truth, decision, decision) that occurs, and which each row is: it needs no more.

    Redrawing their counts is redrawing the rows, at a cost that does not grow with their number.
    """
    width = one.probabilities.shape[1]
    codes, cells = np.unique(
        (one.y * width + one.predicted) * width + other.predicted, return_inverse=True
    )
    y, first, second = codes // width**2, codes // width % width, codes % width
    empty = np.zeros((len(codes), width))
    return (
        Scored(y, empty, first, one.positive, one.threshold),
        Scored(y, empty, second, other.positive, other.threshold),
        cells,
    )


def _redraw(y: NDArray[np.int64], counts: NDArray[np.int64], rng: np.random.Generator) -> Floats:
    """The counts as they are, then redrawn within each class, once a row."""
    weights = np.tile(counts.astype(np.float64), (1 + RESAMPLES, 1))
    for k in np.unique(y):
        cells = np.flatnonzero(y == k)
        size = int(counts[cells].sum())
        weights[1:, cells] = rng.multinomial(size, counts[cells] / size, size=RESAMPLES)
    return weights


def _redraw_weighted(
    y: NDArray[np.int64], cells: NDArray[np.int64], weights: Floats, rng: np.random.Generator
) -> Floats:
    """The weight of each cell as it is, then of rows redrawn within each class."""
    width = int(cells.max()) + 1
    sums = np.zeros((1 + RESAMPLES, width))
    sums[0] = np.bincount(cells, weights, width)
    for k in np.unique(y):
        rows = np.flatnonzero(y == k)
        for resample in range(1, 1 + RESAMPLES):
            drawn = rows[rng.integers(0, len(rows), len(rows))]
            sums[resample] += np.bincount(cells[drawn], weights[drawn], width)
    return sums


def _value_by_chance(scored: Scored, metric: str) -> float:
    """The metric of as many decisions of each kind, made without regard to the truth."""
    width = scored.probabilities.shape[1]
    counted = base_weights(scored)
    truths = np.bincount(scored.y, counted, width)
    decisions = np.bincount(scored.predicted, counted, width)
    y, predicted = np.divmod(np.arange(width * width), width)
    pairs = Scored(y, np.zeros((len(y), width)), predicted, scored.positive, scored.threshold)
    weights = (truths[y] * decisions[predicted] / counted.sum())[None, :]
    return float(weighted_metric(pairs, weights, metric)[0])

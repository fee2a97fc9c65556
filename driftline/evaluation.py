"""Cross-validation: what a candidate does on rows it was not fitted on, and how that varies."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from driftline.answers import Build, Fold, cross_answer
from driftline.deciding import Costs
from driftline.design import EVEN, Design
from driftline.metrics import METRICS, compute_metrics, score_rows
from driftline.problem import Goal
from driftline.thresholds import choose_threshold, count_effective

if TYPE_CHECKING:
    from sklearn.model_selection import PredefinedSplit

SMALL_TABLE_ROWS = 1000
SMALL_TABLE_REPEATS = 3


@dataclass(frozen=True)
class CrossValidated:
    """Out-of-fold answers per repeat, and each metric and the rule per fold."""

    probabilities: tuple[NDArray[np.float64], ...]
    per_fold: dict[str, NDArray[np.float64]]
    thresholds: NDArray[np.float64]
    excess_std: dict[str, float]

    def mean(self, metric: str) -> float:
        """Mean over all folds of all repeats."""
        return float(np.nanmean(self.per_fold[metric]))

    def std(self, metric: str) -> float:
        """Standard deviation from fold to fold."""
        values = self.per_fold[metric]
        return float(np.nanstd(values, ddof=1)) if len(values) > 1 else 0.0


def default_repeats(rows: int) -> int:
    """How often cross-validation is repeated: small tables need it, large ones do not."""
    return SMALL_TABLE_REPEATS if rows < SMALL_TABLE_ROWS else 1


def make_folds(
    y: NDArray[np.int64],
    *,
    folds: int,
    repeats: int,
    seed: int,
    groups: Sequence[str] | None = None,
) -> list[list[Fold]]:
    """Stratified folds, per repeat; each repeat tests every row once, a group's rows together."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    return [
        list(
            kind(n_splits=folds, shuffle=True, random_state=seed + repeat).split(
                np.zeros(len(y)), y, groups
            )
        )
        for repeat in range(repeats)
    ]


def keep_groups(
    y: NDArray[np.int64], groups: Sequence[str], *, folds: int, seed: int
) -> "PredefinedSplit":
    """Stratified folds with a group's rows together, as what scikit-learn's models split by."""
    from sklearn.model_selection import PredefinedSplit

    (split,) = make_folds(y, folds=folds, repeats=1, seed=seed, groups=groups)
    fold_of = np.zeros(len(y), dtype=np.int64)
    for fold, (_, test) in enumerate(split):
        fold_of[test] = fold
    return PredefinedSplit(fold_of)


def cross_predict(
    build: Build,
    X: NDArray[np.float32],  # noqa: N803
    y: NDArray[np.int64],
    splits: Sequence[Sequence[Fold]],
    design: Design = EVEN,
) -> list[NDArray[np.float64]]:
    """Out-of-fold probabilities (rows, classes), one array per repeat."""
    return cross_answer(build, X, y, splits, width=int(y.max()) + 1, design=design)


def cross_validate(
    build: Build,
    X: NDArray[np.float32],  # noqa: N803
    y: NDArray[np.int64],
    *,
    splits: Sequence[Sequence[Fold]],
    goal: Goal,
    positive: int | None,
    costs: Costs = (),
    design: Design = EVEN,
) -> CrossValidated:
    """Score every fold at a threshold chosen on the other folds of its repeat."""
    predicted = cross_predict(build, X, y, splits, design)
    folds = [
        _score_fold(probabilities, y, fold, goal, positive, costs, design)
        for probabilities, repeat in zip(predicted, splits, strict=True)
        for fold in repeat
    ]
    names = [name for name in METRICS if name in folds[0].metrics]
    per_fold: dict[str, NDArray[np.float64]] = {
        name: np.array([fold.metrics[name] for fold in folds]) for name in names
    }
    sizes = np.array([fold.size for fold in folds])
    excess = {
        name: excess_deviation(per_fold[name], sizes)
        for name in ("recall", "accuracy")
        if name == "recall" or positive is None
    }
    return CrossValidated(
        probabilities=tuple(predicted),
        per_fold=per_fold,
        thresholds=np.array([fold.threshold for fold in folds]),
        excess_std=excess,
    )


@dataclass(frozen=True)
class _ScoredFold:
    """A fold's metrics at its threshold (NaN of none), and how many rows its recall rests on."""

    metrics: dict[str, float]
    threshold: float
    size: float


def _score_fold(
    probabilities: NDArray[np.float64],
    y: NDArray[np.int64],
    fold: Fold,
    goal: Goal,
    positive: int | None,
    costs: Costs,
    design: Design,
) -> _ScoredFold:
    train, test = fold
    threshold = choose_threshold(
        y[train],
        probabilities[train],
        goal,
        positive=positive,
        weights=design.take(train).weights,
    )
    scored = score_rows(
        probabilities[test],
        y[test],
        positive=positive,
        threshold=threshold,
        costs=costs,
        weights=design.take(test).weights,
    )
    counted = test if positive is None else test[y[test] == positive]
    return _ScoredFold(
        compute_metrics(scored),
        np.nan if threshold is None else threshold,
        count_effective(len(counted), design.take(counted).weights),
    )


def excess_deviation(shares: NDArray[np.float64], sizes: NDArray[Any]) -> float:
    """How much a share varies from fold to fold beyond the binomial noise of its fold sizes.

    The recall of a fold with 17 positives deviates by sqrt(p(1-p)/17), 0.05 at p = 0.95, even when
    every fold's model is equally good. By moments, with observed variance s2 between folds, what
    the models themselves contribute is sqrt(max(0, s2 - mean(p(1-p)/n))).
    Source: DerSimonian and Laird, Controlled Clinical Trials 7 (1986) 177-188, equal weights.
    """
    usable = np.isfinite(shares) & (sizes > 0)
    if usable.sum() < 2:  # noqa: PLR2004 - no variance of one
        return 0.0
    p = float(np.average(shares[usable], weights=sizes[usable]))
    noise = float(np.mean(p * (1 - p) / sizes[usable]))
    return float(np.sqrt(max(0.0, float(np.var(shares[usable], ddof=1)) - noise)))

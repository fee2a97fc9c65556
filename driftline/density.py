"""How much commoner a row is now than it was: the ratio of densities, by telling rows apart.

A classifier that cannot tell current rows from reference rows, on rows it has not seen, says that
nothing is known to have changed, and every ratio is 1.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FOLDS: Final = 3
MOST: Final = 50.0
LEAST_SHARE: Final = 1e-3
LEAST_VALUES: Final = 30


@dataclass(frozen=True)
class Ratios:
    """Density now over density before, of the reference rows (mean 1) and of the current rows."""

    reference: Floats
    current: Floats

    @property
    def effective_rows(self) -> float:
        """How many equally weighted rows the weighted reference rows are worth.

        Source: Kish, Survey Sampling (1965), section 11.7.
        """
        return float(self.reference.sum() ** 2 / (self.reference**2).sum())


def measure_ratios(
    X_reference: NDArray[Any],  # noqa: N803
    X_current: NDArray[Any],  # noqa: N803
    *,
    seed: int,
) -> Ratios:
    """Cross-fitted odds of being current: each row is judged by a model that has not seen it.

    Of a constant, a logistic regression with squares and gradient boosting, the simplest within
    one standard error of the best log loss is taken. Ratios are cut at 50.
    Source: Bickel, Brückner and Scheffer, Journal of Machine Learning Research 10 (2009) 2137-2155.
    """
    X = as_told(np.concatenate([X_reference, X_current]).astype(np.float64))  # noqa: N806
    is_current = np.r_[np.zeros(len(X_reference)), np.ones(len(X_current))].astype(np.int64)
    constant = np.full(len(X), is_current.mean())
    if min(len(X_reference), len(X_current)) < 2 * FOLDS:
        return _as_ratios(constant, is_current)
    judged = [constant, *(_cross_fit(build, X, is_current, seed) for build in (_linear, _trees))]
    surprise = [-np.log(np.where(is_current == 1, p, 1 - p)) for p in judged]
    best = min(surprise, key=lambda each: float(each.mean()))
    for p, each in zip(judged, surprise, strict=True):
        behind = each - best
        if behind.mean() <= behind.std() / np.sqrt(len(X)):
            return _as_ratios(p, is_current)
    return _as_ratios(constant, is_current)


def as_told(X: Floats) -> Floats:  # noqa: N803
    """The matrix with nearly empty columns as whether a value is there: a fold may hold none."""
    is_known = np.isfinite(X)
    is_empty = is_known.sum(axis=0) < LEAST_VALUES
    return np.where(is_empty, is_known, np.where(is_known, X, np.nan))


def _as_ratios(p: Floats, is_current: NDArray[np.int64]) -> Ratios:
    prior = is_current.sum() / (len(is_current) - is_current.sum())
    ratios = np.minimum(p / (1 - p) / prior, MOST)
    reference = ratios[is_current == 0]
    return Ratios(reference / reference.mean(), ratios[is_current == 1])


def _cross_fit(
    build: Callable[[int], Any],
    X: NDArray[Any],  # noqa: N803
    is_current: NDArray[np.int64],
    seed: int,
) -> Floats:
    p = np.empty(len(X))
    for train, test in split_apart(is_current, seed):
        p[test] = build(seed).fit(X[train], is_current[train]).predict_proba(X[test])[:, 1]
    return np.clip(p, LEAST_SHARE, 1 - LEAST_SHARE)


def split_apart(
    is_current: NDArray[np.int64], seed: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Folds of rows to train and to judge on, each with both sides' share."""
    from sklearn.model_selection import StratifiedKFold

    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    yield from folds.split(np.zeros(len(is_current)), is_current)


def _linear(seed: int) -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    return make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        StandardScaler(),
        FunctionTransformer(_with_squares),
        LogisticRegression(max_iter=300, random_state=seed),
    )


def _with_squares(X: Floats) -> Floats:  # noqa: N803
    X = np.clip(X, -5, 5)  # noqa: N806
    return np.concatenate([X, X**2], axis=1)


def _trees(seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=60,
        max_leaf_nodes=8,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=seed,
    )

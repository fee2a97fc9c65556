"""Whether rows have changed as wholes: can a classifier tell current rows from those before?

It sees what no column shows by itself, and no pair of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from driftline.density import FOLDS, as_told, split_apart

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST_ROWS: Final = 10 * FOLDS  # a side
COLUMNS_NAMED: Final = 3
_CHANCE: Final = 0.5


@dataclass(frozen=True)
class JointChange:
    """How well current rows are told from reference rows, as an area under the ROC curve.

    `bound` and `noise` are areas too; `columns` are those that matter most, if it has changed.
    """

    area: float
    bound: float
    noise: float
    reference_rows: int
    current_rows: int
    columns: tuple[str, ...] = ()

    @property
    def has_changed(self) -> bool:
        """Whether rows are told apart better than the policy allows and chance explains."""
        return self.area >= self.bound and self.area > self.noise


def measure_joint(
    X_reference: NDArray[Any],  # noqa: N803
    X_current: NDArray[Any],  # noqa: N803
    owners: Sequence[str],
    *,
    effect: float,
    false_alarms: float,
    seed: int,
) -> JointChange | None:
    """The cross-validated area by which rows are told apart; None where they are too few.

    `owners` names the column that each element of a row belongs to. Each fold's rows are ranked by
    a model that has not seen them: given their scores, without a change each is as likely a
    current one, which is the null of Mann and Whitney, with ties. The mean over folds is given the
    error of one, since folds share the rows that they learn from.
    Sources: Lopez-Paz and Oquab, ICLR 2017 (classifier two-sample tests); Mann and Whitney, Annals
    of Mathematical Statistics 18 (1947) 50-60.
    """
    if min(len(X_reference), len(X_current)) < LEAST_ROWS:
        return None
    X = as_told(np.concatenate([X_reference, X_current]).astype(np.float64))  # noqa: N806
    is_current = np.r_[np.zeros(len(X_reference)), np.ones(len(X_current))].astype(np.int64)
    areas, variances, last = [], [], None
    for train, test in split_apart(is_current, seed):
        model = _trees(seed).fit(X[train], is_current[train])
        last = model, X[test], is_current[test]
        area, variance = _area(model.predict_proba(X[test])[:, 1], is_current[test])
        areas.append(area)
        variances.append(variance)
    error = float(np.mean(np.sqrt(variances)))
    change = JointChange(
        area=float(np.mean(areas)),
        bound=_CHANCE + effect,
        noise=_CHANCE + NormalDist().inv_cdf(1 - false_alarms) * error,
        reference_rows=len(X_reference),
        current_rows=len(X_current),
    )
    if last is None or not change.has_changed:
        return change
    named = _name_columns(*last, owners, seed=seed)
    return JointChange(**{**change.__dict__, "columns": named})


def _trees(seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=30,
        learning_rate=0.2,
        max_leaf_nodes=8,
        max_bins=63,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=seed,
    )


def _area(scores: Floats, is_current: Ints) -> tuple[float, float]:
    """The area under the ROC curve, and its variance were the labels dealt at random."""
    from scipy.stats import rankdata

    ranks, rows, ones = rankdata(scores), len(scores), int(is_current.sum())
    zeros = rows - ones
    area = (float(ranks[is_current == 1].sum()) - ones * (ones + 1) / 2) / (ones * zeros)
    ties = np.unique(scores, return_counts=True)[1]
    tied = float((ties.astype(np.float64) ** 3 - ties).sum()) / (rows * (rows - 1))
    return area, (rows + 1 - tied) / (12 * ones * zeros)


def _name_columns(
    model: Any,
    X: Floats,  # noqa: N803
    is_current: Ints,
    owners: Sequence[str],
    *,
    seed: int,
) -> tuple[str, ...]:
    """The columns without which rows are told apart worst: all of a column's elements shuffled.

    Source: Breiman, Random forests, Machine Learning 45 (2001) 5-32.
    """
    whole = _area(model.predict_proba(X)[:, 1], is_current)[0]
    order = np.random.default_rng(seed).permutation(len(X))
    lost = {}
    for name in dict.fromkeys(owners):
        mine = [i for i, owner in enumerate(owners) if owner == name]
        shuffled = X.copy()
        shuffled[:, mine] = X[order][:, mine]
        lost[name] = whole - _area(model.predict_proba(shuffled)[:, 1], is_current)[0]
    best = sorted(lost, key=lambda name: -lost[name])[:COLUMNS_NAMED]
    return tuple(name for name in best if lost[name] > 0)

"""Training on what has come in since: which rows join, which stay out as the test, what is dropped.

True labels only. The newest labelled rows are the holdout; neither model has seen them.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from driftline.candidates import CANDIDATES
from driftline.dataset import Dataset, Matrices, encode_rows, encode_target
from driftline.digests import digest_rows, number_repeats
from driftline.evaluation import make_folds
from driftline.problem import Problem

HOLDOUT_SHARE = 0.3
FOLDS = 3


@dataclass(frozen=True)
class Renewal:
    """The rows to train and test on; `is_history_kept` tells whether the original rows are in."""

    train: pd.DataFrame
    test: pd.DataFrame
    is_history_kept: bool


def renew(
    original: pd.DataFrame,
    labelled: pd.DataFrame,
    problem: Problem,
    *,
    seen: Collection[str],
    seed: int,
) -> Renewal | None:
    """Part the labelled rows by age; None where too few are new or the newest hold one class only.

    `seen` are digests of rows that the champion was trained on. A labelled row that coincides with
    one of them, or with an original row, may teach but cannot test.
    """
    known = {digest.partition(":")[0] for digest in seen} | set(digest_rows(original))
    is_new = np.array([digest not in known for digest in digest_rows(labelled)], dtype=bool)
    count = max(problem.comparison.min_rows, round(HOLDOUT_SHARE * int(is_new.sum())))
    if is_new.sum() < max(problem.drift.min_labels, 2 * count):
        return None
    is_test = np.zeros(len(labelled), dtype=bool)
    is_test[np.flatnonzero(is_new)[-count:]] = True
    test = labelled.loc[is_test].reset_index(drop=True)
    older = _without(labelled.loc[~is_test], digest_rows(test))
    target = problem.target.name
    if any(part[target].nunique() < len(problem.classes) for part in (test, older)):
        return None
    is_history_kept = not is_history_harmful(original, older, problem, seed=seed)
    kept = [_without(original, digest_rows(test)), older] if is_history_kept else [older]
    return Renewal(pd.concat(kept, ignore_index=True), test, is_history_kept)


def is_history_harmful(
    original: pd.DataFrame, fresh: pd.DataFrame, problem: Problem, *, seed: int
) -> bool:
    """Whether a model does better on fresh rows without the original ones, beyond noise.

    Cross-validated on the fresh rows with gradient boosting's defaults, by log loss: where the
    relation to the target has changed, the old rows teach the old relation.
    """
    X_old, y_old = encode_rows(original, problem), encode_target(original, problem)  # noqa: N806
    X, y = encode_rows(fresh, problem), encode_target(fresh, problem)  # noqa: N806
    if np.bincount(y, minlength=len(problem.classes)).min() < FOLDS:
        return False
    candidate = CANDIDATES["hist_gradient_boosting"]
    saved = np.zeros(len(y))
    for train, test in make_folds(y, folds=FOLDS, repeats=1, seed=seed)[0]:
        alone = candidate.build(candidate.defaults, seed).fit(X[train], y[train])
        joint = candidate.build(candidate.defaults, seed).fit(
            np.vstack([X_old, X[train]]), np.concatenate([y_old, y[train]])
        )
        rows = np.arange(len(test))
        losses = [
            -np.log(np.clip(model.predict_proba(X[test])[rows, y[test]], 1e-3, 1))
            for model in (joint, alone)
        ]
        saved[test] = losses[0] - losses[1]
    return bool(saved.mean() > saved.std(ddof=1) / np.sqrt(len(saved)))


def as_dataset(renewal: Renewal, problem: Problem) -> Dataset:
    """The parted rows as matrices and digests."""
    digests = number_repeats([*digest_rows(renewal.train), *digest_rows(renewal.test)])
    return Dataset(
        data=Matrices(
            X_train=encode_rows(renewal.train, problem),
            y_train=encode_target(renewal.train, problem),
            X_test=encode_rows(renewal.test, problem),
            y_test=encode_target(renewal.test, problem),
        ),
        test_table=renewal.test,
        train_digests=tuple(digests[: len(renewal.train)]),
        test_digests=tuple(digests[len(renewal.train) :]),
    )


def _without(table: pd.DataFrame, digests: Collection[str]) -> pd.DataFrame:
    known = frozenset(digests)
    kept = [digest not in known for digest in digest_rows(table)]
    return table.loc[kept].reset_index(drop=True)

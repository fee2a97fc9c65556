"""Training on what has come in since: which rows join, which stay out as the test, what is dropped.

True labels only. The newest labelled rows are the holdout; neither model has seen them.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftline.candidates import CANDIDATES
from driftline.dataset import Dataset, Matrices, encode_rows, encode_target
from driftline.digests import digest_rows, number_repeats
from driftline.evaluation import make_folds
from driftline.problem import Problem

HOLDOUT_SHARE = 0.3
FOLDS = 3
LEAST_JUDGED = 60
ERRORS = 2.0  # standard errors by which a shorter past must be better


@dataclass(frozen=True)
class Renewal:
    """The rows to train and test on, and how many older rows were dropped."""

    train: pd.DataFrame
    test: pd.DataFrame
    dropped: int


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
    history = pd.concat([_without(original, digest_rows(test)), older], ignore_index=True)
    kept = choose_history(history, problem, fresh=len(older), seed=seed)
    return Renewal(history.tail(kept).reset_index(drop=True), test, len(history) - kept)


def choose_history(table: pd.DataFrame, problem: Problem, *, fresh: int, seed: int) -> int:
    """How many of the latest rows to train on: the longest past that does no harm.

    `table` is in order of time, its last `fresh` rows are labelled predictions. Each past (all
    rows, the fresh ones, their latest half, quarter) is judged on the latest rows by the
    cross-validated log loss of gradient boosting's defaults; the longest within two standard
    errors of the best wins.
    Where the relation to the target has changed, older rows teach the older relation.
    """
    judged = max(fresh // 4, min(fresh, LEAST_JUDGED))
    lengths = [len(table), *(fresh // part for part in (1, 2, 4) if fresh // part >= judged)]
    X, y = encode_rows(table, problem), encode_target(table, problem)  # noqa: N806
    latest = y[-judged:]
    if np.bincount(latest, minlength=len(problem.classes)).min() < FOLDS:
        return len(table)
    losses = [_losses(X[-length:], y[-length:], judged, seed=seed) for length in lengths]
    best = min(losses, key=lambda each: float(each.mean()))
    for length, each in zip(lengths, losses, strict=True):
        behind = each - best
        if behind.mean() <= ERRORS * behind.std(ddof=1) / np.sqrt(judged):
            return length
    return lengths[-1]


def _losses(
    X: NDArray[np.float32],  # noqa: N803
    y: NDArray[np.int64],
    judged: int,
    *,
    seed: int,
) -> NDArray[np.float64]:
    """Log loss of each of the last `judged` rows, by a model of all rows but their fold."""
    candidate = CANDIDATES["hist_gradient_boosting"]
    start = len(y) - judged
    losses = np.zeros(judged)
    for _, test in make_folds(y[start:], folds=FOLDS, repeats=1, seed=seed)[0]:
        kept = np.setdiff1d(np.arange(len(y)), start + test)
        model = candidate.build(candidate.defaults, seed).fit(X[kept], y[kept])
        p = model.predict_proba(X[start + test])
        truth = np.searchsorted(model.classes_, y[start + test])
        losses[test] = -np.log(np.clip(p[np.arange(len(test)), truth], 1e-3, 1))
    return losses


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

"""Training on what has come in since: which rows join, which stay out as the test, what is dropped.

True labels only. The newest labelled rows are the test; the champion has not seen them, and what is
tested of the challenger answers each of them by rows before it. What ships learns from all of them.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from driftline.dataset import Dataset, Matrices, encode_rows, encode_target
from driftline.design import design_of
from driftline.digests import digest_rows, number_repeats
from driftline.probe import probe_renewal, rows_of_past
from driftline.problem import Problem
from driftline.promise import DEFAULT_RECIPE, Recipe

HOLDOUT_SHARE = 0.3
LEAST_JUDGED = 60


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
    recipe: Recipe = DEFAULT_RECIPE,
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
    kept = choose_history(history, problem, fresh=len(older), recipe=recipe)
    return Renewal(history.tail(kept).reset_index(drop=True), test, len(history) - kept)


def choose_history(
    table: pd.DataFrame, problem: Problem, *, fresh: int, recipe: Recipe = DEFAULT_RECIPE
) -> int:
    """How many of the latest rows to train on: the longest past that does no harm.

    `table` is in order of time, its last `fresh` rows are labelled predictions. Each past is judged
    by its answers on the latest rows, block by block, by models of the rows before them
    (`driftline.probe`). Where the relation to the target has changed, older rows teach the older
    relation.
    """
    judged = min(fresh, max(fresh // 4, LEAST_JUDGED))
    probe = probe_renewal(
        encode_rows(table, problem),
        encode_target(table, problem),
        newest=judged,
        classes=problem.width,
        fit=recipe.fit,
        metric=problem.drift.loss,
        design=design_of(table, problem),
    )
    return rows_of_past(len(table), probe.past, least=judged)


def rows_before(
    original: pd.DataFrame, labelled: pd.DataFrame, cohort: pd.DataFrame
) -> pd.DataFrame:
    """What was known before a cohort of labels: the champion's snapshot, then earlier labels."""
    newer = _without(labelled, {*digest_rows(original), *digest_rows(cohort)})
    return pd.concat([_without(original, digest_rows(cohort)), newer], ignore_index=True)


def as_dataset(renewal: Renewal, problem: Problem) -> Dataset:
    """The parted rows as matrices and digests."""
    digests = number_repeats([*digest_rows(renewal.train), *digest_rows(renewal.test)])
    learnt, rows = len(renewal.train), len(digests)
    # told of both at once: labelled rows know neither group nor weight, yet may not void others'
    design = design_of(pd.concat([renewal.train, renewal.test], ignore_index=True), problem)
    return Dataset(
        data=Matrices(
            X_train=encode_rows(renewal.train, problem),
            y_train=encode_target(renewal.train, problem),
            X_test=encode_rows(renewal.test, problem),
            y_test=encode_target(renewal.test, problem),
            train=design.part(0, learnt),
            test=design.part(learnt, rows),
        ),
        test_table=renewal.test,
        train_digests=tuple(digests[:learnt]),
        test_digests=tuple(digests[learnt:]),
        is_renewed=True,
    )


def _without(table: pd.DataFrame, digests: Collection[str]) -> pd.DataFrame:
    known = frozenset(digests)
    kept = [digest not in known for digest in digest_rows(table)]
    return table.loc[kept].reset_index(drop=True)

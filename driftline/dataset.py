"""A run's plan, and a snapshot's rows as it encodes and splits them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftline.columns import find_as_of
from driftline.contract import Contract
from driftline.design import EVEN, Design, weights_of
from driftline.digests import number_repeats
from driftline.errors import DataError
from driftline.evaluation import default_repeats
from driftline.fields import FieldSpec, InvalidRecordError
from driftline.groups import groups_of, split_groups
from driftline.matrix import encode_cleaned
from driftline.numbers import NumberSpec
from driftline.problem import Problem
from driftline.quarantine import check_trainable
from driftline.splitting import split_holdout, subsample
from driftline.target import NumberTarget

SMOKE_SHARE = 0.2
SMOKE_FOLDS = 3
SMOKE_TRIALS = 2
LEAST_USABLE_VALUES = 10


@dataclass(frozen=True)
class Plan:
    """How a run compares candidates; equal plans on equal snapshots give equal models."""

    folds: int
    repeats: int
    trials: int
    test_size: float
    seed: int
    is_smoke: bool


@dataclass(frozen=True)
class Matrices:
    """The split rows as float32 matrices (rows, features) and their truth, see `encode_target`.

    The designs tell which rows belong together and what each counts.
    """

    X_train: NDArray[np.float32]
    y_train: NDArray[Any]
    X_test: NDArray[np.float32]
    y_test: NDArray[Any]
    train: Design = EVEN
    test: Design = EVEN


@dataclass(frozen=True)
class Dataset:
    """A snapshot's rows, encoded and split, with the digests of either side."""

    data: Matrices
    test_table: pd.DataFrame
    train_digests: tuple[str, ...]
    test_digests: tuple[str, ...]
    is_renewed: bool = False

    @property
    def groups(self) -> tuple[str, ...] | None:
        """The group of each training row, where rows belong together."""
        return self.data.train.groups

    @property
    def shipped_digests(self) -> tuple[str, ...]:
        """Digests of the rows that what ships has learnt from: all, where a champion is renewed."""
        return self.train_digests + self.test_digests if self.is_renewed else self.train_digests


def make_plan(
    problem: Problem,
    *,
    rows: int,
    folds: int,
    repeats: int | None,
    test_size: float,
    seed: int,
    is_smoke: bool,
) -> Plan:
    """The plan of a run; a smoke run is small whatever was asked for."""
    if folds > rows:
        message = f"--folds: got {folds} folds for {rows} rows, wanted fewer folds than rows"
        raise DataError(message)
    trials = problem.search.trials
    return Plan(
        folds=min(folds, SMOKE_FOLDS) if is_smoke else folds,
        repeats=1 if is_smoke else repeats or default_repeats(rows),
        trials=min(trials, SMOKE_TRIALS) if is_smoke else trials,
        test_size=test_size,
        seed=seed,
        is_smoke=is_smoke,
    )


def split_dataset(
    table: pd.DataFrame, digests: Sequence[str], problem: Problem, plan: Plan
) -> Dataset:
    """Encode the rows and part them into training and test rows; a smoke plan takes a fifth."""
    check_trainable(table, problem, folds=plan.folds, source="snapshot")
    digests = number_repeats(digests)
    y = encode_target(table, problem)
    if plan.is_smoke:
        strata = problem.target.strata(y)
        kept = subsample(digests, strata, share=SMOKE_SHARE, least=2 * plan.folds, seed=plan.seed)
        table, y = table.iloc[kept].reset_index(drop=True), y[kept]
        digests = [digests[i] for i in kept]
    groups = groups_of(table, problem)
    train, test = _part(digests, groups, problem.target.strata(y), problem, plan)
    check_trainable(table.iloc[train], problem, folds=plan.folds - 1, source="training rows")
    design = Design(groups, weights_of(table, problem))
    X = encode_rows(table, problem)  # noqa: N806
    _refuse_nearly_empty_columns(X[train], problem)
    return Dataset(
        data=Matrices(
            X_train=X[train],
            y_train=y[train],
            X_test=X[test],
            y_test=y[test],
            train=design.take(train),
            test=design.take(test),
        ),
        test_table=table.iloc[test].reset_index(drop=True),
        train_digests=tuple(digests[i] for i in train),
        test_digests=tuple(digests[i] for i in test),
    )


def _part(
    digests: Sequence[str],
    groups: Sequence[str] | None,
    strata: NDArray[np.int64],
    problem: Problem,
    plan: Plan,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which rows train and which test; whole groups where the problem has some."""
    if groups is None:
        return split_holdout(digests, strata, test_size=plan.test_size, seed=plan.seed)
    train, test = split_groups(groups, test_size=plan.test_size, seed=plan.seed)
    _insist_on_classes(strata[test], strata, problem)
    return train, test


def _insist_on_classes(
    test: NDArray[np.int64], strata: NDArray[np.int64], problem: Problem
) -> None:
    """Whole groups may leave a rare class without any test row."""
    if set(test) != set(strata):
        message = (
            f"group: some class has no test row, as the rows of a {problem.group!r} stay together; "
            "give more rows, or a larger --test-size"
        )
        raise DataError(message)


def _refuse_nearly_empty_columns(X: NDArray[np.float32], problem: Problem) -> None:  # noqa: N803
    """A few values may all fall into one fold; gradient boosting cannot bin a column of none."""
    usable = (~np.isnan(X)).sum(axis=0)
    for name, count in zip(draft_contract(problem).feature_names, usable, strict=True):
        if count < min(LEAST_USABLE_VALUES, len(X)):
            message = (
                f"training rows: column {name!r}: got {count} usable values, "
                f"wanted at least {LEAST_USABLE_VALUES}; give more rows or leave the column out"
            )
            raise DataError(message)


def draft_contract(problem: Problem, *, snapshot: str = "") -> Contract:
    """The problem's contract before a model: fields, classes and bands, no threshold yet."""
    target = problem.target
    return Contract(
        problem=problem.name,
        title=problem.title,
        fields=tuple(field_of(name, problem) for name in problem.columns),
        classes=problem.classes,
        positive=problem.positive_indices,
        threshold=None,
        medium_risk=problem.risk_bands.medium,
        high_risk=problem.risk_bands.high,
        snapshot=snapshot,
        labels_per_check=problem.drift.labels_per_check,
        example=tuple(problem.example.items()),
        costs=problem.costs,
        number=number_of(problem, target) if isinstance(target, NumberTarget) else None,
        features=problem.computed,
        joins=tuple(join.to_spec(name) for name, join in problem.joins.items()),
    )


def field_of(name: str, problem: Problem) -> FieldSpec:
    """What serving has to know of a column."""
    spec = problem.columns[name]
    return FieldSpec(
        name=name,
        kind=spec.kind,
        low=None if spec.range is None else spec.range[0],
        high=None if spec.range is None else spec.range[1],
        categories=spec.categories,
        aliases=tuple(
            (alias, category)
            for category, others in spec.category_aliases.items()
            for alias in others
        ),
        ordered=spec.ordered,
        unseen=spec.unseen,
        allow_missing=spec.missing == "allow",
        missing_codes=spec.sent_codes,
        unit=spec.unit,
        description=spec.description,
        parts=spec.parts,
        as_of=find_as_of(name, problem.columns),
    )


def number_of(problem: Problem, target: NumberTarget) -> NumberSpec:
    """What serving has to know of a number to predict, before a model."""
    low, high = target.range or (None, None)
    return NumberSpec(
        unit=target.unit,
        low=low,
        high=high,
        coverage=problem.intervals.coverage,
        is_banded=problem.has_value_bands,
    )


def encode_rows(table: pd.DataFrame, problem: Problem) -> NDArray[np.float32]:
    """A snapshot's rows as the float32 matrix, by the very code that serving uses."""
    return encode_by(draft_contract(problem), table)


def encode_by(contract: Contract, table: pd.DataFrame) -> NDArray[np.float32]:
    """A snapshot's rows as the float32 matrix of a contract, such as a champion's."""
    names = [field.name for field in contract.fields]
    absent = [name for name in names if name not in table]
    if absent:
        message = f"snapshot: no column {', '.join(map(repr, absent))}; wanted this problem's own"
        raise DataError(message)
    try:
        return encode_cleaned(table[names], contract)
    except InvalidRecordError as error:
        message = f"snapshot: a row breaks the problem file ({error}); wanted rows ingested by it"
        raise DataError(message) from None


def encode_target(table: pd.DataFrame, problem: Problem) -> NDArray[Any]:
    """The truth of a snapshot's rows: class indices, or numbers."""
    return problem.target.encode(table[problem.target.name])

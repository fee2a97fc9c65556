"""From a table to one fitted, measured model: compare candidates, choose, calibrate, set the threshold.

Everything that is chosen is chosen on training rows by cross-validation; test rows are only scored.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftline.candidates import CANDIDATES, Params, build_calibrated
from driftline.contract import Contract, FieldSpec
from driftline.evaluation import CrossValidated, Fold, cross_validate, make_folds
from driftline.metrics import Scored, bootstrap_intervals, compute_metrics, decide
from driftline.problem import Problem
from driftline.search import search_params
from driftline.selection import choose_winner, is_calibration_helpful
from driftline.thresholds import choose_threshold

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


@dataclass(frozen=True)
class Matrices:
    """The split rows as float32 matrices (rows, features) and class indices."""

    X_train: NDArray[np.float32]
    y_train: NDArray[np.int64]
    X_test: NDArray[np.float32]
    y_test: NDArray[np.int64]


@dataclass(frozen=True)
class Trained:
    """A fitted candidate with its cross-validation, test scores and intervals."""

    name: str
    params: Params
    cv: CrossValidated
    model: "Pipeline"
    threshold: float | None
    is_calibrated: bool
    test: Scored
    test_metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]]

    def flat_metrics(self) -> dict[str, float]:
        """`cv_<m>_mean`, `cv_<m>_std`, `cv_<m>_excess_std` and `test_<m>` in one mapping."""
        flat: dict[str, float] = {}
        for metric in self.cv.per_fold:
            flat[f"cv_{metric}_mean"] = self.cv.mean(metric)
            flat[f"cv_{metric}_std"] = self.cv.std(metric)
        flat |= {f"cv_{metric}_excess_std": value for metric, value in self.cv.excess_std.items()}
        flat |= {f"test_{metric}": value for metric, value in self.test_metrics.items()}
        return {name: value for name, value in flat.items() if np.isfinite(value)}


def draft_contract(problem: Problem, *, snapshot: str = "") -> Contract:
    """The problem's contract before a model: fields, classes and bands, no threshold yet."""
    fields = tuple(
        FieldSpec(
            name=name,
            kind=spec.kind,
            low=None if spec.range is None else spec.range[0],
            high=None if spec.range is None else spec.range[1],
            categories=spec.categories,
            ordered=spec.ordered,
            allow_missing=spec.missing == "allow",
            missing_codes=spec.missing_codes,
            unit=spec.unit,
            description=spec.description,
        )
        for name, spec in problem.columns.items()
    )
    return Contract(
        problem=problem.name,
        title=problem.title,
        fields=fields,
        classes=problem.classes,
        positive=problem.positive_indices,
        threshold=None,
        medium_risk=problem.risk_bands.medium,
        high_risk=problem.risk_bands.high,
        snapshot=snapshot,
        example=tuple(problem.example.items()),
    )


def encode_rows(table: pd.DataFrame, problem: Problem) -> NDArray[np.float32]:
    """A snapshot's rows as the float32 matrix, by the very code that serving uses."""
    names = list(problem.columns)
    records = table[names].to_dict(orient="records")
    return draft_contract(problem).encode_table(records)  # type: ignore[arg-type]


def encode_target(table: pd.DataFrame, problem: Problem) -> NDArray[np.int64]:
    """Class indices of a snapshot's rows."""
    index = {name: i for i, name in enumerate(problem.classes)}
    return table[problem.target.name].map(index).to_numpy(dtype=np.int64)


def train_candidate(
    name: str,
    problem: Problem,
    data: Matrices,
    *,
    splits: Sequence[Sequence[Fold]],
    trials: int,
    seed: int,
    on_trial: Callable[[int, float], None] | None = None,
) -> Trained:
    """Search, cross-validate, set the threshold and fit one candidate; score the test rows."""
    candidate = CANDIDATES[name]
    params = search_params(
        candidate,
        data.X_train,
        data.y_train,
        trials=trials,
        folds=min(problem.search.folds, len(splits[0])),
        seed=seed,
        on_trial=on_trial,
    )
    return _fit(
        name, params, problem, data, splits=splits, build=lambda: candidate.build(params, seed), seed=seed
    )


def calibrate(
    plain: Trained,
    problem: Problem,
    data: Matrices,
    *,
    splits: Sequence[Sequence[Fold]],
    seed: int,
) -> Trained:
    """The winner with calibrated probabilities if that helps, else the winner as it is."""
    calibrated = _fit(
        plain.name,
        plain.params,
        problem,
        data,
        splits=splits,
        build=lambda: build_calibrated(CANDIDATES[plain.name], plain.params, seed),
        seed=seed,
        is_calibrated=True,
    )
    truth = np.eye(len(problem.classes))[data.y_train]
    return calibrated if is_calibration_helpful(plain.cv, calibrated.cv, truth) else plain


def winner_of(trained: Sequence[Trained], problem: Problem) -> Trained:
    """The candidate that cross-validation chooses for the problem's goal."""
    by_name = {one.name: one for one in trained}
    ordered = {name: by_name[name].cv for name in CANDIDATES if name in by_name}
    return by_name[choose_winner(ordered, problem.goal)]


def plan_folds(
    y: NDArray[np.int64], *, folds: int, repeats: int, seed: int
) -> list[list[Fold]]:
    """The folds that every candidate of a run shares, so that their folds pair up."""
    return make_folds(y, folds=folds, repeats=repeats, seed=seed)


def score_rows(
    probabilities: NDArray[np.float64],
    y: NDArray[np.int64],
    *,
    positive: int | None,
    threshold: float | None,
) -> Scored:
    """Probabilities with the decisions that follow from them."""
    predicted = decide(probabilities, positive=positive, threshold=threshold)
    return Scored(
        y=y,
        probabilities=probabilities,
        predicted=predicted,
        positive=positive,
        threshold=threshold,
    )


def _fit(
    name: str,
    params: Params,
    problem: Problem,
    data: Matrices,
    *,
    splits: Sequence[Sequence[Fold]],
    build: Callable[[], "Pipeline"],
    seed: int,
    is_calibrated: bool = False,
) -> Trained:
    positive = problem.positive_indices[0] if problem.is_binary else None
    cv = cross_validate(
        build, data.X_train, data.y_train, splits=splits, goal=problem.goal, positive=positive
    )
    repeats = len(cv.probabilities)
    threshold = choose_threshold(
        np.tile(data.y_train, repeats),
        np.concatenate(cv.probabilities),
        problem.goal,
        positive=positive,
        copies=repeats,
    )
    model = build().fit(data.X_train, data.y_train)
    test = score_rows(
        model.predict_proba(data.X_test), data.y_test, positive=positive, threshold=threshold
    )
    return Trained(
        name=name,
        params=params,
        cv=cv,
        model=model,
        threshold=threshold,
        is_calibrated=is_calibrated,
        test=test,
        test_metrics=compute_metrics(test),
        intervals=bootstrap_intervals(test, seed=seed),
    )

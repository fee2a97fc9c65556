"""From rows to one fitted, measured model: compare, choose, calibrate, set the threshold.

Everything that is chosen is chosen on training rows by cross-validation; test rows are only scored.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from driftline.answers import Build, Fold
from driftline.bounding import budget_of
from driftline.candidates import CALIBRATION_FOLDS, Candidate, Params, build_calibrated
from driftline.dataset import Matrices
from driftline.design import Design, check_candidates
from driftline.evaluation import CrossValidated, make_folds
from driftline.metrics import bootstrap_intervals, compute_metrics
from driftline.outcome import Rule, outcome_of
from driftline.probe import answer_blocks
from driftline.problem import Problem
from driftline.promise import OutOfFold, Recipe, calibration_folds
from driftline.scored import ScoredRows
from driftline.search import Searched, search_params
from driftline.selection import choose_winner, is_calibration_helpful

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


@dataclass(frozen=True)
class Trained:
    """A fitted candidate with its cross-validation, test scores and intervals.

    `rule` makes its answers decisions or intervals, see `driftline.outcome`; `bounds` say what its
    budget of work left out.
    """

    name: str
    params: Params
    cv: CrossValidated
    model: "Pipeline"
    rule: Rule
    is_calibrated: bool
    test: ScoredRows
    test_metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    bounds: tuple[str, ...] = ()

    @property
    def threshold(self) -> float | None:
        """The decision threshold, where there is one."""
        return self.test.threshold

    def flat_metrics(self) -> dict[str, float]:
        """`cv_<m>_mean`, `cv_<m>_std`, `cv_<m>_excess_std` and `test_<m>` in one mapping."""
        flat: dict[str, float] = {}
        for metric in self.cv.per_fold:
            flat[f"cv_{metric}_mean"] = self.cv.mean(metric)
            flat[f"cv_{metric}_std"] = self.cv.std(metric)
        flat |= {f"cv_{metric}_excess_std": value for metric, value in self.cv.excess_std.items()}
        flat |= {f"test_{metric}": value for metric, value in self.test_metrics.items()}
        return {name: value for name, value in flat.items() if np.isfinite(value)}


def train_candidate(
    name: str,
    problem: Problem,
    data: Matrices,
    *,
    splits: Sequence[Sequence[Fold]],
    trials: int,
    seed: int,
    on_trial: Callable[[int, float], None] | None = None,
    params: Params | None = None,
) -> Trained:
    """Search, cross-validate, set the threshold and fit one candidate; score the test rows.

    With `params` nothing is searched.
    """
    outcome = outcome_of(problem)
    candidate = outcome.candidates[name]
    if data.train.weights is not None:
        check_candidates(outcome.candidates[each] for each in problem.candidates)
    searched = (
        Searched(params)
        if params
        else search_params(
            candidate,
            data.X_train,
            data.y_train,
            strata=problem.target.strata(data.y_train),
            judge=outcome.search_loss,
            trials=trials,
            folds=min(problem.search.folds, len(splits[0])),
            seed=seed,
            most_rows=problem.search.rows,
            budget=budget_of(problem, data, folds=len(splits[0]), repeats=len(splits)),
            on_trial=on_trial,
            design=data.train,
        )
    )
    trained = _fit(
        name,
        searched.params,
        problem,
        data,
        splits=splits,
        build=candidate.building(searched.params, seed),
        seed=seed,
    )
    return replace(trained, bounds=_tell_passed_over(name, searched, problem))


def _tell_passed_over(name: str, searched: Searched, problem: Problem) -> tuple[str, ...]:
    if not searched.passed_over:
        return ()
    trials = searched.tried + searched.passed_over
    told = f"{name}: {searched.tried} of {trials} settings tried, the others are beyond"
    return (f"{told} `search.work` ({problem.search.work:g})",)


def calibrate(
    plain: Trained,
    problem: Problem,
    data: Matrices,
    *,
    splits: Sequence[Sequence[Fold]],
    seed: int,
) -> Trained:
    """The winner with calibrated probabilities if that helps, else the winner as it is.

    With very few rows of a class, or groups that have it, there is nothing to calibrate on. The
    folds that a calibration learns from have the rows of a group together, as `splits` do.
    """
    outcome, y = outcome_of(problem), data.y_train
    budget = budget_of(problem, data, folds=len(splits[0]), repeats=len(splits))
    parts = [train for folds in splits for train, _ in folds]
    if not outcome.can_calibrate(
        y[part][data.train.take(part).one_a_group(y[part])] for part in parts
    ):
        return plain
    fits = CALIBRATION_FOLDS + 1  # for each fold
    if fits * budget.compare(outcome.candidates[plain.name].work, plain.params) > budget.work:
        told = f"{plain.name}: not calibrated, which is beyond `search.work` ({budget.work:g})"
        return replace(plain, bounds=(*plain.bounds, told))

    build = partial(
        _build_calibrated, outcome.candidates[plain.name], plain.params, seed, y, data.train
    )
    calibrated = _fit(
        plain.name,
        plain.params,
        problem,
        data,
        splits=splits,
        build=build,
        seed=seed,
        is_calibrated=True,
    )
    is_helpful = is_calibration_helpful(plain.cv, calibrated.cv, data.y_train, data.train.weights)
    return replace(calibrated, bounds=plain.bounds) if is_helpful else plain


def _build_calibrated(
    candidate: Candidate,
    params: Params,
    seed: int,
    y: NDArray[Any],
    design: Design,
    rows: NDArray[np.int64],
) -> "Pipeline":
    folds = calibration_folds(y[rows], design.take(rows), seed=seed)
    return build_calibrated(candidate, params, seed, folds)


def renew(
    winner: Trained, problem: Problem, data: Matrices, recipe: Recipe, *, seed: int
) -> Trained:
    """The winner refitted on all rows, the newest included; its test stays honest.

    The newest rows are answered block by block, each by the winner's recipe fitted on the rows
    before it: that is what was tested. What ships has learnt from all of them.
    """
    X = np.vstack([data.X_train, data.X_test])  # noqa: N806
    y = np.concatenate([data.y_train, data.y_test])
    design = data.train.followed_by(data.test)
    answers = answer_blocks(
        X, y, newest=len(data.y_test), classes=problem.width, fit=recipe.fit, past=1, design=design
    )
    model = recipe.fit(X, y, design)
    outcome = outcome_of(problem)
    rule = outcome.settle_rule(winner.rule, outcome.answer(model, X))
    test = outcome.score(answers, data.y_test, rule, data.test.weights)
    return replace(
        winner,
        model=model,
        rule=rule,
        test=test,
        test_metrics=compute_metrics(test),
        intervals=bootstrap_intervals(test, seed=seed),
    )


def out_of_fold(winner: Trained, data: Matrices, *, is_renewed: bool) -> OutOfFold:
    """Answers on all rows that the model has learnt from, each by one that had not."""
    answers = np.mean(winner.cv.probabilities, axis=0)
    if not is_renewed:
        return OutOfFold(answers, data.y_train)
    return OutOfFold(
        np.vstack([answers, winner.test.probabilities]),
        np.concatenate([data.y_train, data.y_test]),
    )


def winner_of(trained: Sequence[Trained], problem: Problem) -> Trained:
    """The candidate that cross-validation chooses for the problem's goal."""
    by_name = {one.name: one for one in trained}
    ordered = {name: by_name[name].cv for name in outcome_of(problem).candidates if name in by_name}
    return by_name[choose_winner(ordered, problem.goal)]


def plan_folds(
    strata: NDArray[np.int64],
    *,
    folds: int,
    repeats: int,
    seed: int,
    groups: Sequence[str] | None = None,
) -> list[list[Fold]]:
    """The folds that every candidate of a run shares, so that their folds pair up.

    They are stratified by what `Target.strata` gives: the classes, nothing of a number.
    """
    return make_folds(strata, folds=folds, repeats=repeats, seed=seed, groups=groups)


def _fit(
    name: str,
    params: Params,
    problem: Problem,
    data: Matrices,
    *,
    splits: Sequence[Sequence[Fold]],
    build: Build,
    seed: int,
    is_calibrated: bool = False,
) -> Trained:
    outcome = outcome_of(problem)
    cv = outcome.cross_validate(build, data.X_train, data.y_train, splits, data.train)
    unfitted = build(np.arange(len(data.y_train)))
    model = data.train.fit(unfitted, data.X_train, data.y_train)
    on_train, on_test = outcome.answer(model, data.X_train), outcome.answer(model, data.X_test)
    rule = outcome.set_rule(cv.probabilities, data.y_train, data.train.weights)
    rule = outcome.settle_rule(rule, np.concatenate([on_train, on_test]))
    test = outcome.score(on_test, data.y_test, rule, data.test.weights)
    return Trained(
        name=name,
        params=params,
        cv=cv,
        model=model,
        rule=rule,
        is_calibrated=is_calibrated,
        test=test,
        test_metrics=compute_metrics(test),
        intervals=bootstrap_intervals(test, seed=seed),
    )

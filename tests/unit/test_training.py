import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import PredefinedSplit

from driftline import training
from driftline.answers import Floats, folds_by
from driftline.candidates import Candidate, Params, build_calibrated
from driftline.comparison import compare_pairwise
from driftline.dataset import Matrices, encode_rows, encode_target
from driftline.design import Design
from driftline.evaluation import Fold
from driftline.metrics import compute_metrics
from driftline.problem import Problem
from driftline.training import Trained, calibrate, plan_folds, train_candidate, winner_of
from tests.support import MOODS, make_problem, mood_rows, tiny_rows

Splits = list[list[Fold]]


def matrices(problem: Problem) -> Matrices:
    if problem.name == "moods":
        table = mood_rows()
    else:
        table = tiny_rows()
        table["outcome"] = table["outcome"].map({0: "well", 1: "ill"})
    X, y = encode_rows(table, problem), encode_target(table, problem)  # noqa: N806
    cut = int(0.75 * len(y))
    return Matrices(X[:cut], y[:cut], X[cut:], y[cut:])


def folds_of(data: Matrices, folds: int = 3) -> Splits:
    return plan_folds(data.y_train, folds=folds, repeats=2, seed=0)


def train(name: str, problem: Problem, data: Matrices, *, seed: int = 0) -> Trained:
    return train_candidate(name, problem, data, splits=folds_of(data), trials=0, seed=seed)


def in_another_process(answer: Callable[[Fold], Floats], folds: Sequence[Fold]) -> Iterator[Floats]:
    """As a call that is sent there would answer them, the last fold first."""
    sent = pickle.dumps(answer)
    made = [pickle.loads(sent)(fold) for fold in reversed(folds)]  # noqa: S301 - of our own making
    return reversed(made)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["random_forest", "hist_gradient_boosting"])
def test_folds_may_be_answered_in_any_order_and_by_any_process(problem: Problem, name: str) -> None:
    data, splits = matrices(problem), folds_of(matrices(problem))

    def make() -> list[Trained]:
        one = train_candidate(name, problem, data, splits=splits, trials=2, seed=0)
        return [one, calibrate(one, problem, data, splits=splits, seed=0)]

    here = make()
    with folds_by(in_another_process):
        there = make()

    for one, other in zip(here, there, strict=True):
        assert (one.params, one.threshold) == (other.params, other.threshold)
        np.testing.assert_array_equal(one.cv.probabilities, other.cv.probabilities)
        np.testing.assert_array_equal(one.test.probabilities, other.test.probabilities)


@pytest.mark.parametrize("name", ["logistic_regression", "decision_tree"])
def test_the_labels_of_test_rows_change_nothing_but_the_test_scores(
    problem: Problem, name: str
) -> None:
    """Everything that is chosen is chosen on training rows."""
    data = matrices(problem)
    turned = replace(data, y_test=1 - data.y_test)

    one, other = train(name, problem, data), train(name, problem, turned)

    np.testing.assert_array_equal(one.test.probabilities, other.test.probabilities)
    assert (one.params, one.threshold) == (other.params, other.threshold)
    for metric in one.cv.per_fold:
        np.testing.assert_array_equal(one.cv.per_fold[metric], other.cv.per_fold[metric])
    assert one.test_metrics["accuracy"] == pytest.approx(1 - other.test_metrics["accuracy"])


def test_other_test_rows_move_the_threshold_by_its_settling_only(problem: Problem) -> None:
    """It keeps clear of the rows that parity is proved on; that is all it may know of them."""
    data = matrices(problem)
    fewer = replace(data, X_test=data.X_test[:5], y_test=data.y_test[:5])

    one = train("logistic_regression", problem, data)
    other = train("logistic_regression", problem, fewer)

    assert one.threshold == pytest.approx(other.threshold, abs=1e-3)
    np.testing.assert_array_equal(one.test.probabilities[:5], other.test.probabilities)


def test_no_score_stands_close_to_the_threshold(problem: Problem) -> None:
    data = matrices(problem)

    trained = train("logistic_regression", problem, data)

    rows = np.vstack([data.X_train, data.X_test])
    scores = trained.model.predict_proba(rows)[:, 1]
    assert trained.threshold is not None
    assert np.abs(scores - trained.threshold).min() >= 0.99e-5


def test_the_same_seed_gives_the_same_figures(problem: Problem) -> None:
    data = matrices(problem)

    one, other = (
        train_candidate("decision_tree", problem, data, splits=folds_of(data), trials=3, seed=1)
        for _ in range(2)
    )

    assert one.flat_metrics() == other.flat_metrics()
    assert (one.params, one.threshold, one.intervals) == (
        other.params,
        other.threshold,
        other.intervals,
    )


def test_figures_come_with_deviation_and_interval(problem: Problem) -> None:
    trained = train("logistic_regression", problem, matrices(problem))

    figures = trained.flat_metrics()

    metrics = ("accuracy", "precision", "recall", "f1", "roc_auc", "pr_auc", "brier", "ece")
    for metric in (*metrics, "net_benefit"):
        assert {f"cv_{metric}_mean", f"cv_{metric}_std", f"test_{metric}"} <= set(figures)
        low, high = trained.intervals[metric]
        assert low <= high
    assert "cv_recall_excess_std" in figures
    assert all(np.isfinite(value) for value in figures.values())


def test_the_baseline_loses_to_a_candidate_that_learns(problem: Problem) -> None:
    data = matrices(problem)
    trained = [train(name, problem, data) for name in ("dummy", "logistic_regression")]

    winner = winner_of(trained, problem)

    assert winner.name == "logistic_regression"
    assert winner.test_metrics["roc_auc"] > 0.8


def test_three_classes_are_trained_without_a_threshold() -> None:
    moods = make_problem(MOODS, name="moods")
    data = matrices(moods)

    trained = train("logistic_regression", moods, data)

    assert trained.threshold is None
    assert trained.test.probabilities.shape == (len(data.y_test), 3)
    assert trained.test_metrics["accuracy"] > 0.6
    assert set(trained.test_metrics) == set(trained.cv.per_fold)
    assert "cv_accuracy_excess_std" in trained.flat_metrics()


@pytest.mark.parametrize("name", ["dummy", "decision_tree", "logistic_regression"])
def test_calibration_is_kept_only_where_it_lowers_the_brier_score(
    problem: Problem, name: str
) -> None:
    """The baseline answers with the share of classes, which nothing calibrates better."""
    data = matrices(problem)
    plain = train(name, problem, data)

    chosen = calibrate(plain, problem, data, splits=folds_of(data), seed=0)

    assert name != "dummy" or not chosen.is_calibrated
    if chosen.is_calibrated:
        assert chosen.cv.mean("brier") < plain.cv.mean("brier")
    else:
        assert chosen is plain


def test_a_calibration_learns_from_no_row_of_a_group_that_it_is_judged_on(
    problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = matrices(problem)
    groups = [f"patient {row // 3}" for row in range(len(data.y_train))]
    splits = plan_folds(data.y_train, folds=3, repeats=2, seed=0, groups=groups)
    plain = train("logistic_regression", problem, data)
    built: list[PredefinedSplit] = []

    def build(candidate: Candidate, params: Params, seed: int, folds: PredefinedSplit) -> Any:
        built.append(folds)
        return build_calibrated(candidate, params, seed, folds)

    monkeypatch.setattr(training, "build_calibrated", build)
    data = replace(data, train=Design(tuple(groups)))
    calibrate(plain, problem, data, splits=splits, seed=0)

    rows = [*(train for folds in splits for train, _ in folds), np.arange(len(groups))]
    for by, places in zip(built, rows, strict=True):
        parts = zip([groups[row] for row in places], by.test_fold, strict=True)
        assert len(set(parts)) == len({groups[row] for row in places})
        assert set(by.test_fold) == {0, 1, 2}


def test_a_class_that_two_groups_have_is_not_calibrated(
    problem: Problem,
) -> None:
    data = matrices(problem)
    ill = np.flatnonzero(data.y_train == 1)
    groups = [f"patient {row}" for row in range(len(data.y_train))]
    for row in ill:
        groups[row] = f"patient {ill[row % 2]}"
    splits = plan_folds(data.y_train, folds=2, repeats=1, seed=0, groups=groups)
    plain = train("logistic_regression", problem, data)

    data = replace(data, train=Design(tuple(groups)))
    assert calibrate(plain, problem, data, splits=splits, seed=0) is plain


def test_three_rows_of_a_class_in_three_folds_are_too_few_to_calibrate_on(problem: Problem) -> None:
    data = matrices(problem)
    kept = np.sort(np.concatenate([np.flatnonzero(data.y_train == k)[:3] for k in (0, 1)]))
    few = replace(data, X_train=data.X_train[kept], y_train=data.y_train[kept])
    splits = plan_folds(few.y_train, folds=3, repeats=1, seed=0)
    plain = train("logistic_regression", problem, data)

    assert calibrate(plain, problem, few, splits=splits, seed=0) is plain


def test_a_cost_matrix_moves_the_decisions_to_what_costs_less() -> None:
    plain = make_problem(MOODS, name="moods")
    matrix = {
        "low": {"even": 1, "high": 9},
        "even": {"low": 1, "high": 1},
        "high": {"even": 1, "low": 9},
    }
    dear = make_problem(MOODS, name="moods", goal={"minimise": "cost", "cost_matrix": matrix})
    data = matrices(plain)

    before = train("logistic_regression", plain, data)
    after = train("logistic_regression", dear, data)

    assert (before.test.probabilities == after.test.probabilities).all()
    by_habit = replace(after.test, predicted=before.test.predicted)
    assert after.test_metrics["cost"] < compute_metrics(by_habit)["cost"]
    assert after.cv.mean("cost") < 1
    assert dear.judged_by.metric == "cost"
    gain = compare_pairwise(after.test, by_habit, dear.judged_by, against="before", seed=0)
    assert gain.mean == pytest.approx(
        compute_metrics(by_habit)["cost"] - after.test_metrics["cost"]
    )


def test_costs_of_missing_a_class_move_the_decisions_and_no_probability() -> None:
    """In cross-validation and on the test rows alike."""
    plain = make_problem(MOODS, name="moods")
    goal = {"maximise": "lowest_recall", "miss_costs": {"low": 30, "even": 1, "high": 1}}
    costly = make_problem(MOODS, name="moods", goal=goal)
    data = matrices(plain)

    before = train("logistic_regression", plain, data)
    after = train("logistic_regression", costly, data)

    assert (before.test.probabilities == after.test.probabilities).all()
    assert (after.test.predicted == 0).sum() > (before.test.predicted == 0).sum()
    assert after.cv.mean("accuracy") < before.cv.mean("accuracy")

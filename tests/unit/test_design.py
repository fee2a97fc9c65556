"""A row with a sampling weight counts as often as it says, from the snapshot to the gate."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import PredefinedSplit
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline

from driftline import promise
from driftline.answers import answers_of
from driftline.candidates import CALIBRATION_FOLDS, CANDIDATES, Candidate, Params, build_calibrated
from driftline.cleaning import clean
from driftline.comparison import compare_pairwise
from driftline.dataset import Dataset, make_plan, split_dataset
from driftline.design import EVEN, Design, check_candidates, design_of, weights_of
from driftline.digests import WEIGHT, digest_rows, digest_table
from driftline.errors import DataError, ProblemError
from driftline.intervals import conformal_reach
from driftline.measured import Measured
from driftline.metrics import Scored, bootstrap_intervals, compute_metrics, score_rows
from driftline.numbers import NumberSpec
from driftline.problem import Comparison, Problem
from driftline.promise import Recipe
from driftline.regressors import REGRESSORS
from driftline.training import plan_folds, train_candidate
from tests.support import STAY, make_problem, stay_rows, tiny_rows

SMALL = {"random_forest": {"n_estimators": 20}, "hist_gradient_boosting": {"max_iter": 20}}
WEIGHED = make_problem(ignored=["wt"], weight="wt")
RNG = np.random.default_rng(0)
WEIGHTS = np.round(RNG.uniform(0.5, 4.0, 240), 3)


def cleaned(problem: Problem = WEIGHED, weights: Any = WEIGHTS) -> pd.DataFrame:
    return clean(tiny_rows().assign(wt=weights), problem, source="t", with_target=True).table


def dataset(table: pd.DataFrame, problem: Problem = WEIGHED) -> Dataset:
    plan = make_plan(problem, rows=240, folds=3, repeats=1, test_size=0.25, seed=0, is_smoke=False)
    return split_dataset(table, digest_rows(table), problem, plan)


def scored(rows: int, seed: int, *, classes: int = 2) -> Scored:
    rng = np.random.default_rng(seed)
    y = np.arange(rows) % classes
    p = rng.dirichlet(np.ones(classes), rows).round(2)
    p = p + 0.3 * np.eye(classes)[y]
    p = p / p.sum(axis=1, keepdims=True)
    positive, threshold = (1, 0.4) if classes == 2 else (None, None)
    return score_rows(p, y, positive=positive, threshold=threshold)


@pytest.mark.parametrize("classes", [2, 3])
@given(counts=st.lists(st.integers(1, 4), min_size=12, max_size=12), seed=st.integers(0, 9))
def test_a_whole_weight_is_as_many_rows(classes: int, counts: list[int], seed: int) -> None:
    once = scored(12, seed, classes=classes)

    weighed = compute_metrics(replace(once, weights=np.array(counts, dtype=float)))

    repeated = compute_metrics(once.take(np.repeat(np.arange(12), counts)))
    assert weighed == pytest.approx(repeated, nan_ok=True)


@given(counts=st.lists(st.integers(1, 4), min_size=30, max_size=30), seed=st.integers(0, 9))
def test_a_whole_weight_of_a_number_is_as_many_rows(counts: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    y, spec = rng.normal(size=30), NumberSpec(None, None, None, coverage=0.9, reach=0.8)
    once = Measured(y, (y + rng.normal(size=30))[:, None], spec, np.array(counts, dtype=float))

    weighed = compute_metrics(once)

    rows = np.repeat(np.arange(30), counts)
    repeated = Measured(once.y[rows], once.answers[rows], spec)
    assert weighed == pytest.approx(compute_metrics(repeated))


@pytest.mark.parametrize("metric", ["brier", "log_loss", "roc_auc", "pr_auc", "precision"])
def test_a_gain_is_one_over_the_people_that_the_weights_stand_for(metric: str) -> None:
    one, other = scored(400, 1), scored(400, 2)
    counts = np.where(RNG.random(400) < 0.3, 5, 1)
    policy = Comparison(metric=metric)
    weights = counts.astype(float)

    weighed = compare_pairwise(
        replace(one, weights=weights), replace(other, weights=weights), policy, against="x", seed=0
    )
    plain = compare_pairwise(one, other, policy, against="x", seed=0)
    rows = np.repeat(np.arange(400), counts)
    repeated = compare_pairwise(one.take(rows), other.take(rows), policy, against="x", seed=0)

    assert weighed.mean == pytest.approx(repeated.mean)
    assert weighed.margin == pytest.approx(repeated.margin)
    assert weighed.rows == 400
    width, of_equal, of_copies = (each.high - each.low for each in (weighed, plain, repeated))
    assert width > of_copies  # copies are no further rows
    assert width < 2 * of_equal


@pytest.mark.parametrize("metric", ["brier", "roc_auc", "pr_auc"])
def test_equal_weights_change_no_comparison(metric: str) -> None:
    one, other, policy = scored(200, 1), scored(200, 2), Comparison(metric=metric)
    equal = np.ones(200)

    weighed = compare_pairwise(
        replace(one, weights=equal), replace(other, weights=equal), policy, against="x", seed=0
    )

    plain = compare_pairwise(one, other, policy, against="x", seed=0)
    assert (weighed.mean, weighed.low, weighed.high) == pytest.approx(
        (plain.mean, plain.low, plain.high)
    )


def test_an_interval_is_of_the_weighted_figure() -> None:
    rows = scored(400, 1)
    right = rows.predicted == rows.y
    heavy = replace(rows, weights=np.where(right, 1.0, 20.0))

    low, high = bootstrap_intervals(heavy, seed=0)["accuracy"]

    assert low < compute_metrics(heavy)["accuracy"] < high
    assert high < compute_metrics(rows)["accuracy"]


@given(counts=st.lists(st.integers(1, 3), min_size=60, max_size=60))
def test_a_reach_covers_the_weight_that_is_asked_for(counts: list[int]) -> None:
    errors, weights = np.arange(1.0, 61.0), np.array(counts, dtype=float)

    reach = conformal_reach(errors, 0.8, weights=weights)

    assert weights[errors <= reach].sum() >= 0.8 * weights.sum()
    assert conformal_reach(errors, 0.8, weights=np.ones(60)) == conformal_reach(errors, 0.8)


def test_a_snapshot_holds_the_weights_beside_the_same_rows() -> None:
    table = cleaned()

    assert table[WEIGHT].tolist() == WEIGHTS.tolist()
    assert digest_rows(table) == digest_rows(table.drop(columns=WEIGHT))
    assert digest_table(table) != digest_table(cleaned(weights=WEIGHTS[::-1]))


@pytest.mark.parametrize("bad", [0.0, -1.5, np.nan, "heavy", np.inf])
def test_rows_without_a_positive_weight_are_refused_by_their_count(bad: Any) -> None:
    weights = pd.Series(WEIGHTS, dtype=object)
    weights[[4, 9, 11]] = bad

    with pytest.raises(DataError, match=r"t: weight: got 3 of 240 rows .* in 'wt' \(row 5 first\)"):
        cleaned(weights=weights)


def test_a_labelled_prediction_counts_as_the_average_row() -> None:
    known = cleaned()
    both = pd.concat([known, known.drop(columns=WEIGHT).head(5)], ignore_index=True)

    weights = weights_of(both, WEIGHED)

    assert weights is not None
    assert weights[:240].mean() == pytest.approx(1.0)
    assert weights[240:].tolist() == [1.0] * 5
    assert design_of(both.drop(columns=WEIGHT), WEIGHED) == EVEN


def test_rows_whose_source_had_no_weights_are_refused_where_they_are_split() -> None:
    table = clean(tiny_rows(), WEIGHED, source="t", with_target=True).table

    with pytest.raises(DataError, match="weight: the snapshot does not know its rows' 'wt'"):
        dataset(table)


def test_a_weight_is_a_column_that_no_model_sees() -> None:
    with pytest.raises(ProblemError, match="weight: got 'age', wanted one of `ignored`"):
        make_problem(weight="age")


@pytest.mark.parametrize("name", sorted(CANDIDATES))
def test_every_classifier_learns_by_the_weights(name: str) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 3)).astype(np.float32), np.arange(300) % 2  # noqa: N806
    candidate, heavy = CANDIDATES[name], Design(weights=np.where(y == 1, 1.8, 0.2))
    params = {**candidate.defaults, **SMALL.get(name, {})}

    for pipeline in (candidate.build(params, 0), build_calibrated(candidate, params, 0)):
        answers = answers_of(heavy.fit(pipeline, X, y), X)
        assert answers[:, 1].mean() > 0.7


@pytest.mark.parametrize("name", sorted(REGRESSORS))
def test_every_regressor_learns_by_the_weights(name: str) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 3)).astype(np.float32), np.repeat([0.0, 1.0], 150)  # noqa: N806
    candidate, heavy = REGRESSORS[name], Design(weights=np.where(y == 1, 1.8, 0.2))

    model = heavy.fit(candidate.build({**candidate.defaults, **SMALL.get(name, {})}, 0), X, y)

    assert answers_of(model, X).mean() > 0.7


def test_candidates_that_cannot_take_weights_are_named() -> None:
    def build(params: Params, seed: int) -> Pipeline:
        del params, seed
        return Pipeline([("classify", KNeighborsClassifier())])

    with pytest.raises(ProblemError, match="candidates: got neighbours beside `weight`"):
        check_candidates([CANDIDATES["dummy"], Candidate("neighbours", build)])


@pytest.mark.parametrize(("base", "rows"), [(None, tiny_rows), (STAY, stay_rows)])
def test_a_training_searches_and_measures_by_the_weights(base: Any, rows: Any) -> None:
    problem = make_problem(
        **({} if base is None else {"base": base}),
        ignored=["wt"],
        weight="wt",
        search={"trials": 2, "folds": 2},
    )
    table = clean(rows().assign(wt=WEIGHTS), problem, source="t", with_target=True).table
    data = dataset(table, problem).data
    name = problem.candidates[1]
    losses: dict[str, list[float]] = {"weighed": [], "plain": []}

    weighed, plain = (
        train_candidate(
            name,
            problem,
            each,
            splits=plan_folds(problem.target.strata(data.y_train), folds=3, repeats=1, seed=0),
            trials=2,
            seed=0,
            on_trial=lambda _, loss, told=told: losses[told].append(loss),
        )
        for told, each in (("weighed", data), ("plain", replace(data, train=EVEN, test=EVEN)))
    )

    assert losses["weighed"][0] != pytest.approx(losses["plain"][0], rel=1e-4)
    assert weighed.test.weights is not None
    assert weighed.test_metrics == compute_metrics(weighed.test)
    assert weighed.test_metrics != plain.test_metrics
    goal = problem.goal.metric
    assert weighed.cv.mean(goal) != pytest.approx(plain.cv.mean(goal), rel=1e-6)


def test_a_recipe_calibrates_by_folds_that_keep_groups_together_and_with_weights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = dataset(cleaned()).data
    rows = len(data.y_train)
    design = Design(tuple(f"patient {row // 3}" for row in range(rows)), data.train.weights)
    recipe = Recipe("logistic_regression", {"C": 1.0}, is_calibrated=True)
    seen = SimpleNamespace(folds=None)

    def build(candidate: Candidate, params: Params, seed: int, folds: PredefinedSplit) -> Any:
        seen.folds = folds
        return build_calibrated(candidate, params, seed, folds)

    monkeypatch.setattr(promise, "build_calibrated", build)
    model = recipe.fit(data.X_train, data.y_train, design)

    parts = set(zip(design.groups or (), seen.folds.test_fold, strict=True))
    assert len(parts) == len(set(design.groups or ()))
    assert set(seen.folds.test_fold) == set(range(CALIBRATION_FOLDS))
    plain = recipe.fit(data.X_train, data.y_train, Design(design.groups))
    assert not np.allclose(answers_of(model, data.X_test), answers_of(plain, data.X_test))

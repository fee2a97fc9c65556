from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from sklearn.datasets import load_diabetes

from driftline.comparison import compare_pairwise, measure_skill
from driftline.dataset import Dataset, Plan, draft_contract, encode_rows, split_dataset
from driftline.digests import digest_rows
from driftline.errors import DataError
from driftline.export import check_parity, edge_cases, export_onnx
from driftline.importance import measure_use
from driftline.measured import Measured
from driftline.number_parity import NumberParity
from driftline.number_report import Coverage, measure_coverage
from driftline.outcome import outcome_of
from driftline.problem import Problem
from driftline.promise import Promise, Recipe, make_promise, read_promise
from driftline.regressors import REGRESSORS
from driftline.served import ServedModel, score_served
from driftline.training import (
    Trained,
    calibrate,
    out_of_fold,
    plan_folds,
    renew,
    train_candidate,
    winner_of,
)
from tests.support import STAY, make_problem, stay_rows

PLAN = Plan(folds=4, repeats=2, trials=0, test_size=0.25, seed=0, is_smoke=False)
REAL = [name for name in REGRESSORS if name != "dummy"]


@cache
def stay() -> Problem:
    return make_problem(STAY)


@cache
def dataset(rows: int = 240) -> Dataset:
    table = stay_rows(rows)
    return split_dataset(table, digest_rows(table), stay(), PLAN)


@cache
def progression() -> tuple[Problem, Dataset]:
    """scikit-learn's diabetes table: 442 people, whose disease has progressed by so much."""
    table = load_diabetes(as_frame=True).frame
    columns = {name: {"range": [-1, 1]} for name in table if name != "target"}
    target = {"name": "target", "kind": "number", "range": [0, 400]}
    problem = make_problem(
        STAY, name="progression", target=target, columns=columns, candidates=None, gates=None
    )
    return problem, split_dataset(table, digest_rows(table), problem, PLAN)


@cache
def train(name: str, goal: str = "mae") -> Trained:
    problem = make_problem(STAY, goal={"minimise": goal})
    return fit(name, problem, dataset())


def fit(name: str, problem: Problem, rows: Dataset, *, trials: int = 0) -> Trained:
    strata = problem.target.strata(rows.data.y_train)
    splits = plan_folds(strata, folds=PLAN.folds, repeats=PLAN.repeats, seed=0)
    return train_candidate(name, problem, rows.data, splits=splits, trials=trials, seed=0)


def test_the_truth_of_test_rows_changes_nothing_but_the_test_figures() -> None:
    """What intervals reach is learnt on training rows alone."""
    rows = dataset()
    turned = replace(rows, data=replace(rows.data, y_test=60 - rows.data.y_test))

    one, other = train("ridge"), fit("ridge", stay(), turned)

    assert one.rule == other.rule
    np.testing.assert_array_equal(one.test.probabilities, other.test.probabilities)
    assert one.test_metrics["mae"] != other.test_metrics["mae"]


def test_what_tells_of_the_number_wins_and_the_dummy_never_does() -> None:
    trained = [train("dummy"), train("ridge")]

    winner = winner_of(trained, stay())

    assert winner.name == "ridge"
    assert winner.cv.mean("mae") < 0.6 * trained[0].cv.mean("mae")
    assert {"cv_mae_mean", "cv_r2_std", "test_interval_coverage"} <= winner.flat_metrics().keys()


def test_a_search_goes_by_the_goals_own_loss() -> None:
    """The mean is what squares are lowest at, the median what sizes are."""
    skewed = dataset()
    rng = np.random.default_rng(0)
    y = rng.exponential(5.0, len(skewed.data.y_train)).clip(0, 60)
    rows = replace(skewed, data=replace(skewed.data, y_train=y))

    by_size = fit("dummy", make_problem(STAY), rows, trials=6)
    by_square = fit("dummy", make_problem(STAY, goal={"minimise": "rmse"}), rows, trials=6)

    assert (by_size.params["strategy"], by_square.params["strategy"]) == ("median", "mean")


def coverage_of(seed: int) -> Coverage:
    """What intervals that are learnt from 400 rows hold of 2,000 others."""
    table, problem = stay_rows(2400, seed=seed), stay()
    rows, unseen = table.head(400), table.iloc[400:]
    one = fit("ridge", problem, split_dataset(rows, digest_rows(rows), problem, PLAN))
    outcome = outcome_of(problem)
    answers = outcome.answer(one.model, encode_rows(unseen, problem))
    test = outcome.score(answers, unseen["stay"].to_numpy(), one.rule)
    assert isinstance(test, Measured)
    return measure_coverage(test)


@pytest.mark.slow
def test_intervals_hold_the_truth_of_rows_not_learnt_from() -> None:
    """Their quantile is itself drawn, so it is the mean over tables that keeps the promise."""
    every = [coverage_of(seed) for seed in range(6)]

    assert np.mean([one.measured for one in every]) == pytest.approx(0.9, abs=0.02)
    assert all(one.rows == 2000 and one.low < one.measured < one.high for one in every)


def test_too_few_rows_to_make_intervals_from_are_refused() -> None:
    table = stay_rows(40)
    problem = make_problem(STAY, intervals={"coverage": 0.99})
    few = split_dataset(table, digest_rows(table), problem, PLAN)

    with pytest.raises(DataError, match=r"wanted at least 99 for intervals\.coverage 0\.99"):
        fit("ridge", problem, few)


@pytest.mark.parametrize("name", REAL)
def test_the_export_answers_alike_on_every_row_of_a_real_table(name: str) -> None:
    problem, rows = progression()
    model = REGRESSORS[name].build(REGRESSORS[name].defaults, 0)
    model = model.fit(rows.data.X_train, rows.data.y_train)
    contract = draft_contract(problem)
    onnx = export_onnx(model, rows.data.X_train.shape[1])
    matrix = np.vstack([rows.data.X_test, edge_cases(model, rows.data.X_train, contract)])

    parity = check_parity(model, onnx, matrix, contract)

    assert isinstance(parity, NumberParity)
    assert parity.rows == len(matrix)
    assert parity.max_relative_difference < 1e-6
    assert parity.is_kept


def test_an_export_of_another_model_is_noticed() -> None:
    problem, rows = progression()
    ridge = REGRESSORS["ridge"]
    one, other = (
        ridge.build({"alpha": alpha}, 0).fit(rows.data.X_train, rows.data.y_train)
        for alpha in (1.0, 2.0)
    )

    parity = check_parity(one, export_onnx(other, 10), rows.data.X_test, draft_contract(problem))

    assert not parity.is_kept
    assert "of the answers' spread, wanted at most 1.0e-05" in parity.gap


def test_a_served_model_is_scored_within_its_range_by_its_own_intervals() -> None:
    one, problem = train("ridge"), stay()
    contract = outcome_of(problem).seal(draft_contract(problem), one.rule)
    served = ServedModel("3", export_onnx(one.model, 4), contract, frozenset())
    table = stay_rows(50, seed=9).assign(level=10.0)  # beyond what the range allows

    scored = score_served(served, table, table["stay"].to_numpy())

    assert isinstance(scored, Measured)
    assert scored.spec.reach == one.rule
    assert scored.predicted.max() <= 60
    assert (scored.ends[1] <= 60).all()


def test_a_champion_is_compared_by_the_rows_errors_with_a_tenth_of_its_skill_as_margin() -> None:
    ridge, dummy = train("ridge").test, train("dummy").test
    policy = stay().judged_by

    gain = compare_pairwise(ridge, dummy, policy, against="the champion", seed=0)
    loss = compare_pairwise(dummy, ridge, policy, against="the champion", seed=0)

    saved = np.abs(dummy.y - dummy.probabilities[:, 0]) - np.abs(
        ridge.y - ridge.probabilities[:, 0]
    )
    assert gain.mean == pytest.approx(saved.mean())
    assert gain.is_superior
    assert not loss.is_non_inferior
    median = np.abs(ridge.y - np.median(ridge.y)).mean()
    skill = median - np.abs(ridge.y - ridge.probabilities[:, 0]).mean()
    assert measure_skill(ridge, policy) == pytest.approx(skill)
    assert loss.margin == pytest.approx(0.1 * skill)


def promised(metric: str = "absolute_error") -> Promise:
    recipe = Recipe("ridge", {"alpha": 1.0}, predicts="number")
    answers = out_of_fold(train("ridge"), dataset().data, is_renewed=False)
    return make_promise(answers, metric=metric, recipe=recipe, use={})  # type: ignore[arg-type]


def test_a_promise_counts_skill_from_the_median_and_bounds_what_a_row_may_cost() -> None:
    promise, data = promised(), dataset().data

    errors = np.abs(data.y_train - np.mean(train("ridge").cv.probabilities, axis=0)[:, 0])
    assert promise.loss == pytest.approx(errors.mean())
    assert promise.base_loss == pytest.approx(np.abs(data.y_train - np.median(data.y_train)).mean())
    assert promise.scale == pytest.approx(np.quantile(errors, 0.99))
    assert promise.blind == "the median"
    assert promised("squared_error").blind == "the mean"
    assert read_promise(promise.to_document()) == promise


def test_a_recipe_of_a_number_makes_a_regressor_again() -> None:
    data = dataset().data

    model = promised().recipe.fit(data.X_train, data.y_train)

    assert np.abs(model.predict(data.X_test) - data.y_test).mean() < 3


def test_a_renewed_model_learns_from_all_rows_and_is_tested_by_those_before() -> None:
    data, winner = dataset().data, train("ridge")
    recipe = Recipe("ridge", {"alpha": 1.0}, predicts="number")

    renewed = renew(winner, stay(), data, recipe, seed=0)
    again = renew(winner, stay(), replace(data, y_test=60 - data.y_test), recipe, seed=0)

    assert renewed.test_metrics["mae"] < 3
    first = len(data.y_test) // 3
    np.testing.assert_array_equal(
        renewed.test.probabilities[:first], again.test.probabilities[:first]
    )
    assert not np.allclose(renewed.test.probabilities, again.test.probabilities)


def test_there_is_nothing_to_calibrate() -> None:
    data, winner = dataset().data, train("ridge")
    splits = plan_folds(stay().target.strata(data.y_train), folds=3, repeats=1, seed=0)

    assert calibrate(winner, stay(), data, splits=splits, seed=0) is winner


def test_a_column_counts_by_the_error_that_it_saves() -> None:
    data, winner = dataset().data, train("ridge")

    use = measure_use(winner.model, data.X_test, data.y_test, draft_contract(stay()), seed=0)

    assert use["level"] > 0.7
    assert sum(use.values()) == pytest.approx(1)

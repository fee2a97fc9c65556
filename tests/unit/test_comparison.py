from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.comparison import compare_pairwise, measure_skill
from driftline.metrics import Scored, compute_metrics, decide
from driftline.problem import Comparison
from tests.benchmarks.decisions.promotion import World, draw_pair, promoted_share
from tests.support import MOODS, make_problem

LOSSES = ("brier", "log_loss", "error")
METRICS = ("accuracy", "f1", "recall", "precision", "specificity", "net_benefit")
ALL = (*LOSSES, *METRICS, "roc_auc", "pr_auc")


def scored(p: np.ndarray, y: np.ndarray, *, threshold: float = 0.5) -> Scored:
    both = np.column_stack([1 - p, p])
    predicted = decide(both, positive=1, threshold=threshold)
    return Scored(y, both, predicted, positive=1, threshold=threshold)


def three_classes(skill: float, y: np.ndarray, rng: np.random.Generator) -> Scored:
    odds = rng.normal(size=(len(y), 3)) + skill * np.eye(3)[y]
    p = np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)
    return Scored(y, p, p.argmax(axis=1), positive=None, threshold=None)


def test_the_goal_is_what_models_are_compared_by() -> None:
    goals = {"roc_auc": "roc_auc", "accuracy": "error", "brier": "brier", "ece": "brier"}

    compared = {goal: make_problem(goal={"maximise": goal}).judged_by.metric for goal in goals}

    assert compared == goals


def test_the_conditions_of_the_goal_hold_in_the_comparison() -> None:
    problem = make_problem(goal={"maximise": "precision", "subject_to": {"recall": 0.95}})
    named = make_problem(comparison={"metric": "brier"})

    assert problem.judged_by.subject_to == {"recall": 0.95}
    assert (named.judged_by.metric, named.judged_by.subject_to) == ("brier", {})


def test_a_comparison_may_have_conditions_of_its_own() -> None:
    problem = make_problem(comparison={"metric": "f1", "subject_to": {"precision": 0.7}})

    assert problem.judged_by.subject_to == {"precision": 0.7}


def test_a_goal_of_accuracy_under_a_condition_stays_under_it() -> None:
    problem = make_problem(goal={"maximise": "accuracy", "subject_to": {"recall": 0.9}})

    assert problem.judged_by.metric == "accuracy"
    assert problem.judged_by.subject_to == {"recall": 0.9}


@pytest.mark.parametrize("metric", ALL)
def test_a_clearly_better_challenger_gains_in_every_metric(metric: str) -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 400)
    good = scored(np.clip(y + rng.normal(0, 0.3, 400), 0.01, 0.99), y)
    bad = scored(rng.random(400), y)
    policy = Comparison.model_validate({"metric": metric})

    better = compare_pairwise(good, bad, policy, against="champion v1", seed=0)
    worse = compare_pairwise(bad, good, policy, against="champion v1", seed=0)

    assert better.low > 0 > worse.high
    assert better.mean == pytest.approx(-worse.mean)


@pytest.mark.parametrize("metric", ["error", "brier", "roc_auc", "pr_auc", "f1", "recall"])
def test_more_than_two_classes_are_compared_by_their_mean(metric: str) -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 400)
    good, bad = three_classes(2.0, y, rng), three_classes(0.5, y, rng)
    policy = Comparison.model_validate({"metric": metric})

    better = compare_pairwise(good, bad, policy, against="champion v1", seed=0)

    name, sign = ("accuracy", 1) if metric == "error" else (metric, -1 if metric == "brier" else 1)
    gap = compute_metrics(good)[name] - compute_metrics(bad)[name]
    assert better.mean == pytest.approx(sign * gap)
    assert better.low > 0


def test_halving_is_only_for_two_classes() -> None:
    """The two-class Brier score counts the positive class once, the many-class one every class."""
    y = np.array([0, 1])
    sure, unsure = np.eye(2)[y], np.full((2, 2), 0.5)
    three = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    thirds = np.array([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0]])
    policy = Comparison(metric="brier")

    two = [Scored(y, p, y, positive=1, threshold=0.5) for p in (sure, unsure)]
    many = [Scored(y, p, y, positive=None, threshold=None) for p in (three, thirds)]

    assert compare_pairwise(*two, policy, against="it", seed=0).mean == pytest.approx(0.25)
    assert compare_pairwise(*many, policy, against="it", seed=0).mean == pytest.approx(0.5)


def operating(recall: int, precision: float, y: np.ndarray) -> Scored:
    """Decisions that find `recall` of 100 ill and are right in a share of their alarms."""
    alarms = round(recall / precision) - recall
    p = np.zeros(len(y))
    p[np.flatnonzero(y == 1)[:recall]] = 1.0
    p[np.flatnonzero(y == 0)[:alarms]] = 1.0
    return scored(p, y)


def test_precision_is_not_bought_below_the_floor_of_recall() -> None:
    y = np.r_[np.ones(100, dtype=np.int64), np.zeros(900, dtype=np.int64)]
    careful, sly = operating(97, 0.70, y), operating(80, 0.85, y)
    policy = Comparison(metric="precision", subject_to={"recall": 0.95})

    challenged = compare_pairwise(sly, careful, policy, against="champion v1", seed=0)
    restored = compare_pairwise(careful, sly, policy, against="champion v1", seed=0)
    unbound = compare_pairwise(sly, careful, Comparison(metric="precision"), against="it", seed=0)

    assert challenged.high < 0 < restored.low
    assert unbound.low > 0
    assert challenged.metric == "precision subject to recall >= 0.95"


def test_the_baseline_is_asked_only_whether_anything_was_learnt() -> None:
    """It calls everyone ill, so no floor binds it: a recall near the floor is no fault."""
    y = np.r_[np.ones(30, dtype=np.int64), np.zeros(30, dtype=np.int64)]
    near, blind = operating(24, 0.8, y), scored(np.full(60, 0.5), y)
    policy = Comparison(metric="precision", subject_to={"recall": 0.8})

    learnt = compare_pairwise(near, blind, policy, against="it", seed=0, role="baseline")
    beaten = compare_pairwise(near, blind, policy, against="it", seed=0)

    assert learnt.metric == "brier"
    assert learnt.mean == pytest.approx(0.25 - (6 + 6) / 60)
    assert beaten.low < 0


def test_above_the_floor_only_the_goal_counts() -> None:
    y = np.r_[np.ones(100, dtype=np.int64), np.zeros(900, dtype=np.int64)]
    one, other = operating(99, 0.90, y), operating(100, 0.70, y)
    policy = Comparison(metric="precision", subject_to={"recall": 0.9})

    compared = compare_pairwise(one, other, policy, against="champion v1", seed=0)

    assert compared.mean == pytest.approx(0.20, abs=0.01)
    assert compared.low > 0


@pytest.mark.parametrize("metric", ["roc_auc", "pr_auc"])
def test_rows_of_one_class_compare_no_ranking(metric: str) -> None:
    y = np.zeros(40, dtype=np.int64)
    policy = Comparison.model_validate({"metric": metric})

    compared = compare_pairwise(
        scored(np.linspace(0, 1, 40), y), scored(np.full(40, 0.5), y), policy, against="it", seed=0
    )

    assert compared.rows == 0


@given(seed=st.integers(0, 1000), metric=st.sampled_from(ALL))
def test_the_margin_is_a_tenth_of_the_champions_skill(seed: int, metric: str) -> None:
    one, other = draw_pair(World(200, 0.8, 0.0, 0.5), np.random.default_rng(seed))
    policy = Comparison.model_validate({"metric": metric})

    compared = compare_pairwise(one, other, policy, against="it", seed=0)

    assert compared.margin == pytest.approx(max(0.0, measure_skill(other, policy) / 10))


@pytest.mark.parametrize("metric", ALL)
def test_answers_without_skill_have_none(metric: str) -> None:
    rng = np.random.default_rng(0)
    y = (rng.random(20_000) < 0.3).astype(np.int64)
    constant = scored(np.full(len(y), 0.3), y)
    policy: dict[str, Any] = {"metric": metric}

    skill = measure_skill(constant, Comparison.model_validate(policy))

    assert skill == pytest.approx(0, abs=0.02)


def test_a_margin_in_the_file_is_in_the_metrics_units() -> None:
    one, other = draw_pair(World(200, 0.8, 0.0, 0.5), np.random.default_rng(0))

    compared = compare_pairwise(one, other, Comparison(margin=0.015), against="it", seed=0)

    assert compared.margin == 0.015


@pytest.mark.slow
@pytest.mark.parametrize("correlation", [0.0, 0.9])
@pytest.mark.parametrize("metric", ["roc_auc", "pr_auc", "brier", "error", "f1"])
def test_an_equal_challenger_is_promoted_by_luck_alone(metric: str, correlation: float) -> None:
    """Nominally 4 % of 400 trials; 6.5 % is two and a half deviations above."""
    policy = Comparison.model_validate({"metric": metric})

    share = promoted_share(World(600, 0.85, 0.0, correlation), policy, trials=400, seed=11)

    assert 0.01 < share < 0.065


@pytest.mark.slow
def test_two_hundredths_of_auc_are_seen_where_2000_rows_can_show_them() -> None:
    policy = Comparison(metric="roc_auc")

    share = promoted_share(World(2000, 0.93, 0.02, 0.5), policy, trials=100, seed=3)

    assert share >= 0.8


def test_a_multiclass_goal_goes_by_the_same_default() -> None:
    assert make_problem(MOODS, name="moods").judged_by.metric == "error"

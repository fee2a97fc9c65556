import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.metrics import Scored, decide
from driftline.problem import Comparison, Gate
from driftline.promotion import (
    GateResult,
    Improvement,
    check_gates,
    compare_pairwise,
    decide_promotion,
)

POLICY = Comparison(min_rows=50)
GATES = (
    Gate(metric="cv_recall_mean", at_least=0.95),
    Gate(metric="cv_recall_excess_std", at_most=0.05),
)
shares = st.floats(0, 1)


def scored(p: np.ndarray, y: np.ndarray) -> Scored:
    both = np.column_stack([1 - p, p])
    return Scored(y, both, decide(both, positive=1, threshold=0.5), positive=1, threshold=0.5)


def improvement(*, rows: int = 100, low: float = 0.01) -> Improvement:
    return Improvement(
        against="champion v1", metric="brier", rows=rows, mean=low + 0.01, low=low, high=low + 0.02
    )


@given(recall=shares, deviation=shares, better=shares, steadier=shares)
def test_a_better_figure_never_loses_a_gate(
    recall: float, deviation: float, better: float, steadier: float
) -> None:
    worse_figures = {"cv_recall_mean": recall, "cv_recall_excess_std": deviation}
    better_figures = {
        "cv_recall_mean": max(recall, better),
        "cv_recall_excess_std": min(deviation, steadier),
    }

    before = [gate.is_kept for gate in check_gates(GATES, worse_figures)]
    after = [gate.is_kept for gate in check_gates(GATES, better_figures)]

    assert all(kept_now for kept_now, kept_then in zip(after, before, strict=True) if kept_then)


@given(low=st.floats(-1, 1), gain=st.floats(0, 1))
def test_a_larger_improvement_never_loses_the_promotion(low: float, gain: float) -> None:
    before = decide_promotion([], [improvement(low=low)], POLICY)
    after = decide_promotion([], [improvement(low=low + gain)], POLICY)

    assert after.is_promoted or not before.is_promoted


def test_a_figure_on_its_bound_keeps_it() -> None:
    results = check_gates(GATES, {"cv_recall_mean": 0.95, "cv_recall_excess_std": 0.05})

    assert [result.is_kept for result in results] == [True, True]


@pytest.mark.parametrize("figures", [{}, {"cv_recall_mean": float("nan")}])
def test_a_figure_that_was_not_measured_keeps_no_bound(figures: dict[str, float]) -> None:
    results = check_gates(GATES, figures)

    assert not any(result.is_kept for result in results)


def test_equal_models_are_not_better_than_each_other() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 300)
    same = scored(np.clip(0.5 * y + rng.random(300) / 2, 0, 1), y)

    compared = compare_pairwise(same, same, POLICY, against="champion v1", seed=0)
    decision = decide_promotion([], [compared], POLICY)

    assert compared.mean == compared.low == compared.high == 0
    assert decision.verdict == "rejected"
    assert decision.reasons[0].startswith("not better than champion v1 beyond noise: brier")


@pytest.mark.parametrize("metric", ["brier", "log_loss", "error"])
def test_a_clearly_better_challenger_is_promoted(metric: str) -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 400)
    good = scored(np.clip(y + rng.normal(0, 0.3, 400), 0.01, 0.99), y)
    bad = scored(rng.random(400), y)
    policy = Comparison(metric=metric, min_rows=50)

    better = compare_pairwise(good, bad, policy, against="champion v1", seed=0)
    worse = compare_pairwise(bad, good, policy, against="champion v1", seed=0)

    assert decide_promotion([], [better], policy).is_promoted
    assert not decide_promotion([], [worse], policy).is_promoted
    assert better.mean == pytest.approx(-worse.mean)


def test_a_challenger_that_is_better_by_chance_is_rarely_promoted() -> None:
    """Two models of equal skill: at 95 % confidence about one in forty passes as better."""
    promoted = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        y = rng.integers(0, 2, 120)
        one, other = (scored(np.clip(y + rng.normal(0, 0.4, 120), 0, 1), y) for _ in range(2))
        compared = compare_pairwise(one, other, POLICY, against="champion v1", seed=seed)
        promoted += decide_promotion([], [compared], POLICY).is_promoted

    assert promoted <= 12


@pytest.mark.parametrize(("rows", "verdict"), [(49, "rejected"), (50, "promoted")])
def test_too_few_unseen_rows_prove_nothing(rows: int, verdict: str) -> None:
    decision = decide_promotion([], [improvement(rows=rows)], POLICY)

    assert decision.verdict == verdict
    if verdict == "rejected":
        assert decision.reasons == ("only 49 rows unseen by both it and champion v1, wanted 50",)


def test_one_reason_against_is_enough_and_every_one_is_told() -> None:
    gates = check_gates(GATES, {"cv_recall_mean": 0.9, "cv_recall_excess_std": 0.01})

    decision = decide_promotion(
        gates, [improvement(low=-0.5)], POLICY, obstacles=["a smoke run is never promoted"]
    )

    assert decision.verdict == "rejected"
    smoke, gate, noise = decision.reasons
    assert smoke == "a smoke run is never promoted"
    assert gate == "cv_recall_mean is 0.9000, wanted >= 0.95"
    assert noise.startswith("not better than champion v1 beyond noise")


def test_a_promotion_says_why() -> None:
    gates = [GateResult("cv_recall_mean", ">= 0.95", 0.97, is_kept=True)]

    decision = decide_promotion(gates, [improvement()], POLICY)

    assert decision.is_promoted
    assert decision.reasons[0] == "cv_recall_mean is 0.9700 (>= 0.95)"
    assert decision.reasons[1].startswith("better than champion v1: brier saved per row +0.0200")


def test_a_first_model_without_gates_is_promoted() -> None:
    assert decide_promotion([], [], POLICY).reasons == ("no gate stands against it",)


def test_halving_is_only_for_two_classes() -> None:
    """The two-class Brier score counts the positive class once, the many-class one every class."""
    y = np.array([0, 1])
    sure, unsure = np.eye(2)[y], np.full((2, 2), 0.5)
    two = [Scored(y, p, y, positive=1, threshold=0.5) for p in (sure, unsure)]
    many = [Scored(y, p, y, positive=None, threshold=None) for p in (sure, unsure)]

    saved_of_two = compare_pairwise(*two, POLICY, against="it", seed=0)
    saved_of_many = compare_pairwise(*many, POLICY, against="it", seed=0)

    assert saved_of_two.mean == pytest.approx(0.25)
    assert saved_of_many.mean == pytest.approx(0.5)

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.comparison import Improvement, Role, compare_pairwise
from driftline.metrics import Scored, decide
from driftline.problem import Comparison, Gate
from driftline.promotion import GateResult, check_gates, decide_promotion

POLICY = Comparison(min_rows=50)
GATES = (
    Gate(metric="cv_recall_mean", at_least=0.95),
    Gate(metric="cv_recall_excess_std", at_most=0.05),
)
shares = st.floats(0, 1)


def scored(p: np.ndarray, y: np.ndarray) -> Scored:
    both = np.column_stack([1 - p, p])
    return Scored(y, both, decide(both, positive=1, threshold=0.5), positive=1, threshold=0.5)


def improvement(
    *, rows: int = 100, low: float = 0.01, margin: float = 0.0, role: Role = "champion"
) -> Improvement:
    return Improvement(
        against="champion v1" if role == "champion" else "the baseline",
        metric="brier",
        rows=rows,
        mean=low + 0.01,
        low=low,
        high=low + 0.02,
        margin=margin,
        role=role,
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


def test_an_equal_challenger_is_promoted_where_something_asks_for_a_new_model() -> None:
    equal = improvement(low=-0.01, margin=0.02)

    renewed = decide_promotion([], [equal], POLICY, reason_to_renew="proven harm on 400 labels")
    kept = decide_promotion([], [equal], POLICY)

    assert renewed.is_promoted
    assert renewed.reasons[0].startswith("no worse than champion v1 within 0.0200")
    assert renewed.reasons[0].endswith("renewed for proven harm on 400 labels")
    assert kept.verdict == "rejected"
    assert kept.reasons[0].endswith("but nothing asks for a new model")


@given(low=st.floats(-1, 1), margin=st.floats(0, 1))
def test_a_reason_to_renew_helps_only_within_the_margin(low: float, margin: float) -> None:
    compared = improvement(low=low, margin=margin)

    decision = decide_promotion([], [compared], POLICY, reason_to_renew="proven harm")

    assert decision.is_promoted == (low > min(0, -margin))


def test_the_baseline_has_to_be_beaten_whatever_asks_for_a_new_model() -> None:
    equal = improvement(low=-0.01, margin=0.02, role="baseline")

    decision = decide_promotion([], [equal], POLICY, reason_to_renew="proven harm")

    assert decision.verdict == "rejected"


def test_a_first_model_that_is_right_on_45_rows_is_promoted() -> None:
    """No champion, so there is nothing that more rows would have to settle."""
    y = np.arange(45) % 3 // 2
    perfect, blind = scored(np.clip(y, 0.01, 0.99), y), scored(np.full(45, 1 / 3), y)
    policy = Comparison(min_rows=1000)

    decisions = []
    for metric in ("roc_auc", "pr_auc", "brier", "log_loss", "error", "f1", "precision"):
        wanted = policy.model_copy(update={"metric": metric})
        compared = compare_pairwise(
            perfect, blind, wanted, against="the baseline", seed=0, role="baseline"
        )
        decisions.append(decide_promotion([], [compared], wanted).verdict)

    assert set(decisions) == {"promoted"}


@pytest.mark.parametrize(("rows", "verdict"), [(49, "need_labels"), (50, "promoted")])
def test_too_few_unseen_rows_are_no_verdict_on_the_challenger(rows: int, verdict: str) -> None:
    decision = decide_promotion([], [improvement(rows=rows)], POLICY)

    assert decision.verdict == verdict
    if verdict == "need_labels":
        (reason,) = decision.reasons
        assert reason == (
            "only 49 rows unseen by both it and champion v1 can be compared, wanted 50 "
            "(comparison.min_rows): label more of the newest rows and train again"
        )


def test_a_baseline_that_cannot_be_compared_with_is_no_verdict_and_told_in_words() -> None:
    rows = scored(np.linspace(0.1, 0.4, 40), np.zeros(40, dtype=np.int64))
    policy = Comparison(metric="roc_auc")
    compared = compare_pairwise(rows, rows, policy, against="the baseline", seed=0, role="baseline")

    decision = decide_promotion([], [compared], policy)

    assert decision.verdict == "need_labels"
    assert decision.reasons[0].startswith("roc_auc cannot be compared with the baseline: the test")


def test_too_few_rows_do_not_excuse_a_broken_bound() -> None:
    gates = check_gates(GATES, {"cv_recall_mean": 0.9, "cv_recall_excess_std": 0.01})

    decision = decide_promotion(gates, [improvement(rows=3)], POLICY)

    assert decision.verdict == "rejected"
    assert len(decision.reasons) == 2


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
    assert decision.reasons[1].startswith("better than champion v1: brier better by +0.0200")


def test_a_first_model_without_gates_is_promoted() -> None:
    assert decide_promotion([], [], POLICY).reasons == ("no gate stands against it",)

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.metrics import Scored, compute_metrics, decide
from driftline.problem import Goal
from driftline.thresholds import choose_threshold, settle_threshold, wilson_lower

RECALL_95 = Goal(maximise="precision", subject_to={"recall": 0.95}, confidence=0.9)


def scores(rows: int, seed: int, gap: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.r_[0, 1, rng.integers(0, 2, rows - 2)]
    p = 1 / (1 + np.exp(-rng.normal(gap * (2 * y - 1), 1.0)))
    return y, np.column_stack([1 - p, p])


def metrics_at(y: np.ndarray, probabilities: np.ndarray, threshold: float) -> dict[str, float]:
    predicted = decide(probabilities, positive=1, threshold=threshold)
    return compute_metrics(Scored(y, probabilities, predicted, positive=1, threshold=threshold))


@pytest.mark.parametrize(
    ("share", "n", "confidence", "bound"),
    [
        # statsmodels 0.14: proportion_confint(k, n, alpha=2 * (1 - confidence), method="wilson")[0]
        (0.95, 100, 0.975, 0.8882495307680808),
        (0.5, 10, 0.975, 0.2365930905125640),
        (1.0, 20, 0.975, 0.8388748419471806),
        (0.0, 20, 0.975, 0.0),
    ],
)
def test_wilsons_bound_has_its_known_values(
    share: float, n: float, confidence: float, bound: float
) -> None:
    got = wilson_lower(np.array([share]), np.array([n]), confidence)

    assert got[0] == pytest.approx(bound, abs=1e-9)


@given(
    k=st.integers(0, 60), n=st.integers(1, 60), confidence=st.sampled_from([0.8, 0.9, 0.95, 0.975])
)
def test_wilsons_bound_is_the_one_of_scipy(k: int, n: int, confidence: float) -> None:
    from scipy.stats import binomtest

    k = min(k, n)
    interval = binomtest(k, n).proportion_ci(2 * confidence - 1, method="wilson")

    got = wilson_lower(np.array([k / n]), np.array([n]), confidence)

    assert got[0] == pytest.approx(interval.low, abs=1e-9)


@given(seed=st.integers(0, 300))
def test_the_condition_holds_with_confidence_where_it_can(seed: int) -> None:
    y, probabilities = scores(400, seed)

    threshold = choose_threshold(y, probabilities, RECALL_95, positive=1)

    assert threshold is not None
    recall = metrics_at(y, probabilities, threshold)["recall"]
    assert wilson_lower(np.array([recall]), np.array([(y == 1).sum()]), 0.9)[0] >= 0.95


@given(seed=st.integers(0, 300))
def test_no_other_threshold_that_keeps_the_condition_is_more_precise(seed: int) -> None:
    y, probabilities = scores(60, seed)
    goal = Goal(maximise="precision", subject_to={"recall": 0.7}, confidence=0.9)

    threshold = choose_threshold(y, probabilities, goal, positive=1)

    assert threshold is not None
    best = metrics_at(y, probabilities, threshold)["precision"]
    for other in probabilities[:, 1]:
        found = metrics_at(y, probabilities, float(other))
        bound = wilson_lower(np.array([found["recall"]]), np.array([(y == 1).sum()]), 0.9)[0]
        assert bound < 0.7 or found["precision"] <= best + 1e-9


@pytest.mark.slow
def test_a_margin_for_confidence_makes_unseen_rows_meet_the_condition() -> None:
    """A threshold that just met it on the rows it was chosen on would miss it on half of others."""
    met = 0
    for seed in range(100):
        y, probabilities = scores(300, seed)
        others = scores(20_000, 1000 + seed)
        threshold = choose_threshold(y, probabilities, RECALL_95, positive=1)
        assert threshold is not None
        met += metrics_at(*others, threshold)["recall"] >= 0.95

    assert met >= 80


def test_a_condition_out_of_reach_gets_the_nearest_threshold() -> None:
    """With three positives no recall can be proved to be 0.95; finding all comes nearest."""
    y = np.array([0, 0, 0, 0, 1, 1, 1])
    p = np.array([0.1, 0.2, 0.3, 0.7, 0.6, 0.8, 0.9])

    threshold = choose_threshold(y, np.column_stack([1 - p, p]), RECALL_95, positive=1)

    assert threshold == pytest.approx(0.5)


def test_repeating_every_row_makes_nobody_surer() -> None:
    """Repeated cross-validation scores the same rows again; that is no new evidence."""
    y, probabilities = scores(200, 0)

    once = choose_threshold(y, probabilities, RECALL_95, positive=1)
    thrice = choose_threshold(
        np.tile(y, 3), np.tile(probabilities, (3, 1)), RECALL_95, positive=1, copies=3
    )

    assert thrice == once


def test_ties_go_to_the_threshold_nearest_one_half() -> None:
    y = np.array([0, 0, 1, 1])
    p = np.array([0.1, 0.2, 0.9, 0.95])

    threshold = choose_threshold(
        y, np.column_stack([1 - p, p]), Goal(maximise="accuracy"), positive=1
    )

    assert threshold == pytest.approx(0.5)


def test_without_two_classes_there_is_no_threshold() -> None:
    y, probabilities = scores(20, 0)

    assert choose_threshold(y, probabilities, Goal(maximise="accuracy"), positive=None) is None


@given(
    threshold=st.floats(0.01, 0.99),
    values=st.lists(st.floats(0, 1), max_size=200),
)
def test_a_settled_threshold_keeps_its_margin_from_every_score(
    threshold: float, values: list[float]
) -> None:
    settled = settle_threshold(threshold, np.array(values))

    assert 0 < settled < 1
    assert all(abs(settled - value) >= 1e-5 * (1 - 1e-6) for value in values)


@given(threshold=st.floats(0.01, 0.99), values=st.lists(st.floats(0, 1), max_size=50))
def test_a_threshold_with_room_around_it_stays(threshold: float, values: list[float]) -> None:
    apart = np.array([value for value in values if abs(value - threshold) > 1e-4])

    settled = settle_threshold(threshold, apart)

    assert settled == threshold


def test_scores_without_any_gap_leave_the_threshold_where_it_is() -> None:
    crowd = np.linspace(0, 1, 200_001)

    assert settle_threshold(0.4, crowd) == 0.4


def test_a_bound_goes_by_the_effective_number_of_the_rows_it_is_of() -> None:
    """Cases drawn fifty times as often as they occur are no fewer for it."""
    y, probabilities = scores(1000, seed=3)
    weights = np.where(y == 1, 0.02, 1.98)
    goal = Goal(maximise="specificity", subject_to={"recall": 0.9}, confidence=0.95)

    weighted = choose_threshold(y, probabilities, goal, positive=1, weights=weights)

    assert weighted == choose_threshold(y, probabilities, goal, positive=1)

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from driftline.metrics import Scored, bootstrap_intervals, compute_metrics, decide


def two_classes(rows: int, seed: int, *, decimals: int = 12, threshold: float = 0.4) -> Scored:
    """Random scores that tell something; few decimals give ties."""
    rng = np.random.default_rng(seed)
    y = np.r_[0, 1, rng.integers(0, 2, rows - 2)]
    p = np.round((0.3 * y + rng.random(rows)) / 1.3, decimals)
    probabilities = np.column_stack([1 - p, p])
    predicted = decide(probabilities, positive=1, threshold=threshold)
    return Scored(y, probabilities, predicted, positive=1, threshold=threshold)


def three_classes(rows: int, seed: int) -> Scored:
    rng = np.random.default_rng(seed)
    y = np.r_[0, 1, 2, rng.integers(0, 3, rows - 3)]
    probabilities = rng.dirichlet(np.ones(3), rows) + 0.3 * np.eye(3)[y]
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    predicted = decide(probabilities, positive=None, threshold=None)
    return Scored(y, probabilities, predicted, positive=None, threshold=None)


@given(rows=st.integers(2, 200), seed=st.integers(0, 999), decimals=st.integers(1, 12))
def test_two_class_metrics_equal_scikit_learns(rows: int, seed: int, decimals: int) -> None:
    scored = two_classes(rows, seed, decimals=decimals)
    y, p, flagged = scored.y, scored.probabilities[:, 1], scored.predicted

    ours = compute_metrics(scored)

    theirs = {
        "accuracy": sk.accuracy_score(y, flagged),
        "precision": sk.precision_score(y, flagged, zero_division=0),
        "recall": sk.recall_score(y, flagged),
        "specificity": sk.recall_score(y, flagged, pos_label=0),
        "f1": sk.f1_score(y, flagged, zero_division=0),
        "balanced_accuracy": sk.balanced_accuracy_score(y, flagged),
        "lowest_recall": sk.recall_score(y, flagged, average=None).min(),
        "roc_auc": sk.roc_auc_score(y, p),
        "pr_auc": sk.average_precision_score(y, p),
        "brier": sk.brier_score_loss(y, p),
    }
    assert {name: ours[name] for name in theirs} == pytest.approx(theirs, abs=1e-12)


@given(rows=st.integers(3, 120), seed=st.integers(0, 999))
def test_three_class_metrics_equal_scikit_learns(rows: int, seed: int) -> None:
    scored = three_classes(rows, seed)
    y, p, predicted = scored.y, scored.probabilities, scored.predicted

    ours = compute_metrics(scored)

    theirs = {
        "accuracy": sk.accuracy_score(y, predicted),
        "precision": sk.precision_score(y, predicted, average="macro", zero_division=0),
        "recall": sk.recall_score(y, predicted, average="macro"),
        "f1": sk.f1_score(y, predicted, average="macro", zero_division=0),
        "balanced_accuracy": sk.balanced_accuracy_score(y, predicted),
        "lowest_recall": sk.recall_score(y, predicted, average=None).min(),
        "roc_auc": sk.roc_auc_score(y, p, multi_class="ovr", average="macro"),
        "pr_auc": np.mean([sk.average_precision_score(y == k, p[:, k]) for k in range(3)]),
        "brier": ((p - np.eye(3)[y]) ** 2).sum(axis=1).mean(),
    }
    assert {name: ours[name] for name in theirs} == pytest.approx(theirs, abs=1e-12)


def test_a_class_without_rows_does_not_count_as_one_that_is_never_found() -> None:
    y = np.array([0, 0, 1, 1])
    scored = Scored(y, np.eye(3)[[0, 1, 1, 1]], np.array([0, 1, 1, 1]), None, None)

    metrics = compute_metrics(scored)

    assert metrics["balanced_accuracy"] == pytest.approx(0.75)
    assert metrics["lowest_recall"] == pytest.approx(0.5)


def test_three_classes_have_no_two_class_metrics() -> None:
    metrics = compute_metrics(three_classes(30, 0))

    assert "specificity" not in metrics
    assert "net_benefit" not in metrics


def test_net_benefit_is_as_in_its_paper() -> None:
    """At a threshold of 0.2 four false alarms weigh as much as one find."""
    y = np.array([1, 1, 0, 0, 0])
    p = np.array([0.9, 0.1, 0.8, 0.1, 0.1])
    probabilities = np.column_stack([1 - p, p])
    predicted = decide(probabilities, positive=1, threshold=0.2)

    metrics = compute_metrics(Scored(y, probabilities, predicted, positive=1, threshold=0.2))

    assert metrics["net_benefit"] == pytest.approx((1 - 1 * 0.2 / 0.8) / 5)


def test_scores_that_come_true_as_often_as_they_say_have_no_calibration_error() -> None:
    p = np.repeat([0.25, 0.75], 100)
    y = np.r_[np.ones(25), np.zeros(75), np.ones(75), np.zeros(25)].astype(int)
    probabilities = np.column_stack([1 - p, p])

    metrics = compute_metrics(Scored(y, probabilities, y, positive=1, threshold=0.5))

    assert metrics["ece"] == pytest.approx(0, abs=1e-12)


def test_scores_that_overstate_have_their_overstatement_as_calibration_error() -> None:
    p = np.full(100, 0.95)
    y = np.r_[np.ones(60), np.zeros(40)].astype(int)
    probabilities = np.column_stack([1 - p, p])

    metrics = compute_metrics(Scored(y, probabilities, y, positive=1, threshold=0.5))

    assert metrics["ece"] == pytest.approx(0.35)


def test_rank_metrics_of_one_class_only_are_undefined() -> None:
    scored = two_classes(50, 0)
    ill = scored.take(np.flatnonzero(scored.y == 1))
    well = scored.take(np.flatnonzero(scored.y == 0))

    assert np.isnan(compute_metrics(ill)["roc_auc"])
    assert np.isnan(compute_metrics(well)["pr_auc"])


def test_it_does_not_matter_which_index_the_positive_class_has() -> None:
    scored = two_classes(80, 3)
    turned = Scored(
        1 - scored.y, scored.probabilities[:, ::-1], 1 - scored.predicted, 0, scored.threshold
    )

    assert compute_metrics(turned) == pytest.approx(compute_metrics(scored))


def test_the_answer_is_the_class_that_is_dearest_to_miss() -> None:
    probabilities = np.array([[0.8, 0.05, 0.15], [0.9, 0.01, 0.09], [0.7, 0.02, 0.28]])

    answers = decide(probabilities, positive=None, threshold=None, costs=(0.05, 1.0, 0.2))

    assert answers.tolist() == [1, 0, 2]


def test_with_a_cost_of_each_answer_the_cheapest_is_given() -> None:
    """Between two classes that are dear to mix up, the one in the middle."""
    costs = ((0.0, 0.2, 1.0), (0.2, 0.0, 0.2), (1.0, 0.2, 0.0))
    probabilities = np.array([[0.5, 0.05, 0.45], [0.9, 0.05, 0.05], [0.1, 0.1, 0.8]])

    answers = decide(probabilities, positive=None, threshold=None, costs=costs)

    assert answers.tolist() == [1, 0, 2]


def test_the_cost_is_that_of_the_average_row_by_its_weight() -> None:
    matrix = ((0.0, 0.5, 1.0), (0.2, 0.0, 0.1), (0.4, 0.3, 0.0))
    plain = three_classes(60, 5)
    weights = np.random.default_rng(0).uniform(0.5, 2, 60)
    dear = replace(plain, costs=matrix, weights=weights)
    missed = replace(plain, costs=(1.0, 0.5, 0.25))
    each = [matrix[t][a] for t, a in zip(plain.y, plain.predicted, strict=True)]

    assert compute_metrics(dear)["cost"] == pytest.approx(np.average(each, weights=weights))
    assert dear.losses("cost").tolist() == each
    wrong = plain.y != plain.predicted
    assert compute_metrics(missed)["cost"] == pytest.approx(
        np.mean(wrong * np.array([1.0, 0.5, 0.25])[plain.y])
    )
    assert "cost" not in compute_metrics(plain)


def test_blind_answers_are_the_cheapest_one_for_all() -> None:
    matrix = ((0.0, 0.5, 1.0), (0.2, 0.0, 0.1), (0.4, 0.3, 0.0))
    scored = replace(three_classes(60, 5), costs=matrix)
    cheapest = min(np.mean([matrix[t][answer] for t in scored.y]) for answer in range(3))

    assert scored.blind_losses("cost").mean() == pytest.approx(cheapest)


def test_classes_that_tie_but_for_the_last_digit_are_the_first_of_them() -> None:
    """Trees vote in tenths; a graph in float32 sums them in another order."""
    probabilities = np.array([[0.4, 0.4 + 1e-7, 0.2], [0.4 + 1e-7, 0.4, 0.2], [0.4, 0.42, 0.18]])

    assert decide(probabilities, positive=None, threshold=None).tolist() == [0, 0, 1]


def test_a_row_on_the_threshold_gets_the_positive_class() -> None:
    probabilities = np.array([[0.6, 0.4], [0.61, 0.39]])

    assert decide(probabilities, positive=1, threshold=0.4).tolist() == [1, 0]


@pytest.mark.parametrize("scored", [two_classes(60, 5, decimals=1), three_classes(60, 5)])
def test_drawing_a_row_twice_equals_writing_it_twice(scored: Scored) -> None:
    """The bootstrap weighs rows; the interval must be the one that repeated rows would give."""
    rng = np.random.default_rng(1)
    drawn = np.array(
        [list(compute_metrics(scored.take(rng.integers(0, 60, 60))).values()) for _ in range(300)]
    )

    intervals = bootstrap_intervals(scored, seed=1, resamples=300)

    lows, highs = np.percentile(drawn, [2.5, 97.5], axis=0)
    order = list(compute_metrics(scored))
    got = {name: intervals[name] for name in order}
    for name, low, high in zip(order, lows, highs, strict=True):
        assert got[name] == pytest.approx((low, high), abs=1e-9)


@pytest.mark.slow
def test_about_95_of_100_intervals_hold_the_truth() -> None:
    truth = 0.8
    held = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        y = rng.integers(0, 2, 150)
        right = rng.random(150) < truth
        predicted = np.where(right, y, 1 - y)
        scored = Scored(y, np.eye(2)[predicted], predicted, positive=1, threshold=0.5)
        low, high = bootstrap_intervals(scored, seed=seed, resamples=200)["accuracy"]
        held += low <= truth <= high

    assert 0.89 <= held / 200 <= 0.99


def test_intervals_are_the_same_for_the_same_seed() -> None:
    scored = two_classes(50, 0)

    assert bootstrap_intervals(scored, seed=4) == bootstrap_intervals(scored, seed=4)
    assert bootstrap_intervals(scored, seed=4) != bootstrap_intervals(scored, seed=5)


def test_the_interval_holds_the_estimate() -> None:
    scored = two_classes(200, 0)

    intervals = bootstrap_intervals(scored, seed=0)

    for name, value in compute_metrics(scored).items():
        if name != "ece":  # noise only ever adds to it
            assert intervals[name][0] <= value <= intervals[name][1]


def test_a_table_too_large_for_one_pass_has_the_same_intervals(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scored = two_classes(50, 0)
    whole = bootstrap_intervals(scored, seed=0, resamples=100)

    monkeypatch.setattr("driftline.metrics._CELLS_AT_ONCE", 700)

    assert bootstrap_intervals(scored, seed=0, resamples=100) == whole

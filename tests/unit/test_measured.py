import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from driftline.measured import NUMBER_METRICS, Measured
from driftline.metrics import bootstrap_intervals, compute_metrics
from driftline.numbers import NumberSpec

SPEC = NumberSpec(unit="days", low=0.0, high=60.0, coverage=0.8, reach=3.0)


def measured(rows: int = 50, seed: int = 0) -> Measured:
    rng = np.random.default_rng(seed)
    y = rng.uniform(0, 60, rows)
    answers = np.clip(y + rng.normal(0, 2.5, rows), 0, 60)
    return Measured(y, answers[:, None], SPEC)


@given(rows=st.integers(2, 80), seed=st.integers(0, 999))
def test_the_metrics_equal_scikit_learns(rows: int, seed: int) -> None:
    one = measured(rows, seed)

    found = compute_metrics(one)

    y, p = one.y, one.predicted
    low, high = one.ends
    pinball = (
        metrics.mean_pinball_loss(y, low, alpha=0.1) + metrics.mean_pinball_loss(y, high, alpha=0.9)
    ) / 2
    assert set(found) == set(NUMBER_METRICS)
    assert found == pytest.approx(
        {
            "mae": metrics.mean_absolute_error(y, p),
            "rmse": metrics.root_mean_squared_error(y, p),
            "median_absolute_error": metrics.median_absolute_error(y, p),
            "r2": metrics.r2_score(y, p),
            "pinball": pinball,
            "interval_coverage": np.mean((low <= y) & (y <= high)),
            "interval_width": np.mean(high - low),
        }
    )


def test_a_weight_counts_a_row_as_often_as_it_says() -> None:
    one = measured(20)
    counts = np.random.default_rng(1).integers(0, 4, 20)
    redrawn = one.take(np.repeat(np.arange(20), counts))

    found = {name: values[0] for name, values in one.weigh(counts[None].astype(float)).items()}

    assert found == pytest.approx(compute_metrics(redrawn))


def test_no_share_of_a_truth_that_does_not_vary_is_explained() -> None:
    still = Measured(np.full(5, 7.0), np.full((5, 1), 8.0), SPEC)

    assert np.isnan(compute_metrics(still)["r2"])
    assert compute_metrics(still)["mae"] == 1.0


def test_an_interval_ends_where_the_range_does() -> None:
    edge = Measured(np.array([1.0, 59.0]), np.array([[1.0], [59.0]]), SPEC)

    low, high = edge.ends

    assert low.tolist() == [0.0, 56.0]
    assert high.tolist() == [4.0, 60.0]


def test_intervals_of_the_figures_hold_the_figures() -> None:
    one = measured(200)
    figures = compute_metrics(one)

    for name, (low, high) in bootstrap_intervals(one, seed=0, resamples=200).items():
        assert low <= figures[name] <= high

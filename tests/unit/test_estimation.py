import numpy as np
import pytest

from driftline.calibration import check_calibration
from driftline.estimation import (
    EstimatedMetric,
    estimate_performance,
    fit_estimator,
)
from driftline.losses import row_losses
from tests.benchmarks.decisions.estimation import answer, compare_estimates, draw, true_loss

METRICS: list[EstimatedMetric] = ["brier", "log_loss", "error", "roc_auc"]


@pytest.mark.slow
def test_without_change_the_estimates_are_about_the_truth() -> None:
    for found in compare_estimates(0.0, streams=30, rows=(2000, 500)).values():
        assert abs(found[:, 0].mean()) < 0.01
        assert found[:, 1].mean() >= 0.8


@pytest.mark.slow
def test_under_a_change_of_the_inputs_the_weighted_estimate_is_right_and_the_plain_is_not() -> None:
    """About 95 % of intervals hold the truth; 80 % of 30 is nearly four deviations below."""
    for found in compare_estimates(0.75, streams=30, rows=(2000, 1000)).values():
        plain, weighted = np.sqrt((found[:, [0, 2]] ** 2).mean(axis=0))
        assert weighted < plain / 1.5
        assert found[:, 3].mean() >= 0.8
        assert found[:, 1].mean() < 0.6


@pytest.mark.slow
def test_harm_that_the_inputs_show_is_seen_without_labels() -> None:
    """People for whom the model is unsure come more often."""
    rng = np.random.default_rng(0)
    X, y = draw(3000, 0.0, rng)  # noqa: N806
    Z = rng.normal(size=(1500, 4)) * [0.3, 0.3, 1.0, 1.0]  # noqa: N806
    before = float(row_losses(answer(X), y, "brier").mean())

    estimate = estimate_performance(fit_estimator(answer(X), y), answer(Z), Z, X)

    assert estimate.is_worse_than(before)
    assert not estimate.is_worse_than(before, 0.5)
    assert not estimate_performance(fit_estimator(answer(X), y), answer(X), X, X).is_worse_than(
        before
    )


def test_no_method_without_labels_can_see_that_the_truth_no_longer_follows_from_the_inputs() -> (
    None
):
    """The same inputs, every label turned round: the estimates see nothing, and labels all of it.

    This is what `check_calibration` is for: 100 labels end the belief in the estimate.
    """
    rng = np.random.default_rng(0)
    X, y = draw(3000, 0.0, rng)  # noqa: N806
    Z, usual = draw(1500, 0.0, rng)  # noqa: N806
    turned = 1 - usual
    estimator = fit_estimator(answer(X), y)

    estimates = [
        estimate_performance(estimator, answer(Z)),
        estimate_performance(estimator, answer(Z), Z, X),
    ]

    suffered = float(row_losses(answer(Z), turned, "brier").mean())
    promised = float(row_losses(answer(X), y, "brier").mean())
    assert suffered > 2 * promised
    assert not any(each.is_worse_than(promised) for each in estimates)
    assert all(each.high < suffered / 1.5 for each in estimates)
    calibrated = estimator.calibrator.calibrate(answer(Z)[:100])
    assert not check_calibration(calibrated, turned[:100]).holds
    assert check_calibration(calibrated, usual[:100]).holds


@pytest.mark.parametrize("metric", METRICS)
def test_more_than_two_classes_are_estimated_too(metric: EstimatedMetric) -> None:
    rng = np.random.default_rng(0)
    odds = 1.5 * rng.normal(size=(6000, 3))
    p = np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)
    y = (rng.random(6000)[:, None] > np.cumsum(p, axis=1)).sum(axis=1)
    y = np.minimum(y, 2)
    too_sure = p**1.7 / (p**1.7).sum(axis=1, keepdims=True)

    estimate = estimate_performance(
        fit_estimator(too_sure[:3000], y[:3000]), too_sure[3000:], metric=metric
    )

    if metric == "roc_auc":
        from sklearn.metrics import roc_auc_score

        truth = 1 - float(roc_auc_score(y[3000:], too_sure[3000:], multi_class="ovr"))
    else:
        truth = float(row_losses(too_sure[3000:], y[3000:], metric).mean())
    assert estimate.low - 0.01 < truth < estimate.high + 0.01
    assert estimate.high - estimate.low < 0.1


def test_a_model_that_has_not_erred_yet_still_gets_an_interval() -> None:
    y = np.arange(200) % 2
    p = np.eye(2)[y] * 0.98 + 0.01

    estimate = estimate_performance(fit_estimator(p, y), p)

    assert 0 <= estimate.low < estimate.high < 0.02


def test_an_estimate_says_what_it_rests_on() -> None:
    rng = np.random.default_rng(0)
    X, y = draw(500, 0.0, rng)  # noqa: N806

    estimate = estimate_performance(fit_estimator(answer(X), y), answer(X))

    assert estimate.description.startswith("brier is likely 0.1")
    assert "(CBPE, by 500 reference rows)" in estimate.description
    assert estimate.description.endswith("if the truth follows from the inputs as before")


def test_inputs_of_one_side_alone_are_refused() -> None:
    p = np.full((40, 2), 0.5)

    with pytest.raises(ValueError, match="wanted current_X and reference_X together"):
        estimate_performance(fit_estimator(p, np.arange(40) % 2), p, np.zeros((40, 1)))


def test_the_crowd_agrees_with_itself() -> None:
    assert true_loss("brier", 0.5, seed=1) == pytest.approx(true_loss("brier", 0.5), abs=2e-3)

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.calibration import (
    CalibrationWager,
    check_calibration,
    fit_calibrator,
    read_calibration,
)


def answers(rows: int, seed: int) -> tuple[np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-rng.normal(-0.5, 1.5, rows)))
    return np.column_stack([1 - p, p]), rng


def shifted(p: np.ndarray, by: float, slope: float = 1.0) -> np.ndarray:
    """The chance whose log-odds are those of p times the slope, plus a shift."""
    return 1 / (1 + np.exp(-(by + slope * np.log(p[:, 1] / p[:, 0]))))


@pytest.mark.slow
def test_calibrated_probabilities_are_rarely_doubted_however_often_one_looks() -> None:
    """At most 5 % of streams of 1,000 labels with a look at each."""
    doubted = 0
    for seed in range(300):
        p, rng = answers(1000, seed)
        y = (rng.random(1000) < p[:, 1]).astype(np.int64)
        doubted += not check_calibration(p, y).holds

    assert doubted / 300 <= 0.05


@pytest.mark.parametrize(
    ("by", "slope", "labels"), [(1.0, 1.0, 200), (-0.5, 1.0, 600), (0.0, 0.3, 300), (0.0, 2.5, 600)]
)
def test_risk_that_is_told_wrong_is_found_within_some_labels(
    by: float, slope: float, labels: int
) -> None:
    found = 0
    for seed in range(40):
        p, rng = answers(labels, seed)
        y = (rng.random(labels) < shifted(p, by, slope)).astype(np.int64)
        found += not check_calibration(p, y).holds

    assert found >= 32


@pytest.mark.slow
def test_a_tolerated_shift_is_not_held_against_the_model() -> None:
    doubted = 0
    for seed in range(100):
        p, rng = answers(3000, seed)
        y = (rng.random(3000) < shifted(p, 0.2)).astype(np.int64)
        doubted += not check_calibration(p, y, tolerance=0.2).holds

    assert doubted <= 5
    assert not check_calibration(p, y).holds


def test_more_classes_are_checked_one_by_one() -> None:
    rng = np.random.default_rng(0)
    p = np.tile([0.5, 0.3, 0.2], (400, 1))
    as_told = rng.choice(3, 400, p=[0.5, 0.3, 0.2])
    otherwise = rng.choice(3, 400, p=[0.3, 0.5, 0.2])

    assert check_calibration(p, as_told).holds
    assert not check_calibration(p, otherwise).holds


def test_no_labels_say_nothing() -> None:
    check = check_calibration(np.zeros((0, 2)), np.zeros(0, dtype=np.int64))

    assert check.holds
    assert check.evidence == 1


def test_the_check_says_what_was_expected_and_what_came() -> None:
    p = np.tile([0.9, 0.1], (60, 1))

    check = check_calibration(p, np.ones(60, dtype=np.int64))

    assert check.description.startswith(
        "the probabilities no longer come true on 60 labels: expected 0.100, observed 1.000"
    )


@given(seed=st.integers(0, 100), rows=st.integers(30, 200))
def test_the_recalibrated_shares_add_up_to_one(seed: int, rows: int) -> None:
    p, rng = answers(rows, seed)
    y = (rng.random(rows) < 0.5).astype(np.int64)

    q = fit_calibrator(p, y).calibrate(p)

    assert q.sum(axis=1) == pytest.approx(1)
    assert (q >= 0).all()


def test_a_known_distortion_is_undone() -> None:
    p, rng = answers(20_000, 0)
    truth = shifted(p, 0.7, 0.6)
    y = (rng.random(20_000) < truth).astype(np.int64)

    q = fit_calibrator(p, y).calibrate(p)

    assert np.abs(q[:, 1] - truth).mean() < 0.01


def test_a_row_of_weight_two_counts_as_two_rows() -> None:
    p, rng = answers(300, 0)
    y = (rng.random(300) < p[:, 1]).astype(np.int64)
    twice = np.r_[np.arange(300), np.arange(100)]
    weights = np.r_[np.full(100, 2.0), np.ones(200)]

    weighted = fit_calibrator(p, y, weights).coefficients
    repeated = fit_calibrator(p[twice], y[twice]).coefficients

    assert weighted == pytest.approx(repeated, abs=1e-6)


@pytest.mark.slow
def test_the_covariance_is_what_new_rows_show() -> None:
    fits = []
    for seed in range(200):
        p, rng = answers(800, seed)
        y = (rng.random(800) < p[:, 1]).astype(np.int64)
        fits.append(fit_calibrator(p, y))
    at = np.array([[0.7, 0.3]])

    answered = np.array([fit.calibrate(at)[0, 1] for fit in fits])
    nudge = 1e-5 * np.eye(len(fits[0].coefficients))
    told = []
    for fit in fits:
        theta = fit.coefficients
        slope = [
            (fit.calibrate(at, theta + n)[0, 1] - fit.calibrate(at, theta - n)[0, 1]) / 2e-5
            for n in nudge
        ]
        told.append(np.sqrt(slope @ fit.covariance @ slope))

    assert np.mean(told) == pytest.approx(answered.std(), rel=0.2)


def test_bets_go_on_from_cohort_to_cohort_and_through_json() -> None:
    rng = np.random.default_rng(0)
    p = rng.uniform(0.05, 0.6, 900)
    probabilities, y = np.column_stack([1 - p, p]), (rng.random(900) < p).astype(np.int64)
    whole = check_calibration(probabilities, y)

    wager = CalibrationWager()
    for start in range(0, 900, 300):
        wager = wager.add(probabilities[start : start + 300], y[start : start + 300])
        wager = read_calibration(json.loads(json.dumps(wager.to_document())))

    check = wager.check()
    assert (check.rows, check.holds) == (900, whole.holds)
    assert check.evidence == pytest.approx(whole.evidence)
    assert (check.observed, check.expected) == pytest.approx((whole.observed, whole.expected))
    assert read_calibration(None) == CalibrationWager()

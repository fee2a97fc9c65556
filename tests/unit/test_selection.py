import numpy as np
import pytest

from driftline.evaluation import CrossValidated
from driftline.problem import Goal
from driftline.selection import choose_winner, is_calibration_helpful

PRECISION = Goal(maximise="precision", subject_to={"recall": 0.9})
BRIER = Goal(maximise="brier")


def result(**per_fold: list[float]) -> CrossValidated:
    return CrossValidated(
        probabilities=(),
        per_fold={name: np.array(values) for name, values in per_fold.items()},
        thresholds=np.array([]),
        excess_std={},
    )


def test_a_simpler_candidate_within_one_standard_error_wins() -> None:
    """The mean lead is 0.01 and its standard error is larger."""
    simple = result(accuracy=[0.80, 0.90, 0.80, 0.90])
    complex_one = result(accuracy=[0.85, 0.87, 0.86, 0.86])

    winner = choose_winner({"simple": simple, "complex": complex_one}, Goal(maximise="accuracy"))

    assert winner == "simple"


def test_a_small_lead_in_every_fold_wins() -> None:
    """Folds pair up: what counts is the lead in each fold, not the spread between folds."""
    simple = result(accuracy=[0.80, 0.90, 0.70, 0.95])
    complex_one = result(accuracy=[0.81, 0.91, 0.71, 0.96])

    winner = choose_winner({"simple": simple, "complex": complex_one}, Goal(maximise="accuracy"))

    assert winner == "complex"


def test_of_equal_candidates_the_simplest_wins() -> None:
    same = result(accuracy=[0.8, 0.9])

    winner = choose_winner({"a": same, "b": same, "c": same}, Goal(maximise="accuracy"))

    assert winner == "a"


def test_a_candidate_that_keeps_the_condition_beats_a_better_one_that_does_not() -> None:
    keeps = result(precision=[0.6, 0.6], recall=[0.95, 0.95])
    misses = result(precision=[0.9, 0.9], recall=[0.5, 0.5])

    assert choose_winner({"misses": misses, "keeps": keeps}, PRECISION) == "keeps"


def test_where_none_keeps_the_condition_the_nearest_wins() -> None:
    near = result(precision=[0.5, 0.5], recall=[0.85, 0.85])
    far = result(precision=[0.9, 0.9], recall=[0.5, 0.5])

    assert choose_winner({"far": far, "near": near}, PRECISION) == "near"


def test_a_lower_brier_score_is_the_better_one() -> None:
    good = result(brier=[0.10, 0.11, 0.10])
    bad = result(brier=[0.20, 0.21, 0.20])

    assert choose_winner({"bad": bad, "good": good}, BRIER) == "good"


@pytest.mark.parametrize("score", [[0.9, 0.9], [float("nan"), 0.9]])
def test_the_dummy_never_wins_against_another(score: list[float]) -> None:
    dummy = result(accuracy=score)
    other = result(accuracy=[0.1, 0.1])

    assert choose_winner({"dummy": dummy, "other": other}, Goal(maximise="accuracy")) == "other"


def out_of_fold(probabilities: np.ndarray) -> CrossValidated:
    both = np.column_stack([1 - probabilities, probabilities])
    return CrossValidated((both, both), {}, np.array([]), {})


def test_calibration_helps_an_overconfident_model() -> None:
    rng = np.random.default_rng(0)
    true = rng.uniform(0.2, 0.8, 500)
    y = (rng.random(500) < true).astype(int)
    plain, calibrated = out_of_fold(np.where(true > 0.5, 0.99, 0.01)), out_of_fold(true)

    assert is_calibration_helpful(plain, calibrated, y)


def test_calibration_that_changes_nothing_is_left_out() -> None:
    rng = np.random.default_rng(0)
    true = rng.uniform(0.2, 0.8, 500)
    y = (rng.random(500) < true).astype(int)

    assert not is_calibration_helpful(out_of_fold(true), out_of_fold(true), y)


def test_calibration_that_harms_is_left_out() -> None:
    rng = np.random.default_rng(0)
    true = rng.uniform(0.0, 1.0, 500)
    y = (rng.random(500) < true).astype(int)
    plain, calibrated = out_of_fold(true), out_of_fold(np.full(500, 0.5))

    assert not is_calibration_helpful(plain, calibrated, y)

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.candidates import CANDIDATES
from driftline.evaluation import (
    cross_predict,
    cross_validate,
    default_repeats,
    excess_deviation,
    make_folds,
)
from driftline.problem import Goal
from driftline.thresholds import choose_threshold

GOAL = Goal(maximise="f1")


def fold_shares(
    p: float, spread: float, folds: int, seed: int, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Observed shares of folds whose true shares deviate by `spread`."""
    rng = np.random.default_rng(seed)
    true = np.clip(rng.normal(p, spread, folds), 0, 1)
    return rng.binomial(size, true) / size, np.full(folds, size)


def test_binomial_noise_is_no_excess_deviation() -> None:
    """Seventeen positives a fold deviate by 0.05 by chance alone; the measure must not say so."""
    measured = [excess_deviation(*fold_shares(0.95, 0.0, 30, seed, 17)) for seed in range(200)]

    observed = [np.std(fold_shares(0.95, 0.0, 30, seed, 17)[0], ddof=1) for seed in range(200)]
    assert np.mean(observed) > 0.045
    assert np.median(measured) < 0.015


@pytest.mark.parametrize("spread", [0.05, 0.1])
def test_a_real_spread_between_folds_is_recovered(spread: float) -> None:
    measured = [excess_deviation(*fold_shares(0.8, spread, 60, seed, 50)) for seed in range(100)]

    assert np.mean(measured) == pytest.approx(spread, rel=0.15)


@given(
    shares=st.lists(st.floats(0, 1) | st.just(float("nan")), max_size=20), size=st.integers(0, 50)
)
def test_excess_deviation_is_never_negative_nor_undefined(shares: list[float], size: int) -> None:
    excess = excess_deviation(np.array(shares), np.full(len(shares), size))

    assert excess >= 0


@given(
    classes=st.lists(st.integers(0, 1), min_size=30, max_size=90).filter(
        lambda y: min(y.count(0), y.count(1)) >= 5
    ),
    folds=st.integers(2, 5),
    repeats=st.integers(1, 3),
)
def test_each_repeat_tests_every_row_once(classes: list[int], folds: int, repeats: int) -> None:
    splits = make_folds(np.array(classes), folds=folds, repeats=repeats, seed=0)

    assert len(splits) == repeats
    for repeat in splits:
        assert len(repeat) == folds
        assert sorted(np.concatenate([test for _, test in repeat])) == list(range(len(classes)))
        for train, test in repeat:
            assert not set(train) & set(test)


def test_repeats_are_divided_differently() -> None:
    y = np.arange(60) % 2

    first, second = make_folds(y, folds=3, repeats=2, seed=0)

    assert any(set(a[1]) != set(b[1]) for a, b in zip(first, second, strict=True))


def test_small_tables_are_repeated_and_large_ones_not() -> None:
    assert default_repeats(569) > 1
    assert default_repeats(15_000) == 1


def memorise(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows whose labels are pure chance: only a model that saw a row can know its label."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(120, 3)).astype(np.float32), rng.integers(0, 2, 120)


def test_no_row_is_predicted_by_a_model_that_saw_it() -> None:
    X, y = memorise()  # noqa: N806
    tree = CANDIDATES["decision_tree"]
    params = {"max_depth": None, "min_samples_leaf": 1}
    splits = make_folds(y, folds=4, repeats=1, seed=0)

    (probabilities,) = cross_predict(lambda _: tree.build(params, 0), X, y, splits)

    fitted = tree.build(params, 0).fit(X, y)
    assert (fitted.predict(X) == y).all()
    assert 0.3 < (probabilities.argmax(axis=1) == y).mean() < 0.7


def build(rows: np.ndarray) -> Any:
    """An unfitted pipeline, the same for whatever rows."""
    del rows
    return CANDIDATES["logistic_regression"].build({"C": 1.0}, 0)


def test_every_fold_is_scored_at_a_threshold_that_the_other_folds_chose() -> None:
    """Chosen on its own rows, a threshold would flatter the fold."""
    X, y = memorise()  # noqa: N806
    splits = make_folds(y, folds=3, repeats=1, seed=0)

    result = cross_validate(build, X, y, splits=splits, goal=GOAL, positive=1)

    (p,) = result.probabilities
    others = [choose_threshold(y[train], p[train], GOAL, positive=1) for train, _ in splits[0]]
    assert result.thresholds.tolist() == others


def test_means_and_deviations_run_over_all_folds_of_all_repeats() -> None:
    X, y = memorise()  # noqa: N806
    splits = make_folds(y, folds=3, repeats=2, seed=0)

    result = cross_validate(build, X, y, splits=splits, goal=GOAL, positive=1)

    accuracy = result.per_fold["accuracy"]
    assert len(accuracy) == 6
    assert result.mean("accuracy") == pytest.approx(np.mean(accuracy))
    assert result.std("accuracy") == pytest.approx(np.std(accuracy, ddof=1))
    assert len(result.probabilities) == 2

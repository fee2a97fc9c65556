from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.answers import Build
from driftline.candidates import CANDIDATES, Range
from driftline.class_outcome import log_loss_of
from driftline.design import EVEN, Design
from driftline.search import choose_part, search_params, split_once

TREE = CANDIDATES["decision_tree"]


def rows() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 4)).astype(np.float32)  # noqa: N806
    return X, (X[:, 0] + rng.normal(size=150) > 0).astype(np.int64)


def loss_of_trials(trials: int, seed: int = 0) -> tuple[dict[str, float], list[float]]:
    losses: list[float] = []
    X, y = rows()  # noqa: N806
    params = search_params(
        TREE, X, y, trials=trials, folds=3, seed=seed, on_trial=lambda _, loss: losses.append(loss)
    ).params
    return dict(params), losses


def test_the_same_seed_finds_the_same_settings() -> None:
    assert loss_of_trials(4) == loss_of_trials(4)


def test_another_seed_searches_elsewhere() -> None:
    assert loss_of_trials(4, seed=0)[1] != loss_of_trials(4, seed=1)[1]


def test_the_defaults_are_the_first_trial() -> None:
    params, losses = loss_of_trials(1)

    assert params == TREE.defaults
    assert len(losses) == 1


def test_the_winner_is_never_worse_than_the_defaults() -> None:
    params, losses = loss_of_trials(8)

    assert len(losses) == 8
    assert min(losses) < losses[0]
    assert params != TREE.defaults


def test_settings_stay_in_their_ranges() -> None:
    params, _ = loss_of_trials(8)

    for name, value in params.items():
        choice = TREE.space[name]
        assert isinstance(choice, Range)
        assert choice.low <= value <= choice.high


@pytest.mark.parametrize(("name", "trials"), [("decision_tree", 0), ("dummy", 5)])
def test_without_trials_or_a_space_the_defaults_are_taken(name: str, trials: int) -> None:
    X, y = rows()  # noqa: N806

    params = search_params(CANDIDATES[name], X, y, trials=trials, folds=3, seed=0).params

    assert params == CANDIDATES[name].defaults


LARGE, MOST = 4000, 1000


def many_rows() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(LARGE, 3)).astype(np.float32)  # noqa: N806
    return X, (X[:, 0] + rng.normal(size=LARGE) > 1).astype(np.int64)


Seen = list[tuple[list[tuple[np.ndarray, np.ndarray]], Design]]


def search_seeing(
    X: np.ndarray,  # noqa: N803
    y: np.ndarray,
    most_rows: int | None,
    design: Design = EVEN,
) -> tuple[dict[str, float], Seen]:
    """The settings that are found, and the folds that each trial was judged by."""
    seen: Seen = []

    def judge(build: Build, X: Any, y: Any, splits: Any, design: Design) -> float:  # noqa: N803
        seen.append((splits[0], design))
        return log_loss_of(build, X, y, splits, design)

    params = search_params(
        TREE, X, y, trials=2, folds=3, seed=0, judge=judge, most_rows=most_rows, design=design
    ).params
    return dict(params), seen


def test_a_table_that_is_not_large_is_searched_as_if_there_was_no_bound() -> None:
    X, y = many_rows()  # noqa: N806

    free, by_folds = search_seeing(X, y, None)
    bound, seen = search_seeing(X, y, LARGE)

    assert bound == free
    assert [len(folds) for folds, _ in seen] == [3, 3]
    for (folds, _), (same, _) in zip(seen, by_folds, strict=True):
        for one, other in zip(folds, same, strict=True):
            assert np.array_equal(one[0], other[0])
            assert np.array_equal(one[1], other[1])


def test_a_large_table_is_fitted_on_a_part_once_and_judged_on_other_rows() -> None:
    X, y = many_rows()  # noqa: N806

    _, seen = search_seeing(X, y, MOST)

    for folds, _ in seen:
        ((fitted, judged),) = folds
        assert MOST <= len(fitted) <= MOST + 2
        assert len(judged) == LARGE - len(fitted)
        assert not set(fitted) & set(judged)
        assert y[fitted].mean() == pytest.approx(y[judged].mean(), abs=0.002)


def test_where_no_group_is_left_to_judge_by_folds_judge() -> None:
    """Two patients: what is fitted on has to have most of the rows, and so has both of them."""
    X, y = rows()  # noqa: N806
    design = Design(groups=("a", "b") * (len(y) // 2))
    assert not len(split_once(y, design, most=112, least=4, seed=0)[1])

    losses: dict[int | None, list[float]] = {None: [], 112: []}
    for most, told in losses.items():
        search_params(
            TREE,
            X,
            y,
            design=design,
            trials=3,
            folds=2,
            seed=0,
            most_rows=most,
            on_trial=lambda _, loss, told=told: told.append(loss),
        )

    assert losses[112] == losses[None]
    assert len(losses[112]) == 3


def test_a_loss_counts_the_rows_that_were_answered_by_their_weights() -> None:
    X, y = many_rows()  # noqa: N806
    fitted, judged = np.arange(LARGE // 2), np.arange(LARGE // 2, LARGE)
    weights = np.linspace(0.1, 9, LARGE)
    model = TREE.build(TREE.defaults, 0)

    told = log_loss_of(
        lambda _: TREE.build(TREE.defaults, 0), X, y, [[(fitted, judged)]], Design(weights=weights)
    )

    model.fit(X[fitted], y[fitted], classify__sample_weight=weights[fitted])
    right = model.predict_proba(X[judged])[np.arange(len(judged)), y[judged]].clip(1e-6)
    assert told == pytest.approx(np.average(-np.log(right), weights=weights[judged]))


def test_a_column_of_nothing_but_missing_values_in_the_part_does_not_end_the_search() -> None:
    X, y = many_rows()  # noqa: N806
    fitted, _ = split_once(y, EVEN, most=MOST, least=6, seed=0)
    X[fitted, 2] = np.nan
    boosting = CANDIDATES["hist_gradient_boosting"]

    params = search_params(boosting, X, y, trials=1, folds=3, seed=0, most_rows=MOST).params

    assert params == boosting.defaults


@given(
    sizes=st.lists(st.integers(1, 9), min_size=30, max_size=300),
    rare=st.integers(1, 12),
    seed=st.integers(0, 99),
)
def test_both_sides_have_whole_groups_and_the_fitted_each_class(
    sizes: list[int], rare: int, seed: int
) -> None:
    groups = np.repeat([f"g{i}" for i in range(len(sizes))], sizes)
    strata = np.zeros(len(groups), dtype=np.int64)
    strata[np.random.default_rng(seed).permutation(len(groups))[:rare]] = 1
    design, most = Design(tuple(groups)), len(groups) // 10

    fitted, judged = split_once(strata, design, most=most, least=4, seed=seed)

    of_fitted, of_judged = set(groups[fitted]), set(groups[judged])
    with_rare = set(groups[np.flatnonzero(strata)])
    assert not of_fitted & of_judged
    assert len(of_fitted & with_rare) >= min(4, max(1, len(with_rare) // 2))
    assert {0, 1} == set(strata[fitted])
    assert most <= len(fitted)
    again = split_once(strata, design, most=most, least=4, seed=seed)
    assert np.array_equal(again[0], fitted)
    assert np.array_equal(again[1], judged)


@given(
    groups=st.integers(10, 16),
    classes=st.integers(2, 3),
    least=st.integers(8, 20),
    seed=st.integers(0, 99),
)
def test_few_groups_stand_on_both_sides(groups: int, classes: int, least: int, seed: int) -> None:
    places = np.repeat(np.arange(groups), 20)
    strata = np.random.default_rng(seed).integers(0, classes, len(places))
    design = Design(tuple(f"g{place}" for place in places))

    fitted, judged = split_once(strata, design, most=40, least=least, seed=seed)

    assert set(strata[fitted]) == set(range(classes))
    assert len(judged)
    assert len(set(places[fitted])) <= groups // 2 + classes
    assert not set(places[fitted]) & set(places[judged])


def test_a_class_of_few_rows_is_judged_by_too() -> None:
    strata = np.repeat([0, 1], [5000, 8])

    fitted, judged = split_once(strata, EVEN, most=1000, least=8, seed=0)

    assert np.bincount(strata[fitted])[1] == 4
    assert np.bincount(strata[judged])[1] > 0


def test_a_class_whose_groups_all_have_a_rarer_class_is_fitted_too() -> None:
    strata = np.zeros(1000, dtype=np.int64)
    strata[:30], strata[30:59] = 1, 2
    groups = tuple(["one"] * 32 + [f"g{i}" for i in range(32, 1000)])

    for seed in range(20):
        fitted, _ = split_once(strata, Design(groups), most=100, least=1, seed=seed)

        assert set(strata[fitted]) == {0, 1, 2}


def test_a_part_has_each_class_as_often_as_the_whole() -> None:
    strata = np.repeat([0, 1, 2], [6000, 2990, 10])

    part = choose_part(strata, EVEN, most=1000, least=8, seed=0)

    assert np.bincount(strata[part]).tolist() == [667, 333, 5]

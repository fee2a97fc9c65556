import numpy as np

from driftline.losses import row_losses
from driftline.probe import PASTS, probe_renewal
from driftline.promise import DEFAULT_RECIPE, OutOfFold, Promise, Recipe, make_promise, read_promise

RECIPE = Recipe("decision_tree", {"max_depth": 5})


def test_a_row_is_answered_without_its_own_outcome_or_later_ones() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 400)
    leak = np.arange(400, dtype=np.float32)[:, None]  # a tree that saw the row could learn it

    probe = probe_renewal(leak, y, newest=100, classes=2, fit=RECIPE.fit, metric="brier")

    assert row_losses(probe.chosen, y[300:], "brier").mean() > 0.24


def test_what_comes_later_does_not_change_an_answer() -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(400, 2)).astype(np.float32)  # noqa: N806
    y = (X[:, 0] > 0).astype(np.int64)
    other = y.copy()
    other[367:] = 1 - other[367:]  # the last of three blocks

    one, two = (
        probe_renewal(X, each, newest=100, classes=2, fit=RECIPE.fit, metric="brier")
        for each in (y, other)
    )

    np.testing.assert_array_equal(one.probabilities[1], two.probabilities[1])


def test_after_a_flip_a_shorter_past_is_chosen_and_without_one_all_rows() -> None:
    rng = np.random.default_rng(2)
    X = rng.normal(size=(1600, 2)).astype(np.float32)  # noqa: N806
    steady = (X[:, 0] > 0).astype(np.int64)
    flipped = steady.copy()
    flipped[1300:] = 1 - flipped[1300:]

    pasts = [
        probe_renewal(X, y, newest=150, classes=2, fit=RECIPE.fit, metric="log_loss").past
        for y in (steady, flipped)
    ]

    assert pasts[0] == 1
    assert pasts[1] in PASTS[1:]


def test_a_promise_is_what_was_lost_out_of_fold_and_round_trips() -> None:
    y = np.array([0, 1, 0, 1])
    answers = np.array([[0.9, 0.1], [0.2, 0.8], [0.8, 0.2], [0.4, 0.6]])

    promise = make_promise(
        OutOfFold(answers, y), metric="brier", recipe=DEFAULT_RECIPE, use={"a": 1.0}
    )

    assert np.isclose(promise.loss, np.mean([0.01, 0.04, 0.04, 0.16]))
    assert promise.base_loss == 0.25
    assert np.isclose(promise.skill, 0.25 - promise.loss)
    assert read_promise(promise.to_document()) == promise
    assert isinstance(promise, Promise)

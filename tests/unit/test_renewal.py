import numpy as np
import pandas as pd
import pytest

from driftline.digests import GROUP, WEIGHT, digest_rows
from driftline.promise import Recipe
from driftline.renewal import as_dataset, choose_history, renew
from tests.support import make_problem

PROBLEM = make_problem(columns={"a": {"range": [-10, 10]}, "b": {"range": [-10, 10]}})
TARGET = PROBLEM.target.name
LOW, HIGH = PROBLEM.classes
QUICK = Recipe("logistic_regression", {"C": 1.0})


def rows(count: int, *, by: str, seed: int) -> pd.DataFrame:
    """Rows whose class follows the sign of one column."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"a": rng.normal(size=count), "b": rng.normal(size=count)})
    table[TARGET] = np.where(table[by] + rng.normal(0, 0.2, count) > 0, HIGH, LOW)
    return table


def test_the_newest_labelled_rows_are_the_test_and_nobody_has_seen_them() -> None:
    original, labelled = rows(400, by="a", seed=0), rows(400, by="a", seed=1)

    renewal = renew(original, labelled, PROBLEM, seen=digest_rows(original), recipe=QUICK)

    assert renewal is not None
    pd.testing.assert_frame_equal(renewal.test, labelled.tail(120).reset_index(drop=True))
    dataset = as_dataset(renewal, PROBLEM)
    assert not set(dataset.test_digests) & {*dataset.train_digests, *digest_rows(original)}


def test_an_unchanged_relation_keeps_all_of_the_past() -> None:
    original, labelled = rows(400, by="a", seed=0), rows(400, by="a", seed=1)

    renewal = renew(original, labelled, PROBLEM, seen=(), recipe=QUICK)

    assert renewal is not None
    assert renewal.dropped == 0
    assert len(renewal.train) == 400 + 280


@pytest.mark.slow
def test_a_changed_relation_drops_the_rows_that_teach_the_old_one() -> None:
    original = rows(600, by="a", seed=0)
    labelled = pd.concat([rows(200, by="a", seed=1), rows(600, by="b", seed=2)])

    renewal = renew(original, labelled.reset_index(drop=True), PROBLEM, seen=())

    assert renewal is not None
    assert renewal.dropped >= 600


def test_too_few_new_labels_renew_nothing() -> None:
    original = rows(400, by="a", seed=0)

    assert renew(original, rows(45, by="a", seed=1), PROBLEM, seen=()) is None
    assert renew(original, original, PROBLEM, seen=()) is None


def test_rows_the_champion_was_trained_on_cannot_test_it() -> None:
    original, labelled = rows(100, by="a", seed=0), rows(500, by="a", seed=1)
    seen = digest_rows(labelled.tail(150))

    renewal = renew(original, labelled, PROBLEM, seen=seen, recipe=QUICK)

    assert renewal is not None
    assert not set(digest_rows(renewal.test)) & set(seen)


@pytest.mark.slow
def test_the_choice_of_the_past_is_repeatable() -> None:
    table = pd.concat([rows(120, by="a", seed=0), rows(120, by="b", seed=1)], ignore_index=True)

    chosen = {choose_history(table, PROBLEM, fresh=120) for _ in range(2)}

    assert len(chosen) == 1


def test_weights_and_groups_outlast_labelled_rows_that_have_none() -> None:
    problem = make_problem(
        columns={"a": {"range": [-10, 10]}, "b": {"range": [-10, 10]}},
        ignored=["times", "who"],
        weight="times",
        group="who",
    )
    original = rows(400, by="a", seed=0)
    original[WEIGHT], original[GROUP] = np.arange(1.0, 401), [f"p{i // 2}" for i in range(400)]

    renewal = renew(original, rows(400, by="a", seed=1), problem, seen=(), recipe=QUICK)

    assert renewal is not None
    data = as_dataset(renewal, problem).data
    both = data.train.followed_by(data.test)
    assert both.weights is not None
    assert np.std(both.weights[:400]) > 0.4
    assert set(both.weights[400:]) == {1.0}
    assert both.groups is not None
    assert both.groups[0] == both.groups[1]
    assert len(set(both.groups[400:])) == len(both.groups) - 400
    assert not {*both.groups[:400]} & {*both.groups[400:]}

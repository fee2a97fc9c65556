import json

import numpy as np
import pytest

from driftline.problem import DriftPolicy
from driftline.promise import DEFAULT_RECIPE, Promise
from driftline.standing import Standing, describe_due, is_renewal_due, read_standing

POLICY = DriftPolicy(loss="brier")
PROMISE = Promise(
    metric="brier",
    loss=0.06,
    deviation=0.1,
    rows=2000,
    base_loss=0.25,
    recipe=DEFAULT_RECIPE,
    use={},
)


def add(standing: Standing, losses: np.ndarray, probed: np.ndarray) -> Standing:
    return standing.add(losses, {1: probed}, past=1, promise=PROMISE, policy=POLICY)


@pytest.mark.parametrize("per_day", [6, 60, 400])
def test_labels_are_never_forgotten_whatever_the_schedule(per_day: int) -> None:
    standing, days = Standing(), 1200 // per_day

    for _ in range(days):
        standing = add(standing, np.full(per_day, 0.9), np.full(per_day, 0.06))

    assert is_renewal_due(standing, PROMISE, POLICY)


@pytest.mark.slow
def test_without_change_two_hundred_looks_hardly_ever_call_for_a_renewal() -> None:
    called = 0
    for seed in range(40):
        rng, standing = np.random.default_rng(seed), Standing()
        for _ in range(200):
            losses = rng.beta(0.6, 9.4, 60)
            probed = np.clip(losses + rng.normal(0.002, 0.05, 60), 0, 1)
            standing = add(standing, losses, probed)
            if is_renewal_due(standing, PROMISE, POLICY):
                called += 1
                break

    assert called <= 2


def test_a_renewal_raises_the_price_and_quiet_looks_lower_it_to_the_cost() -> None:
    bought = Standing().after(is_renewal_due=True, policy=POLICY)
    quiet = bought.after(is_renewal_due=False, policy=POLICY)

    assert bought.price > quiet.price >= POLICY.cost
    assert Standing().after(is_renewal_due=False, policy=POLICY).price == POLICY.cost


def test_a_renewal_that_came_to_nothing_is_asked_for_again_after_half_as_many_rows() -> None:
    harmed = add(Standing(), np.full(1200, 0.9), np.full(1200, 0.06))
    asked = harmed.after(is_renewal_due=True, policy=POLICY)

    some = add(asked, np.full(500, 0.9), np.full(500, 0.06))
    enough = add(some, np.full(100, 0.9), np.full(100, 0.06))

    assert not is_renewal_due(some, PROMISE, POLICY)
    assert is_renewal_due(enough, PROMISE, POLICY)


def test_a_champion_that_is_no_longer_worse_is_left_alone() -> None:
    harmed = add(Standing(), np.full(1200, 0.9), np.full(1200, 0.06))

    healed = add(harmed, np.full(60, 0.05), np.full(60, 0.06))

    assert not is_renewal_due(healed, PROMISE, POLICY)


def test_a_document_holds_the_whole_standing() -> None:
    standing = add(Standing(), np.full(60, 0.3), np.full(60, 0.1))

    read = read_standing(json.loads(json.dumps(standing.to_document())))

    assert read == standing


def test_the_reason_is_told_with_its_figures() -> None:
    harmed = add(Standing(), np.full(1200, 0.9), np.full(1200, 0.06))

    told = describe_due(harmed, PROMISE, POLICY)

    assert "0.8400 brier per answer" in told
    assert "1200 labelled rows" in told

"""Probabilities that come true no longer are found by few labels, and hardly ever without cause."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from driftline.problem import DriftPolicy
from driftline.promise import DEFAULT_RECIPE, OutOfFold, Promise
from driftline.recalibration import (
    Baseline,
    Recalibration,
    fit_baseline,
)
from driftline.standing import Standing, describe_due, is_renewal_due, read_standing
from tests.unit.answered import draw, two_of

Told = tuple[np.ndarray, np.ndarray]
Draw = Callable[[np.random.Generator], Told]
POLICY = DriftPolicy(loss="brier")
WHOLE = DriftPolicy(loss="brier", label_horizon_days=30)
PROMISE = Promise(
    metric="brier",
    loss=0.14,
    deviation=0.1,
    rows=3000,
    base_loss=0.25,
    recipe=DEFAULT_RECIPE,
    use={},
)


def baseline_of(rng: np.random.Generator) -> Baseline:
    found = fit_baseline(OutOfFold(*draw(rng, 3000)))
    assert found is not None
    return found


def bet(
    found: Recalibration,
    told: tuple[np.ndarray, np.ndarray],
    base: Baseline,
    *,
    is_whole: bool = False,
    unlabelled: int | None = None,
) -> Recalibration:
    return found.add(*told, base, WHOLE if is_whole else POLICY, unlabelled=unlabelled)


def ever_proved(
    seeds: int, cohorts: Callable[[np.random.Generator], Iterator[Told]], base: Draw, **options: Any
) -> int:
    """In how many lives the claim is proved at some cohort."""
    proved = 0
    for seed in range(seeds):
        rng, found = np.random.default_rng(seed), Recalibration()
        known = fit_baseline(OutOfFold(*base(rng)))
        assert known is not None
        for told in cohorts(rng):
            found = bet(found, told, known, **options)
            if found.is_proof(POLICY.false_retrains):
                proved += 1
                break
    return proved


@pytest.mark.slow
@pytest.mark.parametrize("rows", [60, 200])
@pytest.mark.parametrize("is_whole", [True, False])
def test_the_noise_of_few_answers_out_of_fold_is_not_held_against_a_champion(
    rows: int, is_whole: bool
) -> None:
    def cohorts(rng: np.random.Generator) -> Iterator[Told]:
        return (draw(rng, 50) for _ in range(30))

    assert ever_proved(20, cohorts, lambda rng: draw(rng, rows), is_whole=is_whole) <= 1


@pytest.mark.slow
def test_labels_that_come_sooner_for_one_class_are_no_change() -> None:
    def early(rng: np.random.Generator) -> Iterator[Told]:
        for _ in range(20):
            told, y = draw(rng, 200)
            come = (y == 1) | (rng.random(len(y)) < 1 / 3)
            yield told[come], y[come]

    assert ever_proved(10, early, lambda rng: draw(rng, 3000)) == 0
    assert ever_proved(10, early, lambda rng: draw(rng, 3000), is_whole=True) == 10


@pytest.mark.slow
def test_as_many_as_are_not_heard_of_may_all_be_of_one_class() -> None:
    """Who counts them needs no declared horizon, and takes nothing of it for a change."""

    def heard(rng: np.random.Generator, share: float) -> Iterator[tuple[Told, int]]:
        for _ in range(20):
            told, y = draw(rng, 200)
            come = (y == 1) | (rng.random(len(y)) < share)
            yield (told[come], y[come]), int((~come).sum())

    for share in (1 / 3, 0.9):
        for seed in range(10):
            rng, found = np.random.default_rng(seed), Recalibration()
            base = baseline_of(rng)
            for told, unlabelled in heard(rng, share):
                found = bet(found, told, base, unlabelled=unlabelled)
            assert not found.is_proof(POLICY.false_retrains)


def test_the_fewer_are_not_heard_of_the_sooner_a_class_that_comes_oftener_is_found() -> None:
    rng = np.random.default_rng(6)
    base = baseline_of(rng)
    odds = rng.normal(0, 2, 300)
    risen = two_of(odds), (rng.random(300) < 1 / (1 + np.exp(-odds - 2))).astype(np.int64)

    wealth = [
        bet(Recalibration(), risen, base, unlabelled=unlabelled).log_wealth
        for unlabelled in (0, 5, 50, None)
    ]

    assert wealth == sorted(wealth, reverse=True)
    assert wealth[0] == bet(Recalibration(), risen, base, is_whole=True).log_wealth
    assert wealth[1] > np.log(1 / POLICY.false_retrains) > wealth[-1]


@pytest.mark.slow
def test_a_base_rate_that_goes_up_and_down_is_no_change() -> None:
    def waves(rng: np.random.Generator) -> Iterator[Told]:
        for _ in range(30):
            odds, moved = rng.normal(0, 2, 500), rng.normal(0, 0.2)
            y = (rng.random(500) < 1 / (1 + np.exp(-odds - moved))).astype(np.int64)
            yield two_of(odds), y

    for is_whole in (True, False):
        assert ever_proved(10, waves, lambda rng: draw(rng, 5000), is_whole=is_whole) == 0


@pytest.mark.slow
def test_one_class_of_three_that_was_noisy_from_the_start_is_no_change() -> None:
    def noisy(rng: np.random.Generator, rows: int) -> Told:
        odds = rng.normal(0, 1.5, (rows, 3))
        chances = np.exp(odds + np.outer(rng.normal(0, 2, rows), (0, 0, 1)))
        reached = np.cumsum(chances / chances.sum(axis=1, keepdims=True), axis=1)
        told = np.exp(odds)
        told /= told.sum(axis=1, keepdims=True)
        return told, (rng.random((rows, 1)) > reached[:, :2]).sum(axis=1)

    def cohorts(rng: np.random.Generator) -> Iterator[Told]:
        return (noisy(rng, 200) for _ in range(20))

    assert ever_proved(10, cohorts, lambda rng: noisy(rng, 5000)) == 0


@pytest.mark.slow
def test_without_change_two_hundred_looks_hardly_ever_prove_one() -> None:
    proved = 0
    for seed in range(40):
        rng, found = np.random.default_rng(seed), Recalibration()
        base, proofs = baseline_of(rng), []
        for _ in range(200):
            found = bet(found, draw(rng, 50), base)
            proofs.append(found.is_proof(POLICY.false_retrains))
        proved += any(proofs)

    assert proved <= 2


def test_half_of_the_people_turned_round_call_for_a_renewal_before_any_model_can_learn_it() -> None:
    rng, standing = np.random.default_rng(0), Standing()
    base, due = baseline_of(rng), []
    for flipped in (0, 0, 0, 0.5, 0.5):
        told, y = draw(rng, 50, flipped=flipped)
        losses = (told[:, 1] - y) ** 2
        found = bet(standing.recalibration, (told, y), base)
        standing = standing.add(
            losses,
            {1: losses + 0.001},  # a renewed model knows no better yet
            past=1,
            promise=PROMISE,
            policy=POLICY,
            recalibration=found,
        )
        due.append(is_renewal_due(standing, PROMISE, POLICY))

    assert not any(due[:3])
    assert due[-1]
    assert "come true no longer" in describe_due(standing, PROMISE, POLICY)
    assert read_standing(json.loads(json.dumps(standing.to_document()))) == standing


def test_a_change_that_comes_late_is_still_found() -> None:
    rng, found = np.random.default_rng(1), Recalibration()
    base = baseline_of(rng)

    for _ in range(60):
        found = bet(found, draw(rng, 50), base)
    quiet = found.is_proof(POLICY.false_retrains)
    for _ in range(4):
        found = bet(found, draw(rng, 50, flipped=0.5), base)

    assert not quiet
    assert found.is_proof(POLICY.false_retrains)


def test_what_was_told_wrongly_from_the_start_is_no_change() -> None:
    rng, found = np.random.default_rng(2), Recalibration()

    def sure(rows: int) -> tuple[np.ndarray, np.ndarray]:
        told, y = draw(rng, rows)
        odds = 3 * np.log(told[:, 1] / told[:, 0])
        p = 1 / (1 + np.exp(-odds))
        return np.column_stack([1 - p, p]), y

    base = fit_baseline(OutOfFold(*sure(3000)))
    assert base is not None
    for _ in range(10):
        found = bet(found, sure(100), base)

    assert not found.is_proof(POLICY.false_retrains)


def test_one_class_of_three_that_comes_more_often_is_found() -> None:
    rng = np.random.default_rng(3)

    def three(rows: int, often: float) -> tuple[np.ndarray, np.ndarray]:
        told = rng.dirichlet((1, 1, 1), rows)
        chances = told * (1, 1, often)
        reached = np.cumsum(chances / chances.sum(axis=1, keepdims=True), axis=1)
        return told, (rng.random((rows, 1)) > reached[:, :2]).sum(axis=1)

    base = fit_baseline(OutOfFold(*three(3000, 1.0)))
    assert base is not None
    before = bet(Recalibration(), three(200, 1.0), base, is_whole=True)
    after = bet(before, three(200, 4.0), base, is_whole=True)

    assert not before.is_proof(POLICY.false_retrains)
    assert after.is_proof(POLICY.false_retrains)
    assert after.recent_saved > POLICY.cost

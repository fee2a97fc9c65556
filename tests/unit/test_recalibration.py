"""Probabilities that come true no longer are found by few labels, and hardly ever without cause."""

import json

import numpy as np

from driftline.problem import DriftPolicy
from driftline.promise import DEFAULT_RECIPE, OutOfFold, Promise
from driftline.recalibration import (
    Baseline,
    Recalibration,
    fit_baseline,
    read_baseline,
    read_recalibration,
)
from driftline.standing import Standing, describe_due, is_renewal_due, read_standing

POLICY = DriftPolicy(loss="brier")
PROMISE = Promise(
    metric="brier",
    loss=0.14,
    deviation=0.1,
    rows=3000,
    base_loss=0.25,
    recipe=DEFAULT_RECIPE,
    use={},
)


def draw(
    rng: np.random.Generator, rows: int, *, flipped: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Answers of two classes and their truth, turned round for a share of the rows."""
    p = 1 / (1 + np.exp(-rng.normal(0, 2, rows)))
    chance = np.where(rng.random(rows) < flipped, 1 - p, p)
    return np.column_stack([1 - p, p]), (rng.random(rows) < chance).astype(np.int64)


def baseline_of(rng: np.random.Generator) -> Baseline:
    found = fit_baseline(OutOfFold(*draw(rng, 3000)))
    assert found is not None
    return found


def bet(found: Recalibration, told: tuple[np.ndarray, np.ndarray], base: Baseline) -> Recalibration:
    return found.add(*told, base, worth=POLICY.worth)


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
    before = bet(Recalibration(), three(200, 1.0), base)
    after = bet(before, three(200, 4.0), base)

    assert not before.is_proof(POLICY.false_retrains)
    assert after.is_proof(POLICY.false_retrains)
    assert after.recent_saved > POLICY.cost


def test_a_number_and_a_model_without_answers_out_of_fold_have_no_baseline() -> None:
    number = OutOfFold(np.zeros((20, 1)), np.arange(20.0))

    assert fit_baseline(number) is None
    assert fit_baseline(None) is None


def test_bets_and_baselines_are_read_as_they_were_written() -> None:
    rng = np.random.default_rng(4)
    base = baseline_of(rng)
    found = bet(Recalibration(), draw(rng, 50), base)

    assert read_recalibration(json.loads(json.dumps(found.to_document()))) == found
    assert read_baseline(json.loads(json.dumps(base.to_document()))) == base
    assert read_recalibration(None) == Recalibration()
    assert read_baseline(None) is None


def test_a_standing_that_was_written_before_this_was_asked_is_read() -> None:
    document = Standing().to_document()
    del document["recalibration"]

    assert read_standing(document) == Standing()

"""Evidence from labels of a number: bounded bets that do not depend on the target's unit."""

import numpy as np
import pytest

from driftline.history import cut_history, renew_at, score_probe, score_window
from driftline.informative import choose_rows_to_label
from driftline.losses import blind_answers, row_losses
from driftline.measured import Measured
from driftline.problem import DriftPolicy
from driftline.promise import OutOfFold, Promise, Recipe, make_promise
from driftline.renewal import renew
from driftline.sequential import Wager
from driftline.shadow import Shadow, read_shadow
from driftline.standing import Standing, describe_standing, is_renewal_due, is_skill_lost
from tests.support import STAY, make_problem, stay_rows

POLICY = DriftPolicy(loss="absolute_error")
RECIPE = Recipe("ridge", {"alpha": 1.0}, predicts="number")


def errors(rows: int, mean: float, seed: int = 0) -> np.ndarray:
    return np.abs(np.random.default_rng(seed).normal(0, mean * 1.25, rows))


def promised(unit: float = 1.0) -> Promise:
    """A champion that errs by about 2 days where the median does by about 5."""
    rng = np.random.default_rng(0)
    y = rng.normal(20, 6.25, 2000) * unit
    answers = (y + rng.normal(0, 2.5, 2000) * unit)[:, None]
    return make_promise(OutOfFold(answers, y), metric="absolute_error", recipe=RECIPE, use={})


def judged(losses: np.ndarray, probed: np.ndarray, promise: Promise) -> Standing:
    return Standing().add(losses, {1: probed}, past=1, promise=promise, policy=POLICY)


@pytest.mark.parametrize("unit", [1.0, 1e-9, 1e6])
def test_what_is_decided_does_not_depend_on_the_unit(unit: float) -> None:
    promise = promised(unit)

    harmed = judged(errors(200, 6.0) * unit, errors(200, 2.0, 1) * unit, promise)
    alike = judged(errors(200, 2.0) * unit, errors(200, 2.0, 1) * unit, promise)

    assert is_renewal_due(harmed, promise, POLICY)
    assert is_skill_lost(harmed, promise, POLICY)
    assert not is_renewal_due(alike, promise, POLICY)
    assert "mean absolute_error" in describe_standing(alike, promise)


def test_a_few_errors_without_end_prove_nothing() -> None:
    """They are cut at what errors mostly reach: three rows of 200 cannot decide."""
    promise = promised()
    losses, probed = errors(200, 2.0), errors(200, 2.0, 1)
    losses[:3] = 1e9

    standing = judged(losses, probed, promise)

    assert not standing.harm.is_proof(POLICY.false_retrains)
    assert not is_renewal_due(standing, promise, POLICY)


def test_the_best_constant_answers_are_the_median_and_the_mean() -> None:
    y = np.array([0.0, 1.0, 8.0])

    assert blind_answers(y, "absolute_error", width=1)[:, 0].tolist() == [1.0] * 3
    assert blind_answers(y, "squared_error", width=1)[:, 0].tolist() == [3.0] * 3
    assert row_losses(np.array([[2.0]]), np.array([5.0]), "squared_error").tolist() == [9.0]


def test_a_shadow_tells_its_unit_and_keeps_it_from_look_to_look() -> None:
    shadow = Shadow("3", Wager(), unit="absolute error (in units of 7)")
    shadow = shadow.add(np.full(100, 50.0), np.full(100, 0.2))

    read = read_shadow(shadow.to_document(), "3", unit=shadow.unit)

    assert read == shadow
    assert shadow.mean <= 1
    assert "absolute error (in units of 7) per answer" in shadow.describe("4")


def test_rows_to_label_need_no_probabilities() -> None:
    rng = np.random.default_rng(0)
    reference, current = rng.normal(size=(300, 2)), rng.normal(size=(200, 2))
    current[:20] += 6

    chosen = choose_rows_to_label(rng.normal(size=(200, 1)), reference, current, count=15, seed=0)

    assert chosen[0] < 20  # what is new comes first
    assert len(set(chosen.tolist())) == 15


def test_a_history_of_a_number_is_answered_window_by_window() -> None:
    problem = make_problem(STAY)
    history = cut_history(stay_rows(300), problem, windows=3)

    model = renew_at(history, 1, RECIPE)

    later, probe = score_window(history, model, 2), score_probe(history, model)
    assert isinstance(later, Measured)
    assert later.losses("absolute_error").mean() < 3
    assert probe.losses("absolute_error").mean() < 3
    assert later.spec.reach == model.threshold
    assert model.promise.skill > 1


def test_new_labelled_rows_of_a_number_are_parted_by_age() -> None:
    problem = make_problem(STAY, drift={"min_labels": 40})
    original, labelled = stay_rows(200), stay_rows(150, seed=7)

    renewal = renew(original, labelled, problem, seen=(), recipe=RECIPE)

    assert renewal is not None
    assert len(renewal.test) == 45
    assert renewal.test["stay"].tolist() == labelled["stay"].tolist()[-45:]

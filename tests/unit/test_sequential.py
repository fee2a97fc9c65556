import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.sequential import Wager, read_wager

ALPHA = 0.05
STREAMS, LOOKS = 300, 100


def stream(rng: np.random.Generator, mean: float, looks: int, size: int = 20) -> Wager:
    """A wager on cohorts of values of this mean."""
    wager = Wager()
    for _ in range(looks):
        wager = wager.add(rng.uniform(mean - 0.5, mean + 0.5, size))
    return wager


@pytest.mark.slow
def test_without_a_mean_the_proof_is_hardly_ever_reached_however_often_one_looks() -> None:
    reached = sum(
        stream(np.random.default_rng(seed), 0.0, LOOKS).is_proof(ALPHA) for seed in range(STREAMS)
    )

    assert reached / STREAMS <= ALPHA + 0.01


def test_a_true_mean_is_proved() -> None:
    assert stream(np.random.default_rng(0), 0.1, 30).is_proof(ALPHA)


def test_a_change_that_comes_late_is_proved() -> None:
    rng = np.random.default_rng(1)
    wager = stream(rng, -0.1, 50)
    was_proved = wager.is_proof(ALPHA)

    for _ in range(20):
        wager = wager.add(rng.uniform(-0.2, 0.8, 20))

    assert not was_proved
    assert wager.is_proof(ALPHA)


def test_a_document_holds_the_whole_wager() -> None:
    wager = stream(np.random.default_rng(2), 0.05, 5)

    read = read_wager(json.loads(json.dumps(wager.to_document())))

    assert read == wager


@given(st.lists(st.lists(st.floats(-1, 1), min_size=1, max_size=8), min_size=1, max_size=8))
def test_no_values_bring_the_wealth_to_nothing(cohorts: list[list[float]]) -> None:
    wager = Wager()

    for cohort in cohorts:
        wager = wager.add(np.array(cohort))

    assert np.isfinite(wager.log_wealth)
    assert wager.peak >= 0


def test_one_row_cannot_ruin_even_who_was_sure() -> None:
    sure = Wager().add(np.full(1000, 0.5))

    assert np.isfinite(sure.add(np.array([-1.0])).players[0].log_wealth)


def test_values_beyond_the_bounds_are_cut() -> None:
    values = np.array([5.0, -7.0, 0.5])

    far, cut = Wager().add(values), Wager().add(np.clip(values, -1, 1))

    assert far.log_wealth == cut.log_wealth


def test_no_values_change_nothing() -> None:
    wager = Wager().add(np.array([0.1]))

    assert wager.add(np.array([])) is wager

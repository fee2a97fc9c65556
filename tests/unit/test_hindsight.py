from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.hindsight import best_with


def loss_table(count: int, seed: int) -> np.ndarray:
    """Losses of each model on the windows after its own; nan elsewhere."""
    table = np.random.default_rng(seed).random((count, count))
    return np.where(np.triu(np.ones_like(table), 1) > 0, table, np.nan)


def loss_of(table: np.ndarray, times: tuple[int, ...], delay: int) -> float:
    """Mean loss where the newest model is taken after these windows."""
    champion, total = 0, 0.0
    for window in range(1, len(table)):
        total += table[champion, window]
        if window in times and window - delay > champion:
            champion = window - delay
    return total / (len(table) - 1)


@given(st.integers(2, 6), st.integers(0, 1000), st.integers(0, 3))
def test_the_best_is_what_trying_everything_finds(count: int, seed: int, delay: int) -> None:
    table = loss_table(count, seed)

    found = best_with(table, count, delay=delay)

    for best in found:
        every = [
            loss_of(table, times, delay)
            for size in range(best.retrainings + 1)
            for times in combinations(range(1, count), size)
        ]
        assert best.loss == pytest.approx(min(every))
        assert len(best.after) <= best.retrainings
        assert loss_of(table, best.after, delay) == pytest.approx(best.loss)


@given(st.integers(2, 8), st.integers(0, 1000))
def test_more_retrainings_are_never_worse_in_hindsight(count: int, seed: int) -> None:
    losses = [best.loss for best in best_with(loss_table(count, seed), count)]

    assert losses == sorted(losses, reverse=True)

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.informative import choose_rows_to_label


def window(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities and inputs; the last tenth of the current rows lies where none was before."""
    rng = np.random.default_rng(seed)
    before, now = rng.normal(size=(300, 3)), rng.normal(size=(rows, 3))
    now[-rows // 10 :, 0] += 6
    p = 1 / (1 + np.exp(-3 * now[:, 1]))
    return np.column_stack([1 - p, p]), before, now


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(rows=st.integers(1, 60), count=st.integers(0, 80), seed=st.integers(0, 9))
def test_each_row_is_chosen_once_and_as_many_as_there_are(rows: int, count: int, seed: int) -> None:
    p, before, now = window(rows, seed)

    chosen = choose_rows_to_label(p, before, now, count=count, seed=seed)

    assert len(set(chosen)) == len(chosen) == min(rows, count)
    assert set(chosen) <= set(range(rows))


def test_the_same_seed_chooses_the_same_rows() -> None:
    p, before, now = window(500, 0)

    one, again = (choose_rows_to_label(p, before, now, count=30, seed=4) for _ in range(2))

    assert list(one) == list(again)


def test_new_and_uncertain_rows_come_first() -> None:
    p, before, now = window(500, 0)

    chosen = choose_rows_to_label(p, before, now, count=40, seed=0)

    is_new = np.arange(500) >= 450
    unsure = np.abs(p[:, 1] - 0.5) < 0.25
    assert is_new[chosen].mean() > 2 * is_new.mean()
    assert unsure[chosen].mean() > 1.5 * unsure.mean()


def test_rows_that_are_alike_are_not_all_chosen() -> None:
    """Half the rows coincide, and are as uncertain as can be."""
    p, before, now = window(400, 0)
    now[:200], p[:200] = now[0], 0.5

    chosen = choose_rows_to_label(p, before, now, count=20, seed=0)

    assert (chosen < 200).sum() <= 3

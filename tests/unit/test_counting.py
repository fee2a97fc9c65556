import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.counting import Counts, make_grid

NUMBERS = st.lists(st.none() | st.floats(-1e6, 1e6, allow_nan=False), min_size=1, max_size=60)


@given(values=NUMBERS, cut=st.integers(0, 60))
def test_counts_of_pieces_add_up_to_the_whole(values: list[float | None], cut: int) -> None:
    column = pd.Series(values, dtype="float64")
    grid = make_grid(column)

    whole, parts = grid.count(column), grid.count(column[:cut]) + grid.count(column[cut:])

    assert whole.rows.tolist() == parts.rows.tolist()
    assert whole.missing == parts.missing
    assert whole.known + whole.missing == len(column)
    assert whole.sums == pytest.approx(parts.sums, abs=1e-6)


def test_a_bin_holds_the_sum_of_its_values() -> None:
    column = pd.Series(np.random.default_rng(0).normal(size=1000))

    counts = make_grid(column).count(column + 50)

    assert counts.sums.sum() == pytest.approx((column + 50).sum())


def test_a_category_that_is_not_declared_has_a_bin_of_its_own() -> None:
    column = pd.Series(["a", "b", "b", None, "x"])

    counts = make_grid(column, ["a", "b"]).count(column)

    assert counts.rows.tolist() == [1, 2, 1]
    assert (counts.missing, counts.missing_share) == (1, 0.2)


def test_a_column_without_values_has_a_grid() -> None:
    column = pd.Series([None, None], dtype="float64")

    assert make_grid(column).count(column) == Counts(
        rows=pytest.approx([0, 0]), sums=pytest.approx([0, 0]), missing=2
    )

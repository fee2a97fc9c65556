import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.errors import DataError
from driftline.intervals import conformal_reach, least_rows


def test_the_reach_is_the_corrected_quantile_of_the_errors() -> None:
    """Of 19 errors the ceil(20 * 0.9) = 18th smallest, whatever their signs."""
    errors = np.array([(-1) ** i * float(i) for i in range(1, 20)])

    assert conformal_reach(errors, 0.9) == 18.0


@given(rows=st.integers(9, 60), copies=st.integers(1, 3), seed=st.integers(0, 99))
def test_rows_that_stand_several_times_count_once(rows: int, copies: int, seed: int) -> None:
    errors = np.random.default_rng(seed).normal(size=rows)

    assert conformal_reach(np.tile(errors, copies), 0.9, copies=copies) == conformal_reach(
        errors, 0.9
    )


def test_new_rows_are_covered_as_often_as_promised() -> None:
    """By exchangeability the chance is at least 0.8 and less than 0.8 + 1 / (n + 1)."""
    rng = np.random.default_rng(0)
    draws = rng.exponential(size=(4000, 25))  # any distribution will do

    hits = [abs(row[-1]) <= conformal_reach(row[:-1], 0.8) for row in draws]

    assert 0.8 - 0.015 <= np.mean(hits) <= 0.8 + 1 / 25 + 0.015


def test_too_few_rows_for_a_finite_interval_are_refused() -> None:
    with pytest.raises(DataError, match=r"got 8 errors .* wanted at least 9 for intervals\.cov"):
        conformal_reach(np.ones(8), 0.9)

    assert [least_rows(coverage) for coverage in (0.5, 0.9, 0.95)] == [1, 9, 19]

import numpy as np
import pandas as pd
import pytest

from driftline.marginals import CategoryColumn, NumberColumn, find_grid, model_column


def test_each_of_few_values_has_a_bin_and_what_lies_beyond_has_its_own() -> None:
    column = model_column("x", pd.Series([0.0, 1.0, 2.0, 2.0, np.nan]), is_category=False)

    codes = column.encode(np.array([-5.0, 0.0, 1.1, 2.0, 9.0, np.nan]))

    assert codes.tolist() == [0, 1, 2, 3, 4, 5]
    assert column.counts.tolist() == [0, 1, 1, 2, 0, 1]


def test_unknown_and_missing_levels_have_codes_of_their_own() -> None:
    column = model_column("x", pd.Series(["a", "b", "b", None], dtype=object), is_category=True)

    assert isinstance(column, CategoryColumn)
    assert column.encode(pd.Series(["b", "a", "new", None], dtype=object)).tolist() == [0, 1, 2, 3]
    assert column.counts.tolist() == [2, 1, 0, 1]


def test_scores_are_standard_normal_whatever_the_skew() -> None:
    values = np.random.default_rng(0).lognormal(size=5000)
    column = model_column("x", pd.Series(values), is_category=False)

    assert isinstance(column, NumberColumn)
    scores = column.score(values)
    assert scores.mean() == pytest.approx(0, abs=0.02)
    assert scores.std() == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize(("values", "step"), [([1, 2, 5], 1.0), ([0.25, 1.5, 3.0], 0.01)])
def test_the_grid_is_the_coarsest_decimal_step(values: list[float], step: float) -> None:
    assert find_grid(np.array(values)) == pytest.approx(step)


def test_what_floats_leave_over_is_a_constant() -> None:
    values = pd.Series([0.1 + 0.2, 0.3] * 50)

    assert model_column("x", values, is_category=False).is_constant

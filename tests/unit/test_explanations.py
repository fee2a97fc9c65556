import numpy as np
import pandas as pd
import pytest

from driftline.explanations import find_shift, find_unit, is_shift
from driftline.marginals import NumberColumn, model_column


def model(values: np.ndarray) -> NumberColumn:
    column = model_column("x", pd.Series(values), is_category=False)
    assert isinstance(column, NumberColumn)
    return column


WHOLE = np.random.default_rng(0).integers(18, 90, 1000).astype(float)
SMOOTH = np.random.default_rng(0).normal(70, 9, 1000)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (WHOLE * 1.42, "times 1.42"),
        (WHOLE * 2.20462, "times 2.2"),
        (WHOLE * 1.8 + 32, "plus 32"),
        (np.log(WHOLE), "logarithms"),
    ],
)
def test_whole_numbers_tell_what_was_done_to_them(changed: np.ndarray, words: str) -> None:
    change = find_unit(model(WHOLE), changed)

    assert change is not None
    assert words in change.text


def test_a_common_offset_and_noise_are_no_units() -> None:
    noise = np.random.default_rng(1).normal(size=len(WHOLE))

    assert find_unit(model(WHOLE), WHOLE + 0.37) is None
    assert find_unit(model(WHOLE), WHOLE + noise) is None
    assert find_unit(model(WHOLE), WHOLE) is None


def test_a_shift_is_told_from_a_factor() -> None:
    assert is_shift(model(SMOOTH), SMOOTH + 12)
    assert not is_shift(model(SMOOTH), SMOOTH * 1.42)
    assert not is_shift(model(SMOOTH), SMOOTH + 273.15)


def test_values_of_another_column_and_a_changed_sign_are_no_shift() -> None:
    """Either lay a few deviations away and looked somewhat alike, which passed for other people."""
    rng = np.random.default_rng(3)
    other, skewed = rng.normal(31, 6.7, 400), rng.gamma(5, 3, 1000)

    assert find_shift(model(SMOOTH), other) is None
    assert find_shift(model(skewed), -skewed[:50]) is None


def test_a_shift_of_few_rows_need_not_fit_as_well() -> None:
    column = model(SMOOTH)

    drawn = [np.random.default_rng(seed).normal(42, 9, 50) for seed in range(40)]

    assert np.mean([find_shift(column, values) is not None for values in drawn]) >= 0.9


def test_a_shift_beyond_what_people_differ_by_is_none_of_theirs() -> None:
    """An offset of two deviations in one column passed for other people."""
    assert is_shift(model(SMOOTH), SMOOTH - 9)
    assert not is_shift(model(SMOOTH), SMOOTH + 18)
    assert find_shift(model(SMOOTH), SMOOTH + 18) == pytest.approx(18)

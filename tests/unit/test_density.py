import numpy as np
import pytest

from driftline.density import measure_ratios


def test_rows_that_cannot_be_told_apart_weigh_alike() -> None:
    rng = np.random.default_rng(0)

    ratios = measure_ratios(rng.normal(size=(800, 5)), rng.normal(size=(400, 5)), seed=0)

    assert ratios.reference == pytest.approx(1)
    assert ratios.effective_rows == pytest.approx(800)


def test_a_shifted_column_gives_the_ratio_of_the_normal_densities() -> None:
    rng = np.random.default_rng(0)
    before, now = rng.normal(size=(4000, 3)), rng.normal([1, 0, 0], size=(2000, 3))

    ratios = measure_ratios(before, now, seed=0)

    known = np.exp(before[:, 0] - 0.5)
    assert np.corrcoef(np.log(ratios.reference), np.log(known))[0, 1] > 0.98
    assert ratios.reference.mean() == pytest.approx(1)
    assert ratios.effective_rows < 2500


def test_a_broken_relation_is_seen_though_no_column_has_changed() -> None:
    """A correlation turned round, which is all that trees can tell and squares cannot."""
    rng = np.random.default_rng(0)
    common = rng.normal(size=3000)
    noise = rng.normal(size=(2, 3000)) * 0.2
    table = np.column_stack([common + noise[0], common + noise[1]])
    turned = table[1500:] * [1, -1]

    ratios = measure_ratios(table[:1500], turned, seed=0)

    assert np.median(ratios.current) > 1.5


def test_missing_and_empty_columns_do_no_harm() -> None:
    rng = np.random.default_rng(0)
    table = rng.normal(size=(600, 3))
    table[:, 1] = np.nan
    table[::3, 2] = np.nan

    ratios = measure_ratios(table[:400], table[400:] + np.array([1.0, 0, 0]), seed=0)

    assert np.isfinite(ratios.reference).all()
    assert np.isfinite(ratios.current).all()


def test_a_handful_of_rows_is_not_told_apart() -> None:
    ratios = measure_ratios(np.zeros((100, 2)), np.ones((3, 2)), seed=0)

    assert ratios.reference == pytest.approx(1)

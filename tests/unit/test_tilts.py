import numpy as np
import pytest

from driftline.tilts import excess_evidence, raise_odds, ratio_evidence, tilt_to_mean


def test_a_tilt_moves_the_mean_as_far_as_people_may() -> None:
    centres = np.linspace(-3, 3, 61)
    shares = np.exp(-(centres**2) / 2)
    shares /= shares.sum()

    assert tilt_to_mean(shares, centres, 1.0) @ centres == pytest.approx(1.0, abs=1e-3)
    assert tilt_to_mean(shares, centres, 9.0) @ centres == pytest.approx(1.5, abs=1e-3)


def test_odds_are_raised() -> None:
    assert float(raise_odds(0.5, 3.0)) == pytest.approx(0.75)


def test_evidence_bounds_the_chance_of_so_many() -> None:
    rng = np.random.default_rng(0)
    counts = rng.binomial(50, 0.1, 20_000)

    evidence = excess_evidence(counts, 50, 0.1)

    for bound in (2.0, 4.0, 6.0):
        assert (evidence > bound).mean() <= np.exp(-bound)


def test_evidence_of_a_ratio_allows_for_what_was_fitted() -> None:
    ratios = np.random.default_rng(0).chisquare(6, 20_000) / 2

    evidence = np.array([ratio_evidence(float(ratio), 6) for ratio in ratios])

    for bound in (2.0, 4.0, 6.0):
        assert (evidence > bound).mean() <= np.exp(-bound)

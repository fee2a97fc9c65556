import numpy as np
import pytest

from driftline.dependence import measure_information, soften
from driftline.shares import fit_share, stack


def tabulate(rows: int, share: float, seed: int, *, tilt: float = 0.0) -> np.ndarray:
    """A table of a value by its prediction, a share of whose values come from other rows."""
    rng = np.random.default_rng(seed)
    value = rng.normal(tilt, 1, rows)
    predicted = value + rng.normal(0, 0.5, rows)
    hit = rng.random(rows) < share
    value = np.where(hit, rng.permutation(value), value)
    edges = np.linspace(-1.2, 1.2, 6)
    table = np.zeros((7, 7))
    np.add.at(table, (np.digitize(predicted, edges), np.digitize(value, edges)), 1)
    return table


REFERENCE = stack([soften(tabulate(20_000, 0.0, 0))])


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_the_broken_share_is_found(share: float) -> None:
    fit = fit_share(REFERENCE, stack([tabulate(5000, share, 1)]))

    assert fit.share[0] == pytest.approx(share, abs=0.06)


def test_a_moved_column_has_lost_nothing() -> None:
    window = stack([tabulate(5000, 0.0, 1, tilt=0.8)])

    assert fit_share(REFERENCE, window).share[0] < 0.08


def test_a_fit_with_more_freedom_is_no_worse() -> None:
    window = stack([tabulate(500, 0.4, 1)])

    free, held = fit_share(REFERENCE, window), fit_share(REFERENCE, window, share=0.1)

    assert free.likelihood[0] > held.likelihood[0]


def test_information_is_nothing_without_a_relation() -> None:
    assert measure_information(np.outer([1.0, 2.0], [3.0, 4.0])) == pytest.approx(0)
    assert measure_information(np.eye(2)) == pytest.approx(np.log(2))

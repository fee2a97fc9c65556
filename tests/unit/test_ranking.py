import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.metrics import Scored, compute_metrics, weighted_metric
from driftline.ranking import compare_ranking


def pair(rows: int, seed: int, *, digits: int = 8) -> tuple[Scored, Scored]:
    rng = np.random.default_rng(seed)
    y = np.arange(rows) % 3 // 2
    common = rng.normal(size=rows)
    scores = [1.2 * y + common + rng.normal(size=rows), y + common + rng.normal(size=rows)]
    shares = [np.round(1 / (1 + np.exp(-each)), digits) for each in scores]
    both = [np.column_stack([1 - p, p]) for p in shares]
    one, other = (Scored(y, p, p.argmax(axis=1), positive=1, threshold=0.5) for p in both)
    return one, other


@pytest.mark.parametrize("metric", ["roc_auc", "pr_auc"])
@given(rows=st.integers(7, 60), seed=st.integers(0, 999), digits=st.integers(1, 8))
def test_the_difference_is_that_of_the_figures(
    metric: str, rows: int, seed: int, digits: int
) -> None:
    one, other = pair(rows, seed, digits=digits)

    compared = compare_ranking(one, other, metric)

    assert compared is not None
    gap = compute_metrics(one)[metric] - compute_metrics(other)[metric]
    assert compared[0] == pytest.approx(gap, abs=1e-12)


@pytest.mark.parametrize("digits", [1, 8])
@pytest.mark.parametrize("metric", ["roc_auc", "pr_auc"])
def test_the_standard_error_is_what_redrawn_rows_show(metric: str, digits: int) -> None:
    one, other = pair(900, 1, digits=digits)
    rng = np.random.default_rng(2)
    weights = np.zeros((600, 900))
    for k in (0, 1):
        rows = np.flatnonzero(one.y == k)
        shares = np.full(len(rows), 1 / len(rows))
        weights[:, rows] = rng.multinomial(len(rows), shares, size=600)

    compared = compare_ranking(one, other, metric)
    redrawn = weighted_metric(one, weights, metric) - weighted_metric(other, weights, metric)

    assert compared is not None
    assert compared[1] == pytest.approx(redrawn.std(), rel=0.1)


def test_the_area_is_delongs_by_its_definition() -> None:
    """Variance of placements over all pairs, as the paper writes it before any shortcut."""
    one, other = pair(30, 3, digits=1)
    placements = []
    for each in (one, other):
        p = each.probabilities[:, 1]
        wins = (p[each.y == 1][:, None] > p[each.y == 0]) + 0.5 * (
            p[each.y == 1][:, None] == p[each.y == 0]
        )
        placements.append((wins.mean(axis=1), wins.mean(axis=0)))
    gaps = [first - second for first, second in zip(*placements, strict=True)]
    variance = sum(gap.var(ddof=1) / len(gap) for gap in gaps)

    compared = compare_ranking(one, other, "roc_auc")

    assert compared is not None
    assert compared[1] == pytest.approx(np.sqrt(variance))


def test_a_class_that_hardly_occurs_is_left_out_of_the_mean() -> None:
    rng = np.random.default_rng(0)
    y = np.r_[np.arange(60) % 2, 2]
    odds = rng.normal(size=(61, 3)) + np.eye(3)[y]
    p = np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)
    one = Scored(y, p, p.argmax(axis=1), positive=None, threshold=None)
    blind = Scored(y, np.full((61, 3), 1 / 3), y, positive=None, threshold=None)

    compared = compare_ranking(one, blind, "roc_auc")

    assert compared is not None
    assert np.isfinite(compared).all()

"""How columns go together: rank correlations that change though no column need change."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftline.problem import Problem

Floats = NDArray[np.float64]

MOST_ROWS: Final = 20_000  # a side, evenly spaced: their noise is far below any bound
LEAST_ROWS: Final = 20  # with both values
_LIMIT: Final = 0.999_999  # of a correlation: beyond it Fisher's z has no end


@dataclass(frozen=True)
class RelationChange:
    """How the rank correlation of two columns changed.

    `effect` is the distance of Fisher's z (Cohen's q); `bound` and `noise` are in its units.
    """

    columns: tuple[str, str]
    before: float
    now: float
    effect: float
    bound: float
    noise: float

    @property
    def has_changed(self) -> bool:
        """Whether it changed by more than the policy allows and noise explains."""
        return self.effect >= self.bound and self.effect > self.noise


@dataclass(frozen=True)
class _Ranks:
    """Rank correlations of all pairs, their standard errors on z, and rows per pair."""

    correlations: Floats
    errors: Floats
    rows: Floats


def measure_relations(
    reference: pd.DataFrame, current: pd.DataFrame, problem: Problem
) -> list[RelationChange]:
    """The change of each pair's rank correlation, the largest first; pairs without one left out.

    Numbers, ordered categories and those of two values have ranks. The noise level holds for all
    pairs together (Bonferroni, `false_alarms`, by Student's t). Of two standard errors of z the
    larger is taken: the one for ranks of normal columns, and the one by influence, which holds with
    ties and tails.
    Sources: Fisher, Metron 1 (1921) 3-32 (z); Bonett and Wright, Psychometrika 65 (2000) 23-28
    (ranks); Devlin, Gnanadesikan and Kettenring, Biometrika 62 (1975) 531-545 (influence); Cohen,
    Statistical Power Analysis (1988), chapter 4 (q).
    """
    from scipy.stats import t

    names = [name for name in problem.columns if _has_ranks(problem, name)]
    before, now = (_correlate(_as_matrix(side, names, problem)) for side in (reference, current))
    policy = problem.drift
    usable = np.minimum(before.rows, now.rows) >= LEAST_ROWS
    usable &= np.isfinite(before.correlations) & np.isfinite(now.correlations)
    pairs = np.argwhere(np.triu(usable, k=1))
    if not len(pairs):
        return []
    fewest = np.maximum(np.minimum(before.rows, now.rows), LEAST_ROWS)
    reach = t.isf(policy.false_alarms / (2 * len(pairs)), fewest - 3)
    effects = np.abs(_fisher(before.correlations) - _fisher(now.correlations))
    noise = reach * np.hypot(before.errors, now.errors)
    changes = [
        RelationChange(
            (names[i], names[j]),
            float(before.correlations[i, j]),
            float(now.correlations[i, j]),
            float(effects[i, j]),
            policy.relation_effect,
            float(noise[i, j]),
        )
        for i, j in pairs
    ]
    return sorted(changes, key=lambda change: change.effect, reverse=True)


def group_by_column(
    changes: Sequence[RelationChange],
) -> list[tuple[str, tuple[RelationChange, ...]]]:
    """Changed relations under the columns that have the most of them, each told once."""
    left, groups = [change for change in changes if change.has_changed], []
    while left:
        named = list(chain.from_iterable(change.columns for change in left))
        hub = max(dict.fromkeys(named), key=named.count)
        groups.append((hub, tuple(change for change in left if hub in change.columns)))
        left = [change for change in left if hub not in change.columns]
    return groups


def thin(table: pd.DataFrame, most: int) -> pd.DataFrame:
    """At most so many rows, evenly spaced over the table."""
    if len(table) <= most:
        return table
    return table.iloc[np.linspace(0, len(table) - 1, most).round().astype(np.int64)]


def _has_ranks(problem: Problem, name: str) -> bool:
    column = problem.columns[name]
    return column.kind != "category" or column.ordered or len(column.categories) == 2  # noqa: PLR2004


def _as_matrix(table: pd.DataFrame, names: Sequence[str], problem: Problem) -> Floats:
    thinned = thin(table, MOST_ROWS)
    columns = []
    for name in names:
        values, categories = thinned[name], problem.columns[name].categories
        if categories:
            codes = pd.Categorical(values, categories=list(categories)).codes
            values = pd.Series(np.where(codes < 0, np.nan, codes))
        numbers = pd.Series(values.to_numpy(dtype=np.float64, na_value=np.nan))
        columns.append(numbers.rank().to_numpy())
    return np.column_stack(columns) if columns else np.zeros((len(thinned), 0))


def _correlate(ranks: Floats) -> _Ranks:
    """Pearson's correlation of ranks over the rows where both are known."""
    known = np.isfinite(ranks)
    is_known = known.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = np.where(known, ranks, 0).sum(axis=0) / known.sum(axis=0)
        u = np.where(known, ranks - middle, 0.0)
        u = np.nan_to_num(u / np.sqrt((u**2).sum(axis=0) / known.sum(axis=0)))
        rows = is_known.T @ is_known
        sums, squares = (
            u.T @ is_known,
            (u**2).T @ is_known,
        )  # of one column where the other is known
        spread = squares / rows - (sums / rows) ** 2
        r = (u.T @ u / rows - sums * sums.T / rows**2) / np.sqrt(spread * spread.T)
        second, third = (u**2).T @ u**2 / rows, (u**3).T @ u / rows
        fourth = (u**4).T @ is_known / rows
        influence = second - r * (third + third.T) + r**2 / 4 * (fourth + fourth.T + 2 * second)
        by_influence = influence / (1 - np.minimum(r**2, _LIMIT)) ** 2 / rows
        by_ranks = (1 + r**2 / 2) / np.maximum(rows - 3, 1)
    return _Ranks(r, np.sqrt(np.fmax(by_influence, by_ranks)), rows)


def _fisher(correlations: Floats) -> Floats:
    return np.asarray(np.arctanh(np.clip(correlations, -_LIMIT, _LIMIT)))

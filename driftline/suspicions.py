"""What a window's column shows on its own that no real change of the people would.

Each test gives the evidence in nats against the best explanation by a change of people, and the
share of the rows that is left unexplained.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np

from driftline.explanations import find_shift, find_unit
from driftline.marginals import CategoryColumn, Codes, Column, Floats, NumberColumn, is_on_grid
from driftline.tilts import MOST_MOVED, excess_evidence, raise_odds, tilt_to_mean

Kind = Literal[
    "record",
    "missing",
    "unit",
    "stuck",
    "rounded",
    "level",
    "foreign",
    "relation",
    "concentrated",
    "gone",
]
WHOLE: Final = ""  # in place of a column, where whole records are broken
FLOOR: Final = 0.05  # of a window that a few odd people may be
TAIL_ODDS: Final = 4.0
THIRD: Final = 0.34  # a tail of at most so many people may become the whole window
LEAST_THIRD: Final = 0.05
LEEWAY: Final = 1.3
LOCAL_ODDS: Final = 3.0  # of one value against its neighbours
VALUE_ODDS: Final = 10.0
LEVEL_ODDS: Final = 20.0
ROUND_ODDS: Final = 3.0  # large values may be written with fewer digits
LOST_ODDS: Final = 3.0
CERTAIN: Final = 4.6  # nats per row whose undone value fits where one of a hundred would by chance


@dataclass(frozen=True)
class Suspicion:
    """Evidence (nats) that a share of a column's rows is broken; `detail` names the change."""

    column: str
    kind: Kind
    evidence: float
    share: float
    detail: str = ""


def suspect_column(column: Column, values: Any, codes: Codes, weight: float) -> Iterator[Suspicion]:
    """All that a column shows on its own.

    `values` are its values as read, `codes` their bins, `weight` is the effective rows per row.
    """
    window = np.bincount(codes, minlength=len(column.counts)).astype(np.float64)
    yield _suspect_missing(column, window, weight)
    if column.is_constant or not window[:-1].sum():
        return
    if isinstance(column, CategoryColumn):
        yield _suspect_level(column, window, weight)
        return
    present = values[~np.isnan(values)]
    yield from suspect_tails(column, window, weight)
    yield _suspect_neighbours(column, window, weight)
    yield _suspect_offset(column, present, weight)
    if not column.is_discrete:
        yield _suspect_value(column, present, weight)
    yield from _suspect_rounding(column, present, weight)
    change = find_unit(column, present)
    if change is not None:
        share = change.count / len(values)
        yield Suspicion(column.name, "unit", CERTAIN * change.count * weight, share, change.text)


def suspect_tails(
    column: NumberColumn, window: Floats, weight: float, most_moved: float = MOST_MOVED
) -> Iterator[Suspicion]:
    """More rows at or beyond an end of the reference than a tilt and a sub-population explain."""
    counts, window = column.counts[:-1], window[:-1]
    total, rows = counts.sum(), window.sum()
    tilted = _tilt(column, window, most_moved)
    for step in (1, -1):
        before, gained, now = (np.cumsum(x[::step])[:-1] for x in (counts, tilted, window))
        growth = np.where(before > 0, gained * total / np.maximum(before, 1), 1.0)
        base = (before + 1.5) / (total + 3) * np.maximum(growth, 1.0)
        most = np.maximum(raise_odds(np.minimum(base, 1.0), TAIL_ODDS), FLOOR)
        third = max(float((before / total)[before <= THIRD * total].max()), LEAST_THIRD)
        most = np.maximum(most, np.minimum(LEEWAY * before / total / third, 1.0))
        yield _strongest(column, "foreign", now, rows, most, weight)


def _tilt(column: NumberColumn, window: Floats, most_moved: float = MOST_MOVED) -> Floats:
    shares = column.counts[:-1] / column.counts[:-1].sum()
    mean = float(window @ column.centres / window.sum())
    return tilt_to_mean(shares, column.centres, mean, most=most_moved)


def _suspect_neighbours(column: NumberColumn, window: Floats, weight: float) -> Suspicion:
    """One bin that gained far more than its neighbours did: a tilt is smooth."""
    counts, window = column.counts[:-1], window[:-1]
    total, rows = counts.sum(), window.sum()
    shares = counts / total
    growth = window / rows / np.maximum(shares, 0.5 / total)
    near = np.maximum(np.r_[0.0, growth[:-1]], np.r_[growth[1:], 0.0])
    tilt = _tilt(column, window) / np.maximum(shares, 1e-12)
    near = np.maximum(np.maximum(near, tilt), 1.0)
    base = np.minimum((counts + 1.5) / (total + 3) * near, 1.0)
    most = np.maximum(raise_odds(base, LOCAL_ODDS), FLOOR)
    found = _strongest(column, "stuck", window, rows, most, weight)
    is_beyond = found.evidence and np.argmax(window / most) in (0, len(window) - 1)
    return replace(found, kind="foreign") if is_beyond else found


def _suspect_offset(column: NumberColumn, present: Floats, weight: float) -> Suspicion:
    """All values moved alike, and their mean by more than that of any third of the people.

    The evidence is Chernoff's of a normal mean. A share p of the people has a mean at most the
    root of (1 - p) / p deviations away, which is 1.41 of a third.
    """
    excess = abs(float(present.mean()) - column.mean) / column.spread - MOST_MOVED
    if excess <= 0 or find_shift(column, present) is None:
        return Suspicion(column.name, "foreign", 0.0, 0.0)
    return Suspicion(column.name, "foreign", weight * len(present) * excess**2 / 2, 1.0)


def _suspect_value(column: NumberColumn, present: Floats, weight: float) -> Suspicion:
    unique, counts = np.unique(present, return_counts=True)
    top = int(np.argmax(counts))
    before = float(np.count_nonzero(column.ordered == unique[top]))
    base = (before + 1.5) / (len(column.ordered) + 3)
    most = np.atleast_1d(FLOOR + raise_odds(base, VALUE_ODDS))
    now = np.atleast_1d(counts[top]).astype(np.float64)
    return _strongest(column, "stuck", now, len(present), most, weight)


def _suspect_rounding(column: NumberColumn, present: Floats, weight: float) -> Iterator[Suspicion]:
    for step, before in column.steps:
        base = (before + 3) / (len(column.ordered) + 5)
        most = np.atleast_1d(raise_odds(base, ROUND_ODDS))
        now = np.atleast_1d(is_on_grid(present, step).sum()).astype(np.float64)
        yield _strongest(column, "rounded", now, len(present), most, weight)


def _suspect_missing(column: Column, window: Floats, weight: float) -> Suspicion:
    total, rows = column.counts.sum(), window.sum()
    odds = LEVEL_ODDS / 2 if isinstance(column, CategoryColumn) else LOST_ODDS
    most = np.atleast_1d(raise_odds((column.counts[-1] + 1.5) / (total + 3), odds))
    found = _strongest(column, "missing", window[-1:], rows, most, weight)
    lost = float(window[-1] / rows - column.counts[-1] / total)
    return Suspicion(column.name, "missing", found.evidence, lost)


def _suspect_level(column: CategoryColumn, window: Floats, weight: float) -> Suspicion:
    counts, window = column.counts[:-1], window[:-1]
    total, rows = counts.sum(), window.sum()
    most = raise_odds((counts + 1.5) / (total + 3), LEVEL_ODDS)
    most = np.maximum(np.maximum(most, LEVEL_ODDS / 2 * counts / total), FLOOR)
    return _strongest(column, "level", window, rows, most, weight)


def _strongest(
    column: Column, kind: Kind, now: Floats, rows: float, most: Floats, weight: float
) -> Suspicion:
    """The region whose rows exceed the most that is sound by the most evidence."""
    evidence = excess_evidence(now * weight, rows * weight, most)
    best = int(np.argmax(evidence))
    share = float(now[best] / max(rows, 1) - most[best])
    return Suspicion(column.name, kind, float(evidence[best]), share)

"""By how much inputs, and the answers to them, have changed.

A change counts when its effect size passes the problem's policy *and* exceeds what a random
re-division of the same rows would show: large tables flag trifles by significance alone, small
ones flag noise by effect alone. Every row is counted; none is drawn.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftline.counting import Counts, make_grid
from driftline.problem import DriftPolicy, Problem

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST_DRAWS: Final = 500
LEAST_SPREAD: Final = 0.1  # of the deviation that an outcome has at its rate
TAIL: Final = 0.01  # of the rows on either side that no distance is measured by
ROUNDING: Final = 1e-9  # of a mean: a deviation below it is rounding


@dataclass(frozen=True)
class ColumnChange:
    """How one column changed: its effect size, the policy's bound for it, and the noise level.

    `missing` is by how much the share of rows without a value has grown; whether that is a fault is
    judged by `driftline.faults`.
    """

    column: str
    measure: str
    effect: float
    bound: float
    noise: float
    missing: float

    @property
    def has_drifted(self) -> bool:
        """Whether the values changed by more than the policy allows and noise explains."""
        return self.effect >= self.bound and self.effect > self.noise


@dataclass(frozen=True)
class Pair:
    """A column's counts before and now, on one grid; `places` is None where bins have no order.

    A deviation below `least_spread` counts as that: what hardly varies changes by nothing much.
    """

    before: Counts
    now: Counts
    bound: float
    is_ordered: bool
    least_spread: float = 0.0

    @property
    def places(self) -> Floats | None:
        """Where the rows of each bin lie on average, empty bins with their neighbours'."""
        if not self.is_ordered:
            return None
        both = self.before + self.now
        filled = np.flatnonzero(both.rows)
        means = both.sums[filled] / both.rows[filled]
        return np.asarray(np.interp(np.arange(len(both.rows)), filled, means))

    @property
    def is_comparable(self) -> bool:
        """Whether both sides have any value."""
        return self.before.known > 0 and self.now.known > 0


def measure_changes(
    reference: pd.DataFrame, current: pd.DataFrame, problem: Problem, *, seed: int
) -> list[ColumnChange]:
    """Effect size of each declared column over all rows, the largest first.

    Numbers: Wasserstein distance in reference standard deviations (the shift of the mean, were it
    one), without the outermost hundredths. Categories: total variation distance.
    """
    policy = problem.drift
    pairs = {}
    for name, spec in problem.columns.items():
        grid = make_grid(reference[name], spec.categories)
        pairs[name] = Pair(
            grid.count(reference[name]),
            grid.count(current[name]),
            policy.category_effect if spec.categories else policy.numeric_effect,
            is_ordered=not spec.categories,
        )
    return compare_counts(pairs, policy, seed=seed)


def measure_answers(
    before: Floats, now: Floats, classes: Sequence[str], policy: DriftPolicy, *, seed: int
) -> list[ColumnChange]:
    """Effect size of each class's probability; of two classes one tells all.

    `before` are answers to rows that their models had not seen, (rows, classes) as `now`.
    Probabilities that hardly vary are measured by LEAST_SPREAD of the outcome's own deviation: by
    so much models of a fold and the one of all rows differ where there is little to know.
    """
    pairs = {}
    for k, name in enumerate(classes):
        if len(classes) == 2 and k == 0:  # noqa: PLR2004 - the other class tells the same
            continue
        then, today = pd.Series(before[:, k]), pd.Series(now[:, k])
        grid = make_grid(then)
        rate = float(then.mean())
        pairs[name] = Pair(
            grid.count(then),
            grid.count(today),
            policy.numeric_effect,
            is_ordered=True,
            least_spread=LEAST_SPREAD * np.sqrt(rate * (1 - rate)) if len(classes) > 1 else 0.0,
        )
    return compare_counts(pairs, policy, seed=seed)


def compare_counts(
    pairs: Mapping[str, Pair], policy: DriftPolicy, *, seed: int
) -> list[ColumnChange]:
    """The change of each column, with one noise level for the whole family, the largest first."""
    noise = _family_noise([p for p in pairs.values() if p.is_comparable], policy, seed=seed)
    changes = [
        ColumnChange(
            column=name,
            measure="Wasserstein / sd" if pair.is_ordered else "total variation",
            effect=float(_effects(pair, pair.now.rows[None])[0]) if pair.is_comparable else 0.0,
            bound=pair.bound,
            noise=noise * pair.bound,
            missing=pair.now.missing_share - pair.before.missing_share,
        )
        for name, pair in pairs.items()
    ]
    return sorted(changes, key=lambda change: change.effect / change.bound, reverse=True)


def _family_noise(pairs: Sequence[Pair], policy: DriftPolicy, *, seed: int) -> float:
    """The largest effect in units of its bound that chance shows, but for `false_alarms`.

    Each column's rows are parted anew at random: the counts of one side are hypergeometric, which
    is the permutation test without the rows. Columns are drawn apart. Where they hang together the
    largest of them is smaller than that, so the level holds for them too (Royen, Far East Journal
    of Theoretical Statistics 48 (2014) 139-145: the Gaussian correlation inequality). Of the
    draws that order statistic is taken which keeps the level exactly.
    Sources: Westfall and Young, Resampling-Based Multiple Testing (1993), for the maximum; Phipson
    and Smyth, Statistical Applications in Genetics and Molecular Biology 9 (2010), for the level.
    """
    rng = np.random.default_rng(seed)
    draws = max(LEAST_DRAWS, round(5 / policy.false_alarms))
    largest = np.zeros(draws)
    for pair in pairs:
        both = pair.before.rows + pair.now.rows
        now = rng.multivariate_hypergeometric(both, pair.now.known, size=draws)
        largest = np.maximum(largest, _effects(pair, now) / pair.bound)
    place = math.ceil((1 - policy.false_alarms) * (draws + 1))
    return float(np.sort(largest)[place - 1])


def _effects(pair: Pair, now: Ints) -> Floats:
    """The effect of each division of the pair's rows, `now` being (divisions, bins)."""
    before = (pair.before.rows + pair.now.rows) - now
    then, today = before / pair.before.known, now / pair.now.known
    places = pair.places
    if places is None:
        return np.asarray(np.abs(then - today).sum(axis=1) / 2)
    middle = float(np.median(places))
    mean = then @ (places - middle)
    spread = np.sqrt(np.maximum(then @ (places - middle) ** 2 - mean**2, 0.0))
    scale = np.abs(middle + mean)
    # a constant column: its deviation is what floats leave over
    spread = np.where(spread > ROUNDING * scale, spread, np.where(scale > 0, scale, 1.0))
    spread = np.maximum(spread, pair.least_spread)
    gaps = np.abs(_reached(then) - _reached(today))[:, :-1]
    return np.asarray(gaps @ np.diff(places) / (1 - 2 * TAIL) / spread)


def _reached(shares: Floats) -> Floats:
    """Cumulative shares without their tails: a distance between them is one between quantiles."""
    return np.clip(np.cumsum(shares, axis=1), TAIL, 1 - TAIL)

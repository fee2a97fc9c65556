"""A column's values as counts over a grid: what is judged of many rows, however they arrive.

Counts of two pieces add up to the counts of both, so that rows never have to lie together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GRID_ROWS: Final = 50_000  # that say where a grid is fine; all rows are counted on it
_QUANTILES: Final = np.linspace(0, 1, 65)
_STEPS: Final = np.arange(-32, 33) / 8  # in deviations about the middle
_REACH: Final = 4 * 1.5 ** np.arange(1, 11)


@dataclass(frozen=True)
class Counts:
    """Rows per bin and the sum of their values, and how many rows have no value."""

    rows: Ints
    sums: Floats
    missing: int

    def __add__(self, other: "Counts") -> "Counts":
        """The counts of the rows of both."""
        return Counts(self.rows + other.rows, self.sums + other.sums, self.missing + other.missing)

    @property
    def known(self) -> int:
        """How many rows have a value."""
        return int(self.rows.sum())

    @property
    def missing_share(self) -> float:
        """The share of rows without a value."""
        return self.missing / max(self.known + self.missing, 1)


@dataclass(frozen=True)
class NumberGrid:
    """Edges between the bins of a number; a value on an edge lies below it."""

    edges: Floats

    def count(self, values: pd.Series) -> Counts:
        """Count a piece's values."""
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        ordered = np.sort(numbers)  # nan comes last
        known = len(ordered) - int(np.isnan(numbers).sum())
        cuts = np.r_[0, np.searchsorted(ordered[:known], self.edges, side="right"), known]
        rows = np.diff(cuts)
        sums = np.zeros(len(rows))
        filled = rows > 0
        if known:
            sums[filled] = np.add.reduceat(ordered[:known], cuts[:-1][filled])
        return Counts(rows, sums, len(ordered) - known)


@dataclass(frozen=True)
class CategoryGrid:
    """One bin for each declared category, and one for all others."""

    categories: tuple[str, ...]

    def count(self, values: pd.Series) -> Counts:
        """Count a piece's values."""
        codes = pd.Categorical(values, categories=list(self.categories)).codes
        rows = np.bincount(codes[codes >= 0], minlength=len(self.categories) + 1)
        missing = int(values.isna().sum())
        rows[-1] = len(codes) - missing - rows.sum()
        return Counts(rows, np.zeros(len(rows)), missing)


def make_grid(values: pd.Series, categories: Sequence[str] = ()) -> NumberGrid | CategoryGrid:
    """A grid that is fine where the reference's values lie, and reaches far beyond them.

    Bins are at most an 8th of a deviation wide up to 4 deviations from the middle, and hold at most
    a 64th of other rows. Categories need no values.
    """
    if categories:
        return CategoryGrid(tuple(categories))
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    thinned = numbers[:: max(1, -(-len(numbers) // GRID_ROWS))]
    thinned = thinned[~np.isnan(thinned)]
    if not len(thinned):
        return NumberGrid(np.zeros(1))
    middle, spread = float(np.median(thinned)), float(thinned.std())
    spread = spread or abs(middle) or 1.0
    beyond = np.r_[-_REACH[::-1], _REACH]
    places = np.r_[np.quantile(thinned, _QUANTILES), middle + spread * np.r_[_STEPS, beyond]]
    return NumberGrid(np.unique(places))

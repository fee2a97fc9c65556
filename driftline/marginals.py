"""What each column of the reference looks like on its own: bins, levels, grid and scores.

A number is put into quantile bins (one per value where there are few), with a bin of its own on
either side for values beyond all that the reference holds; a category into its levels, with one for
unknown levels. Missing values have the last code.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
MOST_ATOMS: Final = 40  # a column of no more values has one bin for each
BINS: Final = 40
TAILS: Final = (0.005, 0.01, 0.99, 0.995)
LEAST_FINE: Final = 20  # values of a column that can be rounded
MOST_ROUND: Final = 0.35  # of the rows already on a step
BEYOND: Final = 0.25  # deviations outside the reference's range from which a value is foreign
MOST_SCORE: Final = 3.5


@dataclass(frozen=True)
class NumberColumn:
    """A number: `edges` part the bins, `counts` are the reference's rows per bin, missing last.

    `ordered` are the reference's values, smallest first; `knots` and `scores` map a value to its
    normal score; `centres` are the bins' mean values in reference deviations; `steps` are decimal
    steps that few values are multiples of, with their number.
    """

    name: str
    edges: Floats
    counts: Floats
    ordered: Floats
    centres: Floats
    knots: Floats
    scores: Floats
    mean: float
    spread: float
    grid: float | None
    steps: tuple[tuple[float, float], ...]

    @property
    def is_constant(self) -> bool:
        """Whether the reference holds one value only."""
        return self.spread == 0

    @property
    def is_discrete(self) -> bool:
        """Whether each value has a bin of its own."""
        return len(self.counts) <= MOST_ATOMS + 3

    def read(self, values: pd.Series) -> Floats:
        """The values as floats, NaN where missing."""
        return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))

    def encode(self, values: Any) -> Codes:
        """The bin of each value."""
        codes = np.searchsorted(self.edges, values, side="right")
        codes[np.isnan(values)] = len(self.counts) - 1
        return np.asarray(codes, dtype=np.int64)

    def score(self, values: Any) -> Floats:
        """Normal scores: how the value ranks in the reference, as a standard normal deviate."""
        scores = np.interp(values, self.knots, self.scores)
        return np.where(np.isnan(values), 0.0, scores)


@dataclass(frozen=True)
class CategoryColumn:
    """A category: `counts` are the reference's rows per level, then unknown ones, then missing."""

    name: str
    levels: pd.Index
    counts: Floats

    @property
    def is_constant(self) -> bool:
        """Whether the reference holds one level only."""
        return len(self.levels) < 2  # noqa: PLR2004 - one level

    def read(self, values: pd.Series) -> pd.Series:
        """The values as they are."""
        return values

    def encode(self, values: Any) -> Codes:
        """The place of each value's level."""
        places, found = pd.factorize(values)
        known = self.levels.get_indexer(pd.Index(found, dtype=object))
        known = np.where(known < 0, len(self.levels), known)
        return np.append(known, len(self.levels) + 1)[places]


Column = NumberColumn | CategoryColumn


def model_column(name: str, values: pd.Series, *, is_category: bool) -> Column:
    """The model of one column of the reference."""
    return _model_category(name, values) if is_category else _model_number(name, values)


def _model_category(name: str, values: pd.Series) -> CategoryColumn:
    shares = values.value_counts()
    counts = np.r_[shares.to_numpy(dtype=float), 0.0, float(values.isna().sum())]
    return CategoryColumn(name, pd.Index(shares.index, dtype=object), counts)


def _model_number(name: str, raw: pd.Series) -> NumberColumn:
    values = raw.to_numpy(dtype=np.float64, na_value=np.nan)
    present = np.sort(values[np.isfinite(values)])
    if not len(present):
        present = np.zeros(1)
    mean, spread = float(present.mean()), float(present.std())
    spread = 0.0 if spread <= 1e-9 * max(abs(mean), 1e-300) else spread
    edges = _edges(present, spread)
    codes = np.searchsorted(edges, present, side="right")
    counts = np.bincount(codes, minlength=len(edges) + 1).astype(float)
    counts *= np.isfinite(values).any()
    sums = np.bincount(codes, weights=present, minlength=len(edges) + 1)
    middles = np.where(counts > 0, sums / np.maximum(counts, 1), 0.0)
    middles[0] = min(middles[1], edges[0])
    middles[-1] = max(middles[-2], edges[-1])
    knots, scores = _normal_scores(present)
    return NumberColumn(
        name=name,
        edges=edges,
        counts=np.r_[counts, float(np.isnan(values).sum())],
        ordered=present,
        centres=(middles - mean) / (spread or 1.0),
        knots=knots,
        scores=scores,
        mean=mean,
        spread=spread,
        grid=find_grid(present),
        steps=_coarse_steps(present, spread),
    )


def _edges(present: Floats, spread: float) -> Floats:
    unique = np.unique(present)
    if len(unique) <= MOST_ATOMS:
        inner = (unique[1:] + unique[:-1]) / 2
    else:
        at = np.r_[TAILS[:2], np.arange(1, BINS) / BINS, TAILS[2:]]
        inner = np.unique(np.quantile(present, np.sort(at)))
        inner = inner[(inner > unique[0]) & (inner < unique[-1])]
    low, high = unique[0], unique[-1]
    margin = BEYOND * spread or max(abs(low), 1.0) * 1e-6
    lowest = low - margin
    if low > 0:
        lowest = max(lowest, low * np.exp(-np.log(unique / low).std() - 0.1))
    return np.asarray(np.r_[lowest, inner, high + margin], dtype=np.float64)


def _normal_scores(present: Floats) -> tuple[Floats, Floats]:
    """Knots and their normal scores; equal values share the middle of their ranks."""
    at = np.unique(np.quantile(present, np.linspace(0, 1, 201), method="nearest"))
    low = np.searchsorted(present, at, side="left")
    high = np.searchsorted(present, at, side="right")
    share = (low + high) / (2 * len(present))
    return at, np.clip(ndtri(share), -MOST_SCORE, MOST_SCORE)


def find_grid(values: Floats) -> float | None:
    """The decimal step that all values are multiples of, where there is one."""
    spread = float(values.std())
    for digits in range(7):
        step = 10.0**-digits
        if spread > 0 and spread / step > 1e4:  # noqa: PLR2004 - finer steps tell nothing
            return None
        if is_on_grid(values, step).all():
            return step
    return None


def is_on_grid(values: Floats, step: float) -> NDArray[np.bool_]:
    """Which values are multiples of the step, but for float32's rounding."""
    ratio = values / step
    return np.asarray(np.abs(ratio - np.round(ratio)) <= 1e-6 * np.maximum(np.abs(ratio), 1.0))


def _coarse_steps(present: Floats, spread: float) -> tuple[tuple[float, float], ...]:
    """Decimal steps near the deviation, with the reference's rows that are multiples of them."""
    if len(np.unique(present)) < LEAST_FINE or not spread:
        return ()
    power = int(np.floor(np.log10(spread)))
    steps = [10.0**k for k in (power - 1, power, power + 1)]
    shares = [(step, float(is_on_grid(present, step).sum())) for step in steps]
    return tuple((step, n) for step, n in shares if n <= MOST_ROUND * len(present))

"""What may have happened to a column: another unit, a logarithm, a code, a value that got stuck.

Names are for people; whether a window is broken at all is decided elsewhere.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from driftline.marginals import Column, Floats, NumberColumn, is_on_grid
from driftline.tilts import MOST_MOVED

if TYPE_CHECKING:
    from driftline.suspicions import Suspicion

LEAST_ROWS: Final = 6
LEAST_SHARE: Final = 0.05
FITTING: Final = 0.95  # of the odd values have to be explained
NEAR: Final = 1e-3  # steps of the grid
LARGEST_MISFIT: Final = 0.5  # of the rescaled values, in reference deviations
LARGEST_SHIFT_MISFIT: Final = 0.25
SURE_SHIFT_MISFIT: Final = 0.08  # of however many rows; of few, chance adds to it
SHIFT_NOISE: Final = 1.25  # deviations, over the root of the rows
SHIFT_GAIN: Final = 0.7  # a shift has to misfit by so much less than a factor or a mirror
LEAST_SHIFT: Final = 0.3  # deviations
MOST_SHIFT: Final = 5.0
NEARLY_SAME: Final = 0.1  # in logarithms: a usual unit is told rather than the medians' factor
LEAST_FACTOR: Final = 1.2
ALL: Final = 0.995
UNITS: Final = (
    *(1e-6, 1e-3, 0.01, 0.0113, 0.0259, 0.0555, 0.1, 0.3937, 0.4536),
    *(2.20462, 2.54, 10.0, 18.0182, 38.67, 88.42, 100.0, 1e3, 1e6),
)
_AT = np.linspace(0.05, 0.95, 19)
RELATIONAL: Final = ("relation", "concentrated", "gone")
ORDER: Final = ("record", "missing", "unit", "stuck", "level", "foreign", "rounded", *RELATIONAL)


@dataclass(frozen=True)
class Change:
    """A change that may have been made to so many values, in words."""

    text: str
    count: int


def find_unit(column: NumberColumn, present: Floats) -> Change | None:
    """The change whose undoing puts values back onto the reference's grid and into its range.

    Values off the grid are odd unless one common offset explains all of them.
    """
    if column.grid is None or column.is_constant:
        return None
    odd = present[~is_on_grid(present, column.grid)]
    if len(odd) < max(LEAST_ROWS, LEAST_SHARE * len(present)):
        return None
    rests = np.round(np.mod(odd / column.grid, 1.0), 4)
    if np.unique(rests, return_counts=True)[1].max() > FITTING * len(odd):
        return None
    lowest, highest = column.ordered.min() / column.grid, column.ordered.max() / column.grid
    for text, undo in _list_undoings(odd, column.grid):
        ratio = undo(odd) / column.grid
        fits = np.abs(ratio - np.round(ratio)) <= NEAR
        fits &= (ratio >= lowest - NEAR) & (ratio <= highest + NEAR)
        if fits.mean() >= FITTING:
            return Change(text, len(odd))
    return None


def _list_undoings(odd: Floats, grid: float) -> list[tuple[str, Callable[[Floats], Floats]]]:
    """Usual changes with what undoes them, and factors read off the values' own steps."""
    steps = np.diff(np.unique(odd))
    steps = np.sort(steps[steps > 1e-9 * np.abs(odd).max()])[:3] / grid
    return [
        (another_unit(1.8, " plus 32"), lambda x: (x - 32) / 1.8),
        ("look like logarithms", lambda x: np.exp(np.minimum(x, 700.0))),
        ("look like powers of e", lambda x: np.log(np.maximum(x, 1e-300))),
        *((another_unit(f), lambda x, f=f: x / f) for f in (*UNITS, *map(float, steps))),
    ]


def another_unit(factor: float, more: str = "") -> str:
    """The words for a factor."""
    return f"look like another unit (times {factor:.3g}{more})"


def is_shift(column: NumberColumn, values: Floats) -> bool:
    """Whether all values moved alike, no further than people may differ: they, or a new method."""
    moved = find_shift(column, values)
    return moved is not None and abs(moved) <= MOST_MOVED * column.spread


def find_shift(column: NumberColumn, values: Floats) -> float | None:
    """By how much all values moved alike, as no factor would move them; None where they did not.

    The more rows there are, the better a shift has to fit: another column's values may lie a few
    deviations away and look somewhat alike. What a change of sign explains better is none either.
    """
    present = values[~np.isnan(values)]
    if column.is_constant or not len(present):
        return None
    old, new = np.quantile(column.ordered, _AT), np.quantile(present, _AT)
    moved = float(np.median(present) - np.median(column.ordered))
    if not LEAST_SHIFT <= abs(moved) / column.spread <= MOST_SHIFT:
        return None
    misfit = float(np.abs(new - moved - old).mean()) / column.spread
    factor = _median_factor(column, present)
    other = np.inf if factor is None else _misfit(column, present / factor)
    other = min(other, _misfit(column, -present))
    most = SURE_SHIFT_MISFIT + SHIFT_NOISE / np.sqrt(len(present))
    fits = misfit < min(most, LARGEST_SHIFT_MISFIT) and misfit < SHIFT_GAIN * other
    return moved if fits else None


def _median_factor(column: NumberColumn, present: Floats) -> float | None:
    old, new = float(np.median(column.ordered)), float(np.median(present))
    return new / old if old * new > 0 else None


def _misfit(column: NumberColumn, values: Floats) -> float:
    gap = np.quantile(values, _AT) - np.quantile(column.ordered, _AT)
    return float(np.abs(gap).mean()) / column.spread


def describe_faults(
    found: Sequence["Suspicion"], columns: Sequence[Column], window: pd.DataFrame
) -> tuple[str, ...]:
    """One sentence for each broken column, in the columns' order.

    Where a column is broken on its own, that others no longer fit it goes without saying; else the
    column that fits its rows least is told.
    """
    best: dict[str, Suspicion] = {}
    for each in sorted(found, key=lambda each: (ORDER.index(each.kind), -each.evidence)):
        best.setdefault(each.column, each)
    alone = [each for each in best.values() if each.kind not in RELATIONAL]
    told = alone or sorted(best.values(), key=lambda each: -each.evidence)[:1]
    by_name = {each.column: each for each in told}
    texts = []
    if [each.kind for each in told] == ["record"]:  # rows are alike where columns are broken, too
        texts.append(f"{_rows(told[0].share)} repeat one record")
    for column in columns:
        if column.name in by_name:
            text = _describe(by_name[column.name], column, window[column.name])
            texts.append(f"{column.name}: {text}")
    return tuple(texts)


def _describe(fault: "Suspicion", column: Column, values: pd.Series) -> str:
    present = values.dropna()
    if fault.kind == "missing":
        return f"{fault.share:+.0%} more values missing"
    if len(present) and (present == present.iloc[0]).all():
        return "stuck at one value"
    if fault.kind == "unit":
        return _tell(fault.share, fault.detail)
    if fault.kind in {"foreign", "stuck"} and isinstance(column, NumberColumn):
        return _describe_values(fault, column, column.read(present))
    words = {
        "rounded": "are rounded",
        "level": "have one category that used to be rare",
        "relation": "do not fit the rest of their row (shuffled, swapped or moved?)",
        "concentrated": "have one value that does not fit the rest of their row",
        "gone": "should have a value that is gone, by the rest of their row",
    }
    return _tell(fault.share, words[fault.kind])


def _describe_values(fault: "Suspicion", column: NumberColumn, present: Floats) -> str:
    unique, counts = np.unique(present, return_counts=True)
    if counts.max() >= FITTING * fault.share * len(present) and fault.kind == "stuck":
        return _tell(counts.max() / len(present), "are stuck at one value")
    moved = find_shift(column, present)
    if moved is not None:
        return _tell(1.0, f"have moved by {moved:+.3g}, which no change of people does")
    odd = present[(present < column.edges[0]) | (present >= column.edges[-1])]
    for part in (present, odd):
        factor = _fitting_factor(column, part)
        if factor is not None:
            return _tell(len(part) / len(present), another_unit(factor))
    share = max(fault.share, len(odd) / len(present))
    if len(odd) and counts[unique == odd[0]][0] >= FITTING * len(odd):
        return _tell(share, "hold one code instead of a value")
    return _tell(share, "hold values unlike any before")


def _fitting_factor(column: NumberColumn, part: Floats) -> float | None:
    """The factor that makes values like the reference's: a usual one, or that of the medians."""
    if len(part) < LEAST_ROWS or column.is_constant:
        return None
    factor = _median_factor(column, part)
    if factor is None or max(factor, 1 / factor) < LEAST_FACTOR or factor < 0:
        return None
    usual = [unit for unit in UNITS if abs(np.log(unit / factor)) < NEARLY_SAME]
    for each in (*usual, factor):
        if _misfit(column, part / each) < LARGEST_MISFIT:
            return each
    return None


def _tell(share: float, words: str) -> str:
    if share >= ALL:
        return (
            words.replace("look like", "looks like", 1) if "unit" in words else f"all rows {words}"
        )
    return f"{_rows(share)} {words}"


def _rows(share: float) -> str:
    return f"about {share:.0%} of the rows"

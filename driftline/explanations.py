"""What may have happened to a column's values: another unit, a logarithm, a code, a clip."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from driftline.columns import Floats, NumberColumn, is_on_grid

LEAST_ROWS: Final = 6
LEAST_SHARE: Final = 0.05
FITTING: Final = 0.95  # of the odd values have to be explained
UNITS: Final = (1e-6, 1e-3, 0.01, 0.0113, 0.0259, 0.0555, 0.1, 0.3937, 0.4536, 2.20462, 2.54, 10.0)
UNITS_MORE: Final = (18.0182, 38.67, 88.42, 100.0, 1000.0, 1e6)


@dataclass(frozen=True)
class Undoing:
    """A change that may have been made to values, and what undoes it."""

    text: str
    undo: Callable[[Floats], Floats]


def list_undoings(odd: Floats, grid: float) -> list[Undoing]:
    """Changes that odd values may show: usual ones, and factors read off the values' own steps."""
    made = [
        Undoing("degrees Fahrenheit for Celsius", lambda x: (x - 32) / 1.8),
        Undoing("logarithms", np.exp),
        Undoing("powers of e", lambda x: np.log(np.maximum(x, 1e-300))),
    ]
    steps = np.diff(np.unique(odd))
    steps = np.sort(steps[steps > 1e-9 * np.abs(odd).max()])
    for factor in (*UNITS, *UNITS_MORE, *(steps[:3] / grid)):
        made.append(Undoing(f"times {factor:.3g}", lambda x, f=factor: x / f))
    return made


def find_unit(column: NumberColumn, values: Floats) -> tuple[str, int] | None:
    """The change whose undoing puts values back onto the reference's grid and range.

    Values off the grid are odd unless one common offset explains all of them.
    """
    if column.grid is None or column.is_constant:
        return None
    present = values[~np.isnan(values)]
    rests = np.mod(present / column.grid, 1.0)
    is_odd = ~is_on_grid(present, column.grid)
    if is_odd.sum() < max(LEAST_ROWS, LEAST_SHARE * len(present)):
        return None
    kinds, counts = np.unique(np.round(rests[is_odd], 4), return_counts=True)
    if len(kinds) == 1 or counts.max() > FITTING * is_odd.sum():
        return None
    odd = present[is_odd]
    low, high = column.values[0], column.values[-1]
    for each in list_undoings(odd, column.grid):
        undone = each.undo(odd)
        fits = is_near_grid(undone, column.grid) & (undone >= low) & (undone <= high)
        if fits.mean() >= FITTING:
            return each.text, int(is_odd.sum())
    return None


def is_near_grid(values: Floats, step: float) -> NDArray[np.bool_]:
    """Which values are multiples of the step, but for a thousandth of it."""
    ratio = values / step
    return np.asarray(np.abs(ratio - np.round(ratio)) <= 1e-3)

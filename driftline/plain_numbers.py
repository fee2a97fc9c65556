"""Many records of plain numbers at once, as numbers; whatever is not plain is left to `encode`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftline.fields import FLOAT32_MAX, FieldSpec

EXACT_BELOW = 2.0**53  # from here on a float64 cannot tell every whole number from its neighbour


@dataclass(frozen=True)
class PlainNumbers:
    """What the fields of a problem of plain numbers take, in contract order."""

    names: tuple[str, ...]
    get: Callable[[Mapping[str, Any]], Any]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    whole: NDArray[np.bool_]

    def pick(self, records: Sequence[Mapping[str, Any]]) -> list[Sequence[Any]] | None:
        """The records' values in contract order; None where one has other fields than these."""
        width = len(self.names)
        try:
            rows: list[Sequence[Any]] = [self.get(each) for each in records if len(each) == width]
        except (KeyError, TypeError, AttributeError):
            return None
        return rows if len(rows) == len(records) else None

    def read(self, rows: Sequence[Sequence[Any]]) -> NDArray[np.float64] | None:
        """Rows of values in contract order as a matrix, shape (rows, fields).

        None wherever anything is missing, out of range or of another type.
        """
        kinds = set(map(type, chain.from_iterable(rows)))
        if not kinds <= {int, float}:
            return None
        count = len(rows) * len(self.names)
        try:
            numbers = np.fromiter(chain.from_iterable(rows), np.float64, count)
        except OverflowError:
            return None
        matrix = numbers.reshape(len(rows), len(self.names))
        with np.errstate(invalid="ignore"):
            fits = (matrix >= self.low) & (matrix <= self.high)
            fits &= ~self.whole | (matrix == np.floor(matrix))
            fits &= np.abs(matrix) < EXACT_BELOW
        return matrix if fits.all() else None


def plan_plain_numbers(fields: Sequence[FieldSpec]) -> PlainNumbers | None:
    """How to read such records; None where some field is no plain number."""
    if len(fields) == 1 or any(f.kind in {"category", "date"} or f.missing_codes for f in fields):
        return None
    return PlainNumbers(
        names=tuple(f.name for f in fields),
        get=itemgetter(*(f.name for f in fields)),
        low=np.array([-FLOAT32_MAX if f.low is None else f.low for f in fields]),
        high=np.array([FLOAT32_MAX if f.high is None else f.high for f in fields]),
        whole=np.array([f.kind == "integer" for f in fields]),
    )

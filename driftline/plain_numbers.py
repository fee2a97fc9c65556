"""Many records of plain numbers at once, as numbers; whatever is not plain is left to `encode`."""

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from driftline.fields import FLOAT32_MAX, FieldSpec

EXACT_BELOW = 2.0**53  # from here on a float64 cannot tell every whole number from its neighbour


@dataclass(frozen=True)
class PlainRows(Sequence[Sequence[Any]]):
    """Rows of plain numbers: `values` as they came, one row after another, and as a matrix.

    `kinds` are the types of the values: whole numbers, fractions, or both.
    """

    values: list[Any]
    matrix: NDArray[np.float64]
    kinds: frozenset[type]

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.matrix)

    @overload
    def __getitem__(self, place: int) -> Sequence[Any]: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Sequence[Any]]: ...
    def __getitem__(self, place: int | slice) -> Sequence[Any]:
        """One row's values, or the rows of a slice."""
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        if not 0 <= place < len(self):
            raise IndexError(place)
        width = self.matrix.shape[1]
        return self.values[place * width : (place + 1) * width]

    def find_whole(self) -> list[bool] | None:
        """Which columns came as whole numbers and not as fractions; None where one came as both."""
        width = self.matrix.shape[1]
        if len(self.kinds) < 2:  # noqa: PLR2004 - int and float, or one of them
            return [int in self.kinds] * width
        kinds = [set(map(type, self.values[column::width])) for column in range(width)]
        return None if any(len(each) > 1 for each in kinds) else [each == {int} for each in kinds]


@dataclass(frozen=True)
class PlainNumbers:
    """What the fields of a problem of plain numbers take, in contract order."""

    names: tuple[str, ...]
    get: Callable[[Mapping[str, Any]], Any]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    whole: NDArray[np.bool_]

    def pick(self, records: Sequence[Mapping[str, Any]]) -> list[Any] | None:
        """The records' values, row after row; None where one has other fields than these."""
        try:
            if set(map(len, records)) <= {len(self.names)}:
                return list(chain.from_iterable(map(self.get, records)))
        except (KeyError, TypeError, AttributeError):
            pass
        return None

    def read(self, values: list[Any]) -> PlainRows | None:
        """The rows of values in contract order that stand one row after another.

        None wherever anything is missing, out of range or of another type.
        """
        try:
            packed = struct.pack(f"{len(values)}d", *values)  # takes a quarter of NumPy's own time
        except (OverflowError, struct.error):  # of text and the like, and of too large a number
            return None
        matrix = np.frombuffer(packed, np.float64).reshape(-1, len(self.names))
        with np.errstate(invalid="ignore"):
            is_whole = matrix == np.floor(matrix)
            fits = (matrix >= self.low) & (matrix <= self.high) & (~self.whole | is_whole)
            fits &= np.abs(matrix) < EXACT_BELOW
        kinds = _find_kinds(values, is_whole)
        return PlainRows(values, matrix, kinds) if fits.all() and kinds <= {int, float} else None


def _find_kinds(values: list[Any], is_whole: NDArray[np.bool_]) -> frozenset[type]:
    """The types of values that `struct` takes for numbers: what is no whole number is a fraction.

    Looking at all of them takes longer than all else that is done with them.
    """
    places = np.flatnonzero(is_whole).tolist()
    kinds = frozenset(map(type, map(values.__getitem__, places)))
    return kinds if len(places) == len(values) else kinds | {float}


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

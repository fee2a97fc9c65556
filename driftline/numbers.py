"""What serving needs to know of a number to predict: its range, and how far its intervals reach.

Needs numpy only, since the contract holds it.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LARGEST_NUMBER = 1e30  # far from where a float32, or the square of an error, has no end
STEPS_WANTED = 100  # of float32 in one deviation, below which answers cannot tell rows apart


@dataclass(frozen=True)
class NumberSpec:
    """A number's unit and range; an interval reaches as far to either side of each answer.

    It holds the truth with a chance of `coverage` (see `driftline.intervals`). Where `is_banded`
    the contract's risk bands are bounds of the number.
    """

    unit: str | None
    low: float | None
    high: float | None
    coverage: float
    reach: float = 0.0
    is_banded: bool = False

    @property
    def range(self) -> list[float] | None:
        """The declared range."""
        return None if self.low is None or self.high is None else [self.low, self.high]

    @property
    def ends(self) -> tuple[float, float]:
        """The range, without end where none is declared."""
        low = -math.inf if self.low is None else self.low
        return low, math.inf if self.high is None else self.high

    def bound(self, values: Floats) -> Floats:
        """Answers within the range: the nearest end where a model goes beyond it."""
        return np.clip(values, *self.ends)

    def interval(self, value: float) -> tuple[float, float]:
        """The prediction interval around a bounded answer, within the range."""
        low, high = self.ends
        return max(low, value - self.reach), min(high, value + self.reach)

    def reaching(self, reach: float) -> "NumberSpec":
        """The same with intervals that reach so far."""
        return replace(self, reach=reach)

    @property
    def wanted(self) -> str:
        """What a label has to be."""
        if self.low is None or self.high is None:
            return "a number"
        return f"a number from {self.low:g} to {self.high:g}"

    def find(self, label: object) -> str | None:
        """A label as the log keeps it: the number in its one spelling; None where it is none."""
        if isinstance(label, bool) or not isinstance(label, int | float):
            return None
        low, high = self.ends
        is_usable = abs(label) <= LARGEST_NUMBER and low <= label <= high
        return spell_number(label) if is_usable else None


def spell_number(value: float) -> str:
    """A number in its one spelling, which no float64 makes longer than 24 characters."""
    return repr(float(value) + 0.0).removesuffix(".0")  # + 0.0: there is one zero


def find_unfit(numbers: Floats) -> str | None:
    """Why models, which answer in float32, cannot tell such numbers; None where they can."""
    largest = float(np.abs(numbers).max(initial=0.0))
    if largest > LARGEST_NUMBER:
        return (
            f"got numbers up to {largest:.3g} in size, wanted at most {LARGEST_NUMBER:g}: give "
            "them in a larger unit"
        )
    spread = float(numbers.std()) if numbers.size else math.inf
    step = float(np.spacing(np.float32(largest)))
    if spread < STEPS_WANTED * step:
        return (
            f"got numbers up to {largest:.3g} in size that spread by {spread:.2g}, where models "
            f"answer in steps of {step:.2g}: subtract the same number from all of them"
        )
    return None

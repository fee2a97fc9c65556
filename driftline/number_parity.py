"""How far two implementations of a number model may be apart, in the unit of what it tells apart.

Both sides compute in float32: a sum of trees or weights is rounded by the size of its parts. What
counts is what that does to the differences between answers, so a gap is told as a share of their
spread: of answers from 999,999 to 1,000,001 a gap of 1 is half of all that the model says.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SHARE_OF_SPREAD = 1e-5
FLOAT32_STEPS = 4  # at the largest answer; no float32 can tell answers apart by much less


@dataclass(frozen=True)
class NumberParity:
    """How the ONNX graph of a number compares with the pipeline over `rows` rows.

    Both differences are shares of the answers' spread, from the least to the largest.
    """

    rows: int
    max_relative_difference: float
    allowed_relative_difference: float

    @property
    def is_kept(self) -> bool:
        """Whether serving may stand in for the pipeline."""
        return self.max_relative_difference <= self.allowed_relative_difference

    @property
    def gap(self) -> str:
        """The largest difference, in words."""
        gap = self.max_relative_difference
        return f"largest difference {tell_gap(gap, self.allowed_relative_difference)}"


def compare_numbers(fitted: Floats, exported: Floats) -> NumberParity:
    """Compare the answers of both, shape (rows, 1)."""
    spread = spread_of(fitted)
    return NumberParity(
        rows=len(fitted),
        max_relative_difference=float(np.abs(fitted - exported).max(initial=0.0)) / spread,
        allowed_relative_difference=allowed_share(fitted),
    )


def spread_of(answers: Floats) -> float:
    """The largest answer less the least, but at least the step between float32 at the largest."""
    if not answers.size:
        return 1.0
    return max(float(np.ptp(answers)), _step(answers))


def allowed_share(answers: Floats) -> float:
    """How far answers may be apart, as a share of their spread."""
    if not answers.size:
        return SHARE_OF_SPREAD
    return max(SHARE_OF_SPREAD, FLOAT32_STEPS * _step(answers) / spread_of(answers))


def tell_gap(gap: float, allowed: float) -> str:
    """A gap beside what is allowed, both as shares of the spread."""
    return f"{gap:.1e} of the answers' spread, wanted at most {allowed:.1e}"


def _step(answers: Floats) -> float:
    return float(np.spacing(np.float32(np.abs(answers).max())))

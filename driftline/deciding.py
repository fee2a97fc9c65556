"""Which class a record gets by its probabilities or a label names, and which band by its risk.

One record at a time, as the contract has it, or a table of them.
"""

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

Row = tuple[float, ...]
Costs = Row | tuple[Row, ...]  # of missing each class, or of each answer: truth by answer
TIE = 1e-5  # scores as near as this are as high: implementations differ by a tenth of it


@dataclass(frozen=True)
class ClassLabels:
    """The labels of a problem with classes: their names."""

    classes: tuple[str, ...]

    @property
    def wanted(self) -> str:
        """What a label has to be."""
        return f"one of: {', '.join(self.classes)}"

    def find(self, label: object) -> str | None:
        """A label as the log keeps it; None where it is no class."""
        return label if isinstance(label, str) and label in self.classes else None


def choose_class(
    probabilities: Sequence[float],
    *,
    positive: Sequence[int],
    threshold: float | None,
    costs: Costs = (),
) -> int:
    """Class index: the first positive class from its threshold on, else the cheapest to answer.

    `costs` are at most 1; without them it is the most probable class. Where several are as cheap,
    it is the first.
    """
    if threshold is None:
        scores = _scores(probabilities, costs)
        least = max(scores) - TIE
        return next(index for index, score in enumerate(scores) if score >= least)
    return positive[0] if probabilities[positive[0]] >= threshold else 1 - positive[0]


def is_matrix(costs: Costs) -> bool:
    """Whether the costs tell answers apart, and not just whether a class was missed."""
    return bool(costs) and isinstance(costs[0], tuple)


def _scores(probabilities: Sequence[float], costs: Costs) -> Sequence[float]:
    """The higher, the less an answer is expected to cost."""
    if not costs:
        return probabilities
    if not is_matrix(costs):
        alone = cast("Row", costs)
        return [cost * p for cost, p in zip(alone, probabilities, strict=True)]
    by_answer = zip(*cast("tuple[Row, ...]", costs), strict=True)
    return [-sum(map(operator.mul, probabilities, column)) for column in by_answer]


def decide_by_costs(probabilities: NDArray[np.float64], costs: Costs) -> NDArray[np.int64]:
    """The class of each row that is expected to cost the least, as `choose_class` has it."""
    scores = probabilities
    if is_matrix(costs):
        scores = -(probabilities @ np.asarray(costs))
    elif costs:
        scores = probabilities * np.asarray(costs)
    is_highest = scores >= scores.max(axis=1, keepdims=True, initial=-np.inf) - TIE
    return np.asarray(is_highest.argmax(axis=1), dtype=np.int64)


def name_band(risk: float, medium: float, high: float) -> str:
    """`low`, or `medium` or `high` above their limits."""
    if risk > high:
        return "high"
    return "medium" if risk > medium else "low"

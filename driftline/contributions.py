"""What moved the answer to one record: each field set to its typical value, one at a time.

The same for every kind of model, since it only asks the model. It shows the model's reasons, not
causes: fields that go together share what each shows, and what is typical of itself shows nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftline.contract import Contract

Score = Callable[[NDArray[np.float32]], list[list[float]]]


@dataclass(frozen=True)
class Contribution:
    """How much a field's value moved the answer, against its typical value."""

    field: str
    typical: float | str
    difference: float  # above 0 the value raised it


@dataclass(frozen=True)
class Explained:
    """A record's answer and what moved it, the strongest first.

    The answer is the summed probability of some classes, or the number where one is predicted.
    """

    classes: tuple[str, ...]
    figure: float
    typical_figure: float  # of a record whose every value is typical
    contributions: tuple[Contribution, ...]


def explain(contract: Contract, vector: Sequence[float], score: Score) -> Explained:
    """Compare an encoded record with those that differ from it in one field, in one batch.

    What is explained is the risk where the problem has positive classes, else the class decided
    for.
    """
    typical = contract.typical_record
    usual = np.array(contract.encode(typical), dtype=np.float32)
    own = np.array(vector, dtype=np.float32)
    variants = np.vstack([own, usual, *_replaced(contract, own, usual)])
    scores = score(variants)
    indices = _explained(contract, scores[0])
    sums = [sum(row[i] for i in indices) for row in scores]
    found = [
        Contribution(field.name, typical[field.name], sums[0] - other)
        for field, other in zip(contract.fields, sums[2:], strict=True)
    ]
    found.sort(key=lambda one: -abs(one.difference))
    classes = () if contract.number else tuple(contract.classes[i] for i in indices)
    return Explained(classes, sums[0], sums[1], tuple(found))


def _explained(contract: Contract, answer: Sequence[float]) -> tuple[int, ...]:
    """Which of an answer's figures are looked at."""
    if contract.number is not None:
        return (0,)
    return contract.positive or (contract.decide(answer),)


def _replaced(
    contract: Contract, own: NDArray[np.float32], usual: NDArray[np.float32]
) -> list[NDArray[np.float32]]:
    """The record once per field, with that field's elements as they usually are."""
    rows, start = [], 0
    for field in contract.fields:
        stop = start + len(field.feature_names)
        row = own.copy()
        row[start:stop] = usual[start:stop]
        rows.append(row)
        start = stop
    return rows

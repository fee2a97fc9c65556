"""What moved the answer to one record: each field set to its typical value, one at a time.

The same for every kind of model, since it only asks the model. It shows the model's reasons, not
causes: fields that go together share what each shows, and what is typical of itself shows nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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


def explain(contract: Contract, record: Mapping[str, Any], score: Score) -> Explained:
    """Compare a record with those that differ from it in one field, in one batch.

    What is computed of a field moves with it. What is explained is the risk where the problem has
    positive classes, else the class decided for. `InvalidRecordError` as `Contract.encode` has it.
    """
    typical = contract.typical_record
    own = np.array(contract.encode(record), dtype=np.float32)
    usual = _encode(contract, typical)
    variants = np.vstack([own, usual, *_replaced(contract, record, own, usual)])
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


def _encode(contract: Contract, record: Mapping[str, Any]) -> NDArray[np.float32]:
    """A record that nobody sent, whose features may be undefined."""
    return np.array(contract.try_encode(record)[0], dtype=np.float32)


def _replaced(
    contract: Contract,
    record: Mapping[str, Any],
    own: NDArray[np.float32],
    usual: NDArray[np.float32],
) -> list[NDArray[np.float32]]:
    """The record once per field, with that field's elements as they usually are."""
    rows, typical, features = [], contract.typical_record, len(contract.features)
    for field, elements in contract.computed.moved.items():
        row = own.copy()
        row[elements] = usual[elements]
        if features:
            changed = _encode(contract, {**record, field: typical[field]})
            row[-features:] = changed[-features:]
        rows.append(row)
    return rows

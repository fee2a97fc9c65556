"""What Prometheus is told of the service.

Counting is a few list operations per prediction; numbers are binned in bulk, and text is made when
somebody asks. Labels come from the contract alone: their number is bounded whatever clients send.
What says anything of a record is shown in steps of `SHARED_BY` records, and moves only when as many
have come: who asks before and after a request does not learn what was in it. No sum is shown of
inputs or of probabilities.
"""

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bentos.columns import FEW, Answers, list_outcomes
from bentos.log.refusals import Counts
from driftline.contract import Contract
from driftline.fields import FieldSpec

SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5)
CONFIDENCES = tuple(round(0.1 * i, 1) for i in range(1, 11))
FIELD_BINS = 10
PENDING_ROWS = 4096
SHARED_BY = 20


class Histogram:
    """Counts per bucket and a sum."""

    def __init__(self, bounds: Sequence[float]) -> None:
        """Upper bounds, rising; a last bucket takes the rest."""
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def add_all(self, values: np.ndarray) -> None:
        """Count many values."""
        found = np.bincount(np.searchsorted(self.bounds, values), minlength=len(self.counts))
        total = float(values.sum())
        for bucket, more in enumerate(found.tolist()):
            self.counts[bucket] += more  # in place: another thread may count beside this one
        self.total += total


@dataclass(frozen=True)
class Gauge:
    """One figure of the moment, under the labels it has."""

    name: str
    meaning: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True)
class Shown:
    """Counts of records, each in steps that enough of them share."""

    by_class: Mapping[str, int]
    by_risk: Mapping[str, int]
    missing: Mapping[str, int]
    confidence: Sequence[int]  # per bin
    inputs: Mapping[str, Sequence[int]]  # per bin of each field


def is_counted_alike(one: Contract, other: Contract) -> bool:
    """Whether the vectors and the answers of two models can be counted together."""
    return (one.fields, one.features, one.classes) == (other.fields, other.features, other.classes)


class Ledger:
    """All counts of one worker."""

    def __init__(self, contract: Contract) -> None:
        """Start from nothing."""
        self.contract = contract
        self.answered = 0
        self._shown_at = 0  # of those answered
        self.by_version: Counter[str] = Counter()
        self.by_class = dict.fromkeys(contract.classes, 0)
        self.by_risk: dict[str, int] = {"low": 0, "medium": 0, "high": 0}
        self.rejected: Counter[str] = Counter()
        self.labels: Counter[str] = Counter()
        self.refused: Counter[tuple[str, str]] = Counter()
        self.confidence = Histogram(CONFIDENCES)
        self.seconds = Histogram(SECONDS)
        self.missing = {field.name: 0 for field in contract.fields if field.allow_missing}
        self.columns = _numeric_columns(contract)
        self._inputs = {name: Histogram(bounds) for name, (_, bounds) in self.columns.items()}
        self._optional = [
            (field, i)
            for field, i in zip(contract.fields, _starts(contract), strict=True)
            if field.allow_missing
        ]
        self._settling = threading.Lock()  # batches are counted, and text is made, in threads
        self._pending: list[np.ndarray] = []
        self._waiting = 0
        self._shown = self._coarsen()

    def count(self, contract: Contract, matrix: np.ndarray, answers: Answers) -> None:
        """Count answered predictions and their encoded inputs.

        The last answers of a model that one with other fields replaces just now are left out.
        """
        if not is_counted_alike(contract, self.contract):
            return
        labels, bands, confidences = list_outcomes(answers)
        if contract.number is None:  # a number is of no class
            for label, count in Counter(labels).items():
                self.by_class[label] += count
        for band, count in Counter(bands).items():
            if band is not None:
                self.by_risk[band] += count
        if len(answers) < FEW:
            for confidence in confidences:
                self.confidence.add(confidence)
        else:
            self.confidence.add_all(np.array(confidences))
        self.answered += len(answers)
        self.by_version[contract.model_version] += len(answers)
        self._pending.append(matrix)
        self._waiting += len(answers)
        if self._waiting >= PENDING_ROWS:
            self.settle()

    def reject(self, reason: str) -> None:
        """Count one request that was refused, by error code."""
        self.rejected[reason] += 1

    def refuse(self, contract: Contract, counts: Counts) -> None:
        """Count refused records by field and kind, of which the contract has few."""
        if contract.fields == self.contract.fields:
            self.refused.update(counts)

    def settle(self) -> None:
        """Bin the inputs that wait."""
        with self._settling:
            self._settle()

    def _settle(self) -> None:
        pending, self._pending, self._waiting = self._pending, [], 0
        if not pending:
            return
        matrix = np.concatenate(pending).astype(np.float64)
        for field, i in self._optional:
            self.missing[field.name] += _count_missing(field, matrix[:, i:])
        for name, (i, _) in self.columns.items():
            values = matrix[:, i]
            self._inputs[name].add_all(values[~np.isnan(values)])

    def _coarsen(self) -> Shown:
        """What may be shown of the records up to now."""
        return Shown(
            by_class={name: _step(count) for name, count in self.by_class.items()},
            by_risk={name: _step(count) for name, count in self.by_risk.items()},
            missing={name: _step(count) for name, count in self.missing.items()},
            confidence=tuple(map(_step, self.confidence.counts)),
            inputs={name: tuple(map(_step, each.counts)) for name, each in self._inputs.items()},
        )

    def _show(self) -> Shown:
        with self._settling:
            self._settle()
            if self.answered - self._shown_at >= SHARED_BY:
                self._shown, self._shown_at = self._coarsen(), self.answered
            return self._shown

    def expose(self, extra: Iterable[Gauge] = ()) -> str:
        """Prometheus text, with further gauges."""
        from bentos.http.exposition import render

        return render(self, self._show(), extra)


def _count_missing(field: FieldSpec, columns: np.ndarray) -> int:
    """How many records lack a field whose elements come first: none of its categories, or nan."""
    if field.kind == "category" and not field.ordered:
        return int((~columns[:, : len(field.feature_names)].any(axis=1)).sum())
    return int(np.isnan(columns[:, : len(field.feature_names)]).all(axis=1).sum())


def _starts(contract: Contract) -> list[int]:
    starts, at = [], 0
    for field in contract.fields:
        starts.append(at)
        at += len(field.feature_names)
    return starts


def _numeric_columns(contract: Contract) -> dict[str, tuple[int, tuple[float, ...]]]:
    """Element and bin bounds of each number that has a range."""
    columns = {}
    for field, start in zip(contract.fields, _starts(contract), strict=True):
        is_one = field.kind != "category" and not field.parts
        if is_one and field.low is not None and field.high is not None:
            bounds = tuple(float(x) for x in np.linspace(field.low, field.high, FIELD_BINS + 1))
            columns[field.name] = (start, bounds)
    return columns


def _step(count: int) -> int:
    return count - count % SHARED_BY

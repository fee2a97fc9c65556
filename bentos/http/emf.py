"""Counts of a Lambda as CloudWatch's embedded metric format: a line of JSON on its output.

CloudWatch makes metrics of such lines by itself; nothing has to be called or allowed. They tell how
many records were answered and refused and how sure the answers were, and no value of a record.
Source: AWS, "Specification: Embedded metric format" (a metric of a line has at most 100 values).
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import orjson

from bentos.columns import Answers, list_outcomes
from bentos.http.metrics import Ledger
from bentos.log.refusals import Counts
from driftline.contract import Contract
from driftline.refusals import RECORDS

NAMESPACE: Final = "Driftline"
DIMENSIONS: Final = ("problem", "model_version")
MOST_VALUES: Final = 100
UNITS: Final = {
    "Predictions": "Count",
    "Refusals": "Count",
    "Confidence": "None",
    "LookupFailures": "Count",
}


class MetricLedger(Ledger):
    """The counts of a worker, each told as it comes, since nobody scrapes a Lambda."""

    def __init__(self, contract: Contract, write: Callable[[str], object]) -> None:
        """Write each line by `write`."""
        super().__init__(contract)
        self._write = write

    def count(self, contract: Contract, matrix: np.ndarray, answers: Answers) -> None:
        """Count answers, and tell how many and how sure; a number's confidence is always one."""
        super().count(contract, matrix, answers)
        _, _, confidences = list_outcomes(answers)
        for part in _cut(confidences):
            told: dict[str, Any] = {"Predictions": len(part)}
            if contract.number is None:
                told["Confidence"] = [round(confidence, 2) for confidence in part]
            self._tell(contract, told)

    def refuse(self, contract: Contract, counts: Counts) -> None:
        """Count refusals, and tell how many; which fields were at fault stands beside it."""
        super().refuse(contract, counts)
        records = counts.get(("", RECORDS), 0)
        at_fault = {f"{f} {why}".strip(): n for (f, why), n in counts.items() if why != RECORDS}
        self._tell(contract, {"Refusals": records}, at_fault=at_fault)

    def miss(self, contract: Contract) -> None:
        """Tell that a newer table of a join could not be brought."""
        self._tell(contract, {"LookupFailures": 1})

    def _tell(self, contract: Contract, metrics: Mapping[str, Any], **beside: Any) -> None:
        described = {
            "Namespace": NAMESPACE,
            "Dimensions": [DIMENSIONS],
            "Metrics": [{"Name": name, "Unit": UNITS[name]} for name in metrics],
        }
        line = {
            "_aws": {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": [described]},
            "problem": contract.problem,
            "model_version": contract.model_version,
            **metrics,
            **beside,
        }
        self._write(orjson.dumps(line).decode() + "\n")


def _cut(values: Sequence[float]) -> Iterator[Sequence[float]]:
    for start in range(0, len(values), MOST_VALUES):
        yield values[start : start + MOST_VALUES]

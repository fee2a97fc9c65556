"""How many records the contract refused, by field and kind of fault; never what they held.

Refusals go the way of predictions into the database, so that monitoring can tell a service that
refuses most of what it is asked from one that nobody asks.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import uuid4

from driftline.fields import Fault
from driftline.refusals import RECORDS

Counts = Mapping[tuple[str, str], int]  # (field, kind): records


def count_record(faults: Iterable[Fault]) -> Counter[tuple[str, str]]:
    """One refused record: once under each field and kind at fault, and once as a whole."""
    return Counter({("", RECORDS), *((fault.column, fault.kind) for fault in faults)})


class PendingRefusals:
    """What waits to be written, added up by problem and model version.

    However many come, no more wait than a contract has fields and kinds.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str], Counter[tuple[str, str]]] = {}

    def add(self, problem: str, version: str, counts: Counts) -> None:
        """Add to what waits."""
        with self._lock:
            self._counts.setdefault((problem, version), Counter()).update(counts)

    def take(self) -> list[dict[str, Any]]:
        """All that waits, as log entries; nothing waits afterwards."""
        with self._lock:
            taken, self._counts = self._counts, {}
        return [_entry(*about, counts) for about, counts in taken.items()]

    def put_back(self, entry: Mapping[str, Any]) -> None:
        """Let an entry that could not be written wait again."""
        counts = {(field, kind): count for field, kind, count in entry["counts"]}
        self.add(entry["problem"], entry["version"], counts)


def _entry(problem: str, version: str, counts: Counts) -> dict[str, Any]:
    return {
        "refused": uuid4().hex,
        "time": time.time(),
        "problem": problem,
        "version": version,
        "counts": [[field, kind, count] for (field, kind), count in sorted(counts.items())],
    }

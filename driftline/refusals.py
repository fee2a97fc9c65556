"""How many records a service has refused, as monitoring judges it; never what they held."""

from collections.abc import Mapping
from dataclasses import dataclass, field

RECORDS = "record"  # the kind, without a field, under which whole records count


@dataclass(frozen=True)
class Refusals:
    """The records that one model has refused since a sequence.

    A record with several faults counts under each of them in `by_fault`, and once in `records`.
    """

    records: int = 0
    by_fault: Mapping[tuple[str, str], int] = field(default_factory=dict)  # (field, kind): records
    last: int = 0  # the newest sequence that was counted

    def share(self, answered: int) -> float:
        """The part of all records that was refused; 0 where none came."""
        asked = self.records + answered
        return self.records / asked if asked else 0.0

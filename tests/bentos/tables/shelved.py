"""A store in memory that holds a table, and two tables of one person."""

from pathlib import Path
from typing import Any

from bentos.tables.lookups import Lookups
from bentos.tables.pointers import (
    TablePointer,
    format_table_pointer,
    pointer_in_store,
    table_in_store,
)
from bentos.takeover.content import digest
from driftline.contract import Contract
from tests.bentos.models import MARKER
from tests.bentos.tables.test_lookups import NOW, labs

SECONDS = 30.0


LATER = 3600.0  # longer than any pause


OLD = labs((MARKER, "2024-03-01", "1.5", "F"))


NEW = labs((MARKER, "2024-03-15", "2.5", "M"))


class Shelf(dict[str, bytes]):
    """A store in memory, which may be away."""

    is_away = False

    def __call__(self, name: str, most: int) -> bytes:
        """An object's content."""
        if self.is_away:
            raise ConnectionError
        if name not in self:
            raise FileNotFoundError
        assert len(self[name]) <= most
        return self[name]

    def put(self, content: bytes, key: str = "") -> TablePointer:
        """Have a table in it, and point at it."""
        pointer = TablePointer("tiny", "labs", digest(content)).signed(key)
        self[table_in_store(pointer)] = content
        self[pointer_in_store("tiny", "labs")] = format_table_pointer(pointer)
        return pointer


def level_in(folder: Path, contract: Contract, now: float = NOW) -> Any:
    """What a service that starts here looks up."""
    lookups = Lookups(folder, clock=lambda: now)
    lookups.look(contract)
    return lookups.complete(contract, {"age": 40, "patient": MARKER})["level"]

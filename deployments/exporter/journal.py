"""What the journal tells of a problem's champion: who serves, since when, how often it changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from bentos.log.tables import JOURNAL

CHAMPION, CHALLENGER = "champion", "challenger"

Change = tuple[str, str, str | None]  # when, which alias, to which version


@dataclass(frozen=True)
class Tenure:
    """The champion's version, and the moment (seconds since the epoch) of its first promotion."""

    version: str | None
    since: float
    promotions: int
    rollbacks: int
    challengers: int


def read_tenure(connection: Connection, problem: str) -> Tenure:
    """The tenure by the journal's rows, of which a problem has few."""
    query = select(JOURNAL.c.at, JOURNAL.c.alias, JOURNAL.c.after)
    found = connection.execute(query.where(JOURNAL.c.problem == problem).order_by(JOURNAL.c.number))
    return find_tenure([(row.at, row.alias, row.after) for row in found])


def find_tenure(changes: Sequence[Change]) -> Tenure:
    """The tenure after these changes; a version that serves again is as old as it was.

    A version that gets the alias for the first time is a promotion, else it is a rollback.
    """
    first: dict[str, str] = {}
    holder: str | None = None
    rollbacks = 0
    for at, alias, after in changes:
        if alias != CHAMPION:
            continue
        rollbacks += after is not None and after in first
        holder = after
        if after is not None:
            first.setdefault(after, at)
    since = 0.0 if holder is None else datetime.fromisoformat(first[holder]).timestamp()
    challengers = sum(alias == CHALLENGER and after is not None for _, alias, after in changes)
    return Tenure(holder, since, len(first), rollbacks, challengers)

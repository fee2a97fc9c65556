"""The journal's table: rows are added, read and never changed."""

from dataclasses import asdict
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from bentos.log.tables import JOURNAL
from driftline.journal import Entry, Promoted, last_holders, next_entry
from tasks.decorators import io
from tasks.log.records import open_records


@io(name="read journal")
def read_journal(problem: str) -> list[Entry]:
    """All rows of a problem, the first one first."""
    return _read(problem)


def _read(problem: str) -> list[Entry]:
    query = select(JOURNAL).where(JOURNAL.c.problem == problem).order_by(JOURNAL.c.number)
    with open_records().connect() as connection:
        return [Entry(**row) for row in connection.execute(query).mappings()]


@io(name="write journal")
def write_journal(
    problem: str,
    *,
    rows: int,
    actor: str,
    alias: str,
    before: str | None,
    after: str | None,
    why: str,
    evidence: str,
    promoted: Promoted | None = None,
) -> bool:
    """Add a row, unless the last row on this alias says the same.

    False where the journal no longer has the `rows` that the writer had seen: what it decided on
    may have changed.
    """
    entries = _read(problem)
    if (alias, after) in last_holders(entries).items():
        return True
    if len(entries) != rows:
        return False
    entry = next_entry(
        entries[-1] if entries else None,
        problem=problem,
        at=datetime.now(UTC).isoformat(timespec="microseconds"),
        actor=actor,
        alias=alias,
        before=before,
        after=after,
        why=why,
        evidence=evidence,
        promoted=promoted,
    )
    try:
        with open_records().begin() as connection:
            connection.execute(JOURNAL.insert(), asdict(entry))
    except IntegrityError:
        return False  # another writer took this number
    return True

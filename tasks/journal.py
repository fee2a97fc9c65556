"""The journal's table: rows are added, read and never changed."""

from dataclasses import asdict
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from bentos.tables import JOURNAL
from driftline.journal import Entry, next_entry
from tasks.decorators import io
from tasks.records import open_records

ATTEMPTS = 20


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
    actor: str,
    alias: str,
    before: str | None,
    after: str | None,
    why: str,
    evidence: str,
) -> Entry:
    """Add a row, unless the last row on this alias says the same; writers queue by row number."""
    for _ in range(ATTEMPTS):
        entries = _read(problem)
        on_alias = [entry for entry in entries if entry.alias == alias]
        if on_alias and on_alias[-1].after == after:
            return on_alias[-1]
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
        )
        try:
            with open_records().begin() as connection:
                connection.execute(JOURNAL.insert(), asdict(entry))
        except IntegrityError:
            continue  # another writer took this number
        return entry
    message = f"journal of {problem}: {ATTEMPTS} writers came first; try again"
    raise ConnectionError(message)

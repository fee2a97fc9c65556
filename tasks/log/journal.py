"""The journal's table: rows are added, read and never changed; the store has an anchor of each."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from bentos.log.tables import ACTOR_LETTERS, JOURNAL
from driftline.journal import Anchor, Entry, Promoted, last_holders, next_entry
from tasks.data.files import list_names, locate, write_file
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
        actor=actor[:ACTOR_LETTERS],
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


@io(name="read anchors")
def read_anchors(problem: str) -> list[Anchor]:
    """What the store has kept of the journal's rows, the first one first."""
    return _anchors(problem)


def _anchors(problem: str) -> list[Anchor]:
    names = list_names(locate("journal", problem))
    parts = [name.removesuffix(".json").partition("-") for name in names if name[0].isdigit()]
    return [Anchor(int(number), sha256) for number, _, sha256 in parts]


@io(name="anchor journal")
def anchor_rows(problem: str, entries: Sequence[Entry]) -> None:
    """Copy the rows that came since the last anchor into the store, by number and hash.

    An anchor is never replaced: a row that was cut off stays known, whatever comes in its place.
    """
    highest = max((anchor.number for anchor in _anchors(problem)), default=0)
    for entry in entries:
        if entry.number > highest:
            name = f"{entry.number:08d}-{entry.sha256}.json"
            content = json.dumps(asdict(entry), indent=2) + "\n"
            write_file(locate("journal", problem, name), content.encode())

"""The journal's table: rows are added, read and never changed; the store has an anchor of each."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from bentos.log.tables import ACTOR_LETTERS, JOURNAL
from driftline.errors import DataError, LostJournalError
from driftline.journal import Anchor, Entry, Promoted, find_edits, last_holders, next_entry
from tasks.data.files import list_names, locate, read_file, write_file
from tasks.decorators import io
from tasks.log.records import open_records
from tasks.mistakes import DATABASE, name_of


@io(name="read journal")
def read_journal(problem: str) -> list[Entry]:
    """All rows of a problem, the first one first, to rest on.

    `LostJournalError` where there is none and the store knows some: what began anew in silence
    would have forgotten all predictions and labels too.
    """
    entries = _read(problem)
    anchors = [] if entries else _anchors(problem)
    if anchors:
        entries = _read(problem)  # another run may have begun it meanwhile
    if anchors and not entries:
        raise lost_journal(problem, max(anchors, key=lambda anchor: anchor.number))
    return entries


@io(name="read rows of journal")
def read_rows(problem: str) -> list[Entry]:
    """The rows as they are, to be looked at."""
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
            content = json.dumps(asdict(entry), indent=2) + "\n"
            write_file(locate("journal", problem, _name(entry)), content.encode())


@io(name="restore journal")
def restore_rows(problem: str) -> int:
    """Write the rows that only the store has, after those that are here; how many.

    `DataError` where they do not make one chain: then nothing is written.
    """
    entries = _read(problem)
    lacking = [row for row in _read_anchored(problem) if row.number > len(entries)]
    wrong = find_edits([*entries, *lacking])
    if wrong:
        message = f"{locate('journal', problem)}: {wrong[0]}; wanted the anchors as they were"
        raise DataError(message)
    if lacking:
        with open_records().begin() as connection:
            connection.execute(JOURNAL.insert(), [asdict(row) for row in lacking])
    return len(lacking)


def lost_journal(problem: str, head: Anchor) -> LostJournalError:
    """What to say of a database without the journal whose newest row is known."""
    return LostJournalError(
        problem,
        database=name_of(DATABASE),
        head=_describe(problem, head),
        anchors=locate("journal", problem),
    )


def _describe(problem: str, head: Anchor) -> str:
    row = next((row for row in _read_anchored(problem) if row.number == head.number), None)
    if row is None:
        return f"row {head.number}, {head.sha256[:12]}"
    holder = "nobody" if row.after is None else f"version {row.after}"
    return f"row {row.number} of {row.at[:16]}: {row.alias} is {holder}"


def _read_anchored(problem: str) -> list[Entry]:
    """The rows as the store has them, in order; those that cannot be read are left out."""
    rows = []
    for anchor in sorted(_anchors(problem), key=lambda each: each.number):
        address = locate("journal", problem, _name(anchor))
        with suppress(ValueError, TypeError):
            rows.append(Entry(**json.loads(read_file(address))))
    return rows


def _name(anchor: Anchor | Entry) -> str:
    return f"{anchor.number:08d}-{anchor.sha256}.json"

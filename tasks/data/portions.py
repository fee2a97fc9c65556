"""The portion of a large snapshot that is learnt from, as a snapshot of its own."""

from dataclasses import replace

from driftline.errors import DataError
from driftline.portion import choose_rows, most_rows
from driftline.problem import Problem
from tasks.data.files import count_rows
from tasks.data.storage import (
    fetch_snapshot,
    locate_snapshot,
    read_origin,
    write_snapshot,
)
from tasks.data.tables import StoredTable, TableDraft
from tasks.decorators import work
from tasks.progress import tell


def take_portion(sha256: str, problem: Problem) -> tuple[str, tuple[str, ...]]:
    """The snapshot to learn from: itself, or a part of one that has too many rows, and why.

    The same snapshot has the same part, which is read a piece at a time.
    """
    most = most_rows(problem)
    if _count(sha256) <= most:
        return sha256, ()
    whole = fetch_snapshot(sha256)
    part = choose_portion(whole, most)
    share, origin = f"{len(part)} of {len(whole)} rows", read_origin(sha256)
    named = replace(origin, source=f"{share} of snapshot {sha256[:12]}, {origin.source}")
    taken = write_snapshot(part, origin=named).sha256
    told = f"learnt from {share}: `max_training_rows` ({most})"
    tell(told)
    return taken, (told,)


def _count(sha256: str) -> int:
    """How many rows it has; of a damaged one, none: whoever reads it says so."""
    try:
        return count_rows(locate_snapshot(sha256)) or 0
    except DataError:
        return 0


@work(name="choose rows to learn from")
def choose_portion(whole: StoredTable, most: int) -> StoredTable:
    """About `most` of its rows, read and written a piece at a time."""
    draft = TableDraft()
    for piece in choose_rows(whole.pieces(), rows=len(whole), most=most):
        draft.add(piece)
    return draft.finish()

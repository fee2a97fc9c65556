"""Which snapshots nobody needs, and that they go after `DRIFTLINE_SNAPSHOT_DAYS`."""

from datetime import UTC, datetime, timedelta

from driftline.errors import NotFoundError
from driftline.snapshots import (
    Names,
    Version,
    choose_superfluous,
    find_names,
    insist_on_whole_journal,
)
from tasks.data import versions
from tasks.log import journal
from tasks.models.kept import read_registered
from tasks.models.registry import read_holders
from tasks.progress import tell
from tasks.settings import get_settings

NEWEST_KEPT = 10  # of a problem, however old: a run may be working with one that nobody names yet


def let_snapshots_go(problem: str) -> None:
    """Drop what is older than the setting and named by nobody, but for the newest.

    Where registry or journal do not tell all that they name, nothing goes, which is told.
    """
    days = get_settings().snapshot_days
    if not days:
        return
    try:
        found = find_superfluous(problem, keep=NEWEST_KEPT, days=days)
    except NotFoundError as error:
        tell(f"no snapshot was dropped: {error}")
        return
    versions.drop(found)
    if found:
        tell(f"dropped {len(found)} snapshots older than {days:g} days that nobody names")


def find_superfluous(problem: str, *, keep: int, days: float) -> list[Version]:
    """What no tag, model or journal row names, older than so many days and not among the newest."""
    before = datetime.now(UTC) - timedelta(days=days)
    return choose_superfluous(read_all(problem), problem, keep=keep, before=before)


def read_all(problem: str) -> list[Version]:
    """Every snapshot of the store, with all who name it."""
    return versions.list_versions(problem, read_names(problem))


def read_names(problem: str) -> Names:
    """Who names which snapshot; `NotFoundError` where registry or journal do not tell all."""
    entries = journal.read_rows(problem)
    insist_on_whole_journal(problem, entries, journal.read_anchors(problem))
    return find_names(problem, read_registered(), read_holders(problem), entries)

"""Snapshots as versions of a problem's data: who names them, and which nobody needs any more.

Reads and writes nothing; a snapshot that is named or tagged is never one to drop.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from driftline.errors import NotFoundError
from driftline.journal import Anchor, Entry

Names = dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Registered:
    """A version of a model in the registry, and the snapshot that it has learnt from."""

    model: str
    version: str
    snapshot: str


@dataclass(frozen=True)
class Version:
    """A snapshot in the store: when it was last written, from what, and who holds on to it."""

    sha256: str
    written_at: datetime
    problem: str = ""
    source: str = ""
    read_as: str = ""
    tags: tuple[str, ...] = ()
    named_by: tuple[str, ...] = ()

    @property
    def is_needed(self) -> bool:
        """Whether a model, the journal or a tag names it."""
        return bool(self.tags or self.named_by)

    def is_of(self, problem: str) -> bool:
        """Whether it is this problem's, as far as it or its holders tell."""
        is_learnt_from = any(each.startswith(f"{problem} version ") for each in self.named_by)
        return self.problem == problem or bool(self.tags) or is_learnt_from


def find_names(
    problem: str,
    registered: Sequence[Registered],
    holders: Mapping[str, str | None],
    entries: Sequence[Entry],
) -> Names:
    """Who names each snapshot: versions of any model, aliases, and rows of the problem's journal.

    `NotFoundError` where the journal names a version that the registry lacks.
    """
    names: dict[str, list[str]] = {}
    own = {each.version: each.snapshot for each in registered if each.model == problem}
    for each in registered:
        names.setdefault(each.snapshot, []).append(f"{each.model} version {each.version}")
    for alias, version in holders.items():
        if version in own:
            names[own[version]].append(alias)
    for entry in entries:
        if entry.after is None:
            continue
        if entry.after not in own:
            message = f"{problem}: row {entry.number} of the journal names version {entry.after}"
            raise _unknown(f"{message}, and the registry has no such version with a snapshot")
        names[own[entry.after]].append(f"journal row {entry.number}")
    return {sha256: tuple(told) for sha256, told in names.items()}


def insist_on_whole_journal(
    problem: str, entries: Sequence[Entry], anchors: Sequence[Anchor]
) -> None:
    """`NotFoundError` where the store has anchors of rows that the journal lacks."""
    missing = {anchor.number for anchor in anchors} - {entry.number for entry in entries}
    if missing:
        message = f"{problem}: the journal lacks row {min(missing)}, whose anchor is in the store"
        raise _unknown(message)


def _unknown(message: str) -> NotFoundError:
    return NotFoundError(
        f"{message}, so what they name is not known; wanted the registry and the database that "
        "belong to this store (MLFLOW_TRACKING_URI, DRIFTLINE_DATABASE_URL)"
    )


def choose_superfluous(
    versions: Sequence[Version], problem: str, *, keep: int, before: datetime
) -> list[Version]:
    """What may go of a problem: unnamed, written before then, and none of its `keep` newest."""
    own = [each for each in versions if each.problem == problem]
    newest_first = sorted(own, key=lambda each: each.written_at, reverse=True)
    return [each for each in newest_first[keep:] if not each.is_needed and each.written_at < before]

"""The journal of who held which alias when: append-only rows, each with the hash of the last.

Reads and writes nothing; says what the next row is, and what is wrong with a sequence of rows. A
chain alone cannot tell that its end was cut off, or that all of it was written anew: number and
hash of each row are kept elsewhere too, as anchors.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

GENESIS = "0" * 64
_MAY_LACK = frozenset({"onnx_sha256", "contract_sha256", "served_sha256"})


@dataclass(frozen=True)
class Promoted:
    """What an alias was given to: SHA-256 of ONNX file, contract, and all that is served."""

    onnx_sha256: str
    contract_sha256: str
    served_sha256: str

    def difference(self, found: "Promoted") -> str | None:
        """What of a model is another than this; the code that serves it may be newer."""
        if self.onnx_sha256 != found.onnx_sha256:
            return "ONNX file"
        return "contract" if self.contract_sha256 != found.contract_sha256 else None


@dataclass(frozen=True)
class Entry:
    """One change of an alias, from one model version to another.

    Rows of earlier versions, and those that take an alias away, hold no digests of a model.
    """

    problem: str
    number: int
    at: str
    actor: str
    alias: str
    before: str | None
    after: str | None
    why: str
    evidence_sha256: str
    previous_sha256: str
    sha256: str
    onnx_sha256: str | None = None
    contract_sha256: str | None = None
    served_sha256: str | None = None


def next_entry(
    last: Entry | None,
    *,
    problem: str,
    at: str,
    actor: str,
    alias: str,
    before: str | None,
    after: str | None,
    why: str,
    evidence: str,
    promoted: Promoted | None = None,
) -> Entry:
    """The row that follows `last`; `evidence` is the text whose digest it keeps."""
    content: dict[str, Any] = {
        "problem": problem,
        "number": 1 if last is None else last.number + 1,
        "at": at,
        "actor": actor,
        "alias": alias,
        "before": before,
        "after": after,
        "why": why,
        "evidence_sha256": hashlib.sha256(evidence.encode()).hexdigest(),
        "previous_sha256": GENESIS if last is None else last.sha256,
        **({} if promoted is None else asdict(promoted)),
    }
    return Entry(**content, sha256=_digest(content))


@dataclass(frozen=True)
class Anchor:
    """What is kept of a row outside the journal."""

    number: int
    sha256: str


def find_breaks(
    entries: Sequence[Entry],
    holders: Mapping[str, str | None],
    anchors: Collection[Anchor] = (),
) -> list[str]:
    """What is wrong with a journal: edited, removed or inserted rows, and unexplained aliases.

    `holders` maps each alias to the version that holds it now. Rows come in order of their number.
    """
    return [
        *_broken_rows(entries),
        *_unexplained_changes(entries),
        *_missed_anchors(entries, anchors),
        *_unexplained_holders(entries, holders),
    ]


def find_edits(entries: Sequence[Entry]) -> list[str]:
    """What is wrong with the chain alone: edited, removed or inserted rows."""
    return list(_broken_rows(entries))


def _broken_rows(entries: Sequence[Entry]) -> Iterator[str]:
    previous = GENESIS
    for place, entry in enumerate(entries, start=1):
        content = asdict(entry)
        stored = content.pop("sha256")
        if entry.number != place:
            yield f"row {entry.number}: got number {entry.number}, wanted {place}"
        if _digest(content) != stored:
            yield f"row {entry.number}: edited, its content does not have its hash"
        if entry.previous_sha256 != previous:
            yield f"row {entry.number}: does not follow the row before it"
        previous = stored


def _unexplained_changes(entries: Sequence[Entry]) -> Iterator[str]:
    """Aliases that were moved past the journal, and later by a row of it."""
    told: dict[str, str | None] = {}
    for entry in entries:
        if entry.before != told.get(entry.alias):
            yield (
                f"row {entry.number}: takes {entry.alias} from {_named(entry.before)}, "
                f"the row before it gave it to {_named(told.get(entry.alias))}"
            )
        told[entry.alias] = entry.after


def _missed_anchors(entries: Sequence[Entry], anchors: Collection[Anchor]) -> Iterator[str]:
    """Rows that were there once and are gone, or are others by now."""
    found = {entry.number: entry.sha256 for entry in entries}
    for anchor in sorted(set(anchors), key=lambda one: (one.number, one.sha256)):
        if anchor.number not in found:
            yield f"row {anchor.number}: removed, its anchor is there"
        elif found[anchor.number] != anchor.sha256:
            yield f"row {anchor.number}: not the row that was anchored ({anchor.sha256[:12]})"


def _unexplained_holders(
    entries: Sequence[Entry], holders: Mapping[str, str | None]
) -> Iterator[str]:
    told = last_holders(entries)
    for alias in sorted({*told, *holders}):
        if told.get(alias) != holders.get(alias):
            yield (
                f"alias {alias}: held by {_named(holders.get(alias))}, "
                f"the journal says {_named(told.get(alias))}"
            )


def find_promoted(entries: Sequence[Entry], version: str) -> Promoted | None:
    """Digests of a version as an alias was last given to it, where a row holds them."""
    for entry in reversed(entries):
        if entry.after == version and entry.onnx_sha256 is not None:
            digests = (entry.onnx_sha256, entry.contract_sha256, entry.served_sha256)
            return Promoted(*map(str, digests))
    return None


def last_holders(entries: Sequence[Entry]) -> dict[str, str | None]:
    """Who holds each alias, by the journal."""
    return {entry.alias: entry.after for entry in entries}


def previous_holder(entries: Sequence[Entry], alias: str) -> str | None:
    """The version that held the alias before the one that holds it now.

    A rollback is no step forward: rolling back twice goes back two promotions.
    """
    held: list[str] = []
    for entry in entries:
        if entry.alias != alias or entry.after is None:
            continue
        if entry.after in held:
            del held[held.index(entry.after) + 1 :]
        else:
            held.append(entry.after)
    return held[-2] if len(held) > 1 else None


def is_step_back(entries: Sequence[Entry], alias: str) -> bool:
    """Whether the last change of the alias gave it to a version that had held it before."""
    held = [entry.after for entry in entries if entry.alias == alias]
    return bool(held) and held[-1] in held[:-1]


def is_overtaken(entries: Sequence[Entry], version: str, *, by: str) -> bool:
    """Whether the alias `by` has changed hands since this version was last given one."""
    given = [entry.number for entry in entries if entry.after == version]
    return any(entry.alias == by and entry.number > max(given, default=0) for entry in entries)


def _digest(content: Mapping[str, object]) -> str:
    """What a row does not hold is no part of it, as before rows could hold it."""
    held = {k: v for k, v in content.items() if v is not None or k not in _MAY_LACK}
    text = json.dumps(held, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _named(version: str | None) -> str:
    return "nobody" if version is None else f"version {version}"

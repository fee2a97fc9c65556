"""The store's snapshots as versions: listed, tagged, copied out, and dropped for good."""

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from driftline.errors import DataError, NotFoundError, SettingsError
from driftline.snapshots import Names, Version
from tasks.data.files import (
    is_stored,
    list_names,
    list_times,
    locate,
    read_file,
    remove_file,
    write_file,
)
from tasks.data.storage import DIGEST_LENGTH, find_snapshot, read_origin, read_snapshot
from tasks.decorators import io
from tasks.drafts import whole_file

PARQUET, ORIGIN = ".parquet", ".json"
TAG = re.compile(r"(?![0-9a-f]+$)[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
WANTED_TAG = "wanted letters, digits, `.`, `_` and `-`, at most 64, and not such as a digest has"
KINDS = (".parquet", ".csv")


@io(name="list snapshots")
def list_versions(problem: str, names: Names) -> list[Version]:
    """All snapshots of the store, the newest first; another problem's tag is one more name."""
    times = list_times(locate("snapshots"))
    tags, named = defaultdict(list), defaultdict(list, {k: list(v) for k, v in names.items()})
    for owner, tag, sha256 in _all_tags():
        if owner == problem:
            tags[sha256].append(tag)
        else:
            named[sha256].append(f"{owner}'s tag {tag}")
    digests = [name.removesuffix(PARQUET) for name in times if name.endswith(PARQUET)]
    versions = [
        _with_origin(
            Version(
                sha256,
                max(times[n] for n in (f"{sha256}{PARQUET}", f"{sha256}{ORIGIN}") if n in times),
                tags=tuple(tags[sha256]),
                named_by=tuple(named[sha256]),
            )
        )
        for sha256 in digests
        if len(sha256) == DIGEST_LENGTH
    ]
    return sorted(versions, key=lambda each: each.written_at, reverse=True)


def _with_origin(version: Version) -> Version:
    origin = read_origin(version.sha256)
    return replace(version, problem=origin.problem, source=origin.source, read_as=origin.read_as)


@io(name="find version")
def find_version(problem: str, called: str, asked_by: str) -> str:
    """The whole SHA-256 of a snapshot that a tag names, or the beginning of its digest."""
    tagged = _tags(problem).get(called)
    return tagged or find_snapshot(called, asked_by)


@io(name="tag snapshot")
def write_tag(problem: str, tag: str, sha256: str, *, actor: str) -> None:
    """Give a snapshot a name of its own; a name stays with the snapshot that has it."""
    if not TAG.fullmatch(tag):
        message = f"TAG: got {tag!r}, {WANTED_TAG}"
        raise SettingsError(message)
    if (taken := _tags(problem).get(tag, sha256)) != sha256:
        message = f"TAG: got {tag}, which snapshot {taken[:12]} has; wanted a new name, or untag it"
        raise SettingsError(message)
    if not is_stored(locate("snapshots", f"{sha256}{PARQUET}")):
        message = f"SNAPSHOT: got {sha256[:12]}, which is not in the store"
        raise NotFoundError(message)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    told = json.dumps({"sha256": sha256, "at": now, "by": actor})
    write_file(_tag_address(problem, tag), told.encode())


@io(name="remove tag")
def remove_tag(problem: str, tag: str) -> None:
    """Take a name from the snapshot that has it."""
    if tag not in (tags := _tags(problem)):
        message = f"TAG: got {tag!r}, wanted one of {', '.join(tags) or 'them, and there is none'}"
        raise NotFoundError(message)
    remove_file(_tag_address(problem, tag))


def _tags(problem: str) -> dict[str, str]:
    return {tag: sha256 for owner, tag, sha256 in _all_tags() if owner == problem}


def _all_tags() -> list[tuple[str, str, str]]:
    """The problem, name and snapshot of each tag."""
    found = []
    for name in list_names(locate("snapshots", "tags")):
        problem, _, tag = name.removesuffix(ORIGIN).partition(".")
        found.append((problem, tag, _read_tag(_tag_address(problem, tag))))
    return found


def _read_tag(address: str) -> str:
    """The snapshot that a tag names; while one names none, nothing may be dropped."""
    try:
        return str(json.loads(read_file(address))["sha256"])
    except (ValueError, KeyError, TypeError):
        message = f"{address}: names no snapshot; wanted it as it was, or removed and tagged anew"
        raise DataError(message) from None


def _tag_address(problem: str, tag: str) -> str:
    return locate("snapshots", "tags", f"{problem}.{tag}{ORIGIN}")


def locate_snapshot(sha256: str) -> str:
    """Where a snapshot's file is."""
    return locate("snapshots", f"{sha256}{PARQUET}")


@io(name="fetch snapshot")
def fetch(sha256: str, target: str) -> int:
    """Copy a snapshot, verified, into a new file of this machine; how many rows it has."""
    path = Path(target)
    if path.suffix not in KINDS:
        message = f"--to: got {target!r}, wanted a file that ends in {' or '.join(KINDS)}"
        raise SettingsError(message)
    if path.exists():
        message = f"--to: got {target!r}, which is there already; wanted a new file"
        raise SettingsError(message)
    table: pd.DataFrame = read_snapshot(sha256)[0]
    with whole_file(path) as draft:
        if path.suffix == PARQUET:
            draft.write_bytes(read_file(locate_snapshot(sha256)))
        else:
            table.to_csv(draft, index=False)
    return len(table)


@io(name="drop snapshots")
def drop(versions: Sequence[Version]) -> None:
    """Remove snapshots with what was set aside of them; done twice, it goes on where it ended."""
    for each in versions:
        remove_file(locate("snapshots", "quarantined", f"{each.sha256}{PARQUET}"))
        remove_file(locate_snapshot(each.sha256))
        remove_file(locate("snapshots", f"{each.sha256}{ORIGIN}"))

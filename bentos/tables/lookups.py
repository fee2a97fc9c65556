"""The tables of a problem's joins that lie beside a service, and records completed from them.

They are only read. One that has changed is taken whole between two requests; whatever is wrong with
it, the one before goes on. No key and no value is ever logged.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bentos.health.parts import Parts
from bentos.replies import RequestError
from bentos.takeover.content import SUMS
from driftline.contract import Contract
from driftline.filling import fill_in
from driftline.timelines import JoinSpec, Timeline, parse_timeline

LOOKUPS = "lookups"
LOOKUP_UNAVAILABLE = RequestError(
    503, "lookup_unavailable", "a field is to be looked up, and its table is not there"
)

log = logging.getLogger("driftline.service")

State = tuple[int, int, int]  # inode, size and time of a file
Complete = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class _Held:
    state: State
    table: Timeline


@dataclass(frozen=True)
class _Refused:
    """What is not read again until it changes, or is to be read for other fields."""

    state: State
    fields: tuple[str, ...]
    why: str


def table_path(folder: Path, problem: str, join: str) -> Path:
    """Where the table of a join lies."""
    return folder / problem / f"{join}.npz"


class Lookups:
    """The tables in a folder, by problem and join."""

    def __init__(
        self,
        folder: Path,
        *,
        listed: Mapping[str, str] | None = None,
        parts: Parts | None = None,
        clock: Callable[[], float] = time.time,
        missed: Callable[[], str] = lambda: "",
    ) -> None:
        """Read nothing yet; `clock` tells the seconds since 1970 that `now` is.

        Where `listed` tells SHA-256 digests by names in the folder, no other table is taken.
        `missed` says what keeps newer tables away, "" where nothing does.
        """
        self._missed = missed
        self._folder = folder
        self._listed = listed
        self._parts = Parts() if parts is None else parts
        self._clock = clock
        self._held: dict[Path, _Held] = {}
        self._refused: dict[Path, _Refused] = {}
        self._told: dict[Path, str] = {}
        self._is_known = False

    def look(self, contract: Contract) -> None:
        """Take what is new or has changed of the tables that a contract's joins name."""
        wrong = [self._look_at(contract, join) for join in contract.joins]
        told = [why for why in (*wrong, self._missed() if wrong else "") if why]
        self._is_known |= bool(contract.joins)
        if self._is_known:
            self._parts.report(LOOKUPS, "degraded" if told else "up", "; ".join(told))

    def _look_at(self, contract: Contract, join: JoinSpec) -> str:
        """What is wrong with a table, "" where nothing is."""
        path = table_path(self._folder, contract.problem, join.name)
        why = ""
        try:
            state = state_of(path)
            held, refused = self._held.get(path), self._refused.get(path)
            if held is not None and held.state == state:
                insist_on_fields(held.table, join)
            elif refused is not None and (refused.state, refused.fields) == (state, join.fields):
                why = refused.why
            else:
                self._take(path, state, join)
        except OSError as error:
            why = f"the table of the join {join.name!r} cannot be read ({error.strerror})"
        except ValueError as error:
            why = f"the table of the join {join.name!r}: {error}"
            self._refused[path] = _Refused(state, join.fields, why)
        if why and self._told.get(path) != why:
            log.error("%s", why)
        self._told[path] = why
        return why

    def _take(self, path: Path, state: State, join: JoinSpec) -> None:
        content = path.read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        name = path.relative_to(self._folder).as_posix()
        if self._listed is not None and self._listed.get(name) != sha256:
            message = f"SHA-256 {sha256[:16]}... is not what {SUMS} lists for {LOOKUPS}/{name}"
            raise ValueError(message)
        table = parse_timeline(content)
        insist_on_fields(table, join)
        self._held[path] = _Held(state, table)
        told = "table of the join %s: %d rows, sha256 %s"
        log.info(told, join.name, len(table.seconds), sha256)

    def ages(self, contract: Contract) -> dict[str, float]:
        """Seconds since the newest row of each table that is held, by the join's name."""
        held = {
            join.name: self._held.get(table_path(self._folder, contract.problem, join.name))
            for join in contract.joins
        }
        now = self._clock()
        return {
            name: max(now - float(one.table.seconds.max()), 0.0)
            for name, one in held.items()
            if one is not None and len(one.table.seconds)
        }

    def complete(self, contract: Contract, record: dict[str, Any]) -> dict[str, Any]:
        """A record with what the contract's joins fill in; `InvalidRecordError` as they say."""
        return self.begin(contract)(record)

    def begin(self, contract: Contract) -> Complete:
        """What completes the records of one request: by the tables that are held now, as of now."""
        if not contract.joins:
            return _leave
        tables = {
            join.name: held.table
            for join in contract.joins
            if (held := self._held.get(table_path(self._folder, contract.problem, join.name)))
        }
        now = self._clock()

        def find(join: JoinSpec) -> Timeline:
            table = tables.get(join.name)
            if table is None or not table.columns.keys() >= set(join.fields):
                raise LOOKUP_UNAVAILABLE
            return table

        def complete(record: dict[str, Any]) -> dict[str, Any]:
            return fill_in(record, contract.joins, contract.field_by_name, find, now=now)

        return complete


def state_of(path: Path) -> State:
    """What tells that a file is another one than before."""
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _leave(record: dict[str, Any]) -> dict[str, Any]:
    return record


def insist_on_fields(table: Timeline, join: JoinSpec) -> None:
    """A table may have been made for a model before, or after, the one that looks into it."""
    lacking = [name for name in join.fields if name not in table.columns]
    if lacking:
        message = f"has no {', '.join(map(repr, lacking))}"
        raise ValueError(message)

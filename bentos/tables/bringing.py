"""Brings the tables of joins from a store to where a service looks into them.

Nothing in the store is believed: a table is laid out in one step, once it has the digest that its
pointer names, bears each signature that is wanted, and can be read. Whatever stands in the way, the
table that is here stays, as long as the rows in it are fresh enough for their join, and the new
one is tried again.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bentos.tables.lookups import State, insist_on_fields, state_of, table_path
from bentos.tables.pointers import (
    TablePointer,
    parse_table_pointer,
    pointer_in_store,
    signature_in_store,
    table_in_store,
)
from bentos.takeover.attempts import Trouble, pause_seconds
from bentos.takeover.content import ContentError, digest
from bentos.takeover.shelf import write_whole
from bentos.takeover.trust import MOST_BUNDLE_BYTES, read_trust
from driftline.contract import Contract
from driftline.timelines import JoinSpec, parse_timeline

MOST_POINTER_BYTES = 64 * 1024
MOST_TABLE_BYTES = 1024 * 1024 * 1024

log = logging.getLogger("driftline.service")

Read = Callable[[str, int], bytes]
"""An object's content by its name in the store, of at most so many bytes; or FileNotFoundError."""


@dataclass(frozen=True)
class _Attempt:
    """How the last one ended, and when the next is due."""

    due: float = 0.0
    failures: int = 0
    why: str = ""


class Bringer:
    """Keeps a folder of tables as a store has them."""

    def __init__(
        self,
        read: Read,
        folder: Path,
        *,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Bring nothing yet; what was read of a pointer is good for so many seconds."""
        self._read, self._folder = read, folder
        self._seconds, self._clock = seconds, clock
        self._attempts: dict[JoinSpec, _Attempt] = {}
        self._digests: dict[Path, tuple[State, str]] = {}
        self.failures = 0  # so far

    def look(self, contract: Contract) -> Trouble | None:
        """Bring what is due of the tables of a contract's joins; what stands in the way of any."""
        self._attempts = {join: self._attempts.get(join, _Attempt()) for join in contract.joins}
        for join, last in self._attempts.items():
            if self._clock() >= last.due:
                self._attempts[join] = self._try(contract.problem, join, last)
        failed = [one for one in self._attempts.values() if one.failures]
        if not failed:
            return None
        why = "; ".join(one.why for one in failed)
        return Trouble(contract.model_version, why, max(one.failures for one in failed))

    def _try(self, problem: str, join: JoinSpec, last: _Attempt) -> _Attempt:
        try:
            self.bring(problem, join)
        except Exception as error:  # noqa: BLE001 - the store's libraries raise a dozen kinds
            why = f"a newer table of the join {join.name!r}: {sentence_of(error)}"
            if why != last.why:
                log.warning("%s; what is here goes on", why)
            failures = last.failures + 1
            self.failures += 1
            return _Attempt(self._clock() + pause_seconds(failures), failures, why)
        return _Attempt(self._clock() + self._seconds)

    def bring(self, problem: str, join: JoinSpec) -> None:
        """Have the table here that the store names for a join, if it names any.

        `ContentError` for one that cannot be used; whatever the store raises besides.
        """
        path = table_path(self._folder, problem, join.name)
        pointer = self._read_pointer(problem, join)
        if pointer is None or self._digest_here(path) == pointer.sha256:
            return
        content = self._fetch(pointer, join)
        try:
            write_whole(path, content)
        except OSError as error:
            message = f"it cannot be written here ({error.strerror or type(error).__name__})"
            raise ContentError(message) from None
        log.info("table of the join %s brought: sha256 %s", join.name, pointer.sha256)

    def _read_pointer(self, problem: str, join: JoinSpec) -> TablePointer | None:
        try:
            content = self._read(pointer_in_store(problem, join.name), MOST_POINTER_BYTES)
        except FileNotFoundError:
            return None
        return parse_table_pointer(content, problem, join.name)

    def _fetch(self, pointer: TablePointer, join: JoinSpec) -> bytes:
        trust = read_trust()
        pointer.check(trust, b"" if trust.public_key is None else self._read_bundle(pointer))
        try:
            content = self._read(table_in_store(pointer), MOST_TABLE_BYTES)
        except FileNotFoundError:
            message = "the store has no table that its pointer names"
            raise ContentError(message) from None
        found = digest(content)
        if found != pointer.sha256:
            message = f"got SHA-256 {found[:16]}..., wanted {pointer.sha256[:16]}..."
            raise ContentError(message)
        try:
            insist_on_fields(parse_timeline(content), join)
        except ValueError as error:
            raise ContentError(str(error)) from None
        return content

    def _read_bundle(self, pointer: TablePointer) -> bytes:
        try:
            return self._read(signature_in_store(pointer), MOST_BUNDLE_BYTES)
        except FileNotFoundError:
            return b""

    def _digest_here(self, path: Path) -> str | None:
        try:
            state = state_of(path)
            known = self._digests.get(path)
            if known is None or known[0] != state:
                known = self._digests[path] = (state, digest(path.read_bytes()))
        except OSError:
            return None
        return known[1]


def has_table(folder: Path, problem: str, join: JoinSpec) -> bool:
    """Whether a table lies here from which a join can be answered."""
    try:
        insist_on_fields(parse_timeline(table_path(folder, problem, join.name).read_bytes()), join)
    except (OSError, ValueError):
        return False
    return True


def sentence_of(error: Exception) -> str:
    """Our own words, or the kind of what the store's libraries raised."""
    is_ours = isinstance(error, ContentError)
    return str(error) if is_ours else f"no word from the store ({type(error).__name__})"

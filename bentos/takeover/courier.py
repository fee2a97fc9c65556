"""Brings the champion's bento here where the store is elsewhere (`DRIFTLINE_STORE_URL`).

Runs beside the service in a process of its own, which keeps the store's libraries away from
requests. While the store does not answer, the model that is here goes on serving. Whoever can
write to the store decides what it says, so nothing of it is believed: the pointer names the
digests, and with a key (`bentos.takeover.trust`) what it names has to be signed.
"""

import logging
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from bentos.health.parts import LONGEST_PAUSE_SECONDS, MOST_DOUBLINGS
from bentos.sidecar import Told, become_sidecar, service_is_gone, tell_service
from bentos.tables.courier import TableCourier, bring_ahead
from bentos.takeover.archive import MOST_ARCHIVE_BYTES, check_archive, unpack
from bentos.takeover.attempts import TABLES, Attempts, Trouble, write_trouble
from bentos.takeover.content import ContentError
from bentos.takeover.shelf import (
    Pointer,
    archive_in_store,
    bundle_in_store,
    check_shelved,
    parse_pointer,
    place_of,
    pointer_in_store,
    read_pointer,
    write_pointer,
)
from bentos.takeover.split import Split, parse_split, read_split, split_in_store, write_split
from bentos.takeover.trust import (
    MOST_BUNDLE_BYTES,
    Trust,
    read_bundle,
    read_trust,
    write_bundle,
    write_signature,
)

POLL_SECONDS = 3.0
TRIAL = ".trial"  # what ends the name under which a trial's trouble is kept
MOST_POINTER_BYTES = 64 * 1024
S3_OPTIONS = {
    "use_listings_cache": False,
    "config_kwargs": {"connect_timeout": 5, "read_timeout": 30, "retries": {"max_attempts": 2}},
}

log = logging.getLogger("driftline.courier")


def store_elsewhere() -> str | None:
    """The store's root, where it is not just the state folder of this machine."""
    return os.environ.get("DRIFTLINE_STORE_URL", "").rstrip("/") or None


def fetch(store: str, problem: str) -> Pointer | None:
    """Have the bento here that the store's pointer names, and point at it.

    `ContentError` where it is not what the pointer says, or the pointer itself cannot be believed.
    """
    pointer = _read_pointer(store, problem)
    if pointer is not None:
        _bring(store, problem, pointer)
    return pointer


class TrialCourier:
    """Brings the bento of each trial that the store's split comes to name, and that it has ended.

    A store that does not answer is told by the champion's courier, and leaves the trial as it is.
    """

    def __init__(
        self, store: str, problem: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin with nothing brought; `clock` tells seconds."""
        self._store, self._problem = store, problem
        self._attempts = Attempts(clock)
        self._brought: Split | None = None
        self._told: Trouble | None = None

    def look(self) -> None:
        """Bring what the store names, unless it failed just now; keep what stands in the way."""
        split: Split | None = None
        try:
            split = _read_split(self._store, self._problem)
            if split is None:
                write_split(self._problem, None)
            if split is None or split == self._brought:
                self._attempts.succeed()
            elif self._attempts.is_due(split.pointer):
                _lay_out(self._store, split.pointer)
                if _split_here(self._problem) != split:
                    write_split(self._problem, split)
                self._attempts.succeed()
                self._brought = split
        except ContentError as error:
            write_split(self._problem, None)
            self._brought = None
            if self._attempts.fail(split.pointer if split else None, str(error)):
                log.warning("no trial: %s", error)
        except Exception as error:  # noqa: BLE001 - the store's libraries raise a dozen kinds
            log.debug("no word of a trial (%s)", type(error).__name__)
        self._tell()

    def _tell(self) -> None:
        trouble = self._attempts.trouble
        if trouble != self._told:
            with suppress(OSError):
                write_trouble(self._problem + TRIAL, trouble)
                self._told = trouble


class Courier:
    """Brings each bento that the store's pointer comes to name."""

    def __init__(
        self,
        store: str,
        problem: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        tell: Callable[[Told, str], None] = tell_service,
    ) -> None:
        """Begin with nothing brought; `clock` tells seconds, `tell` lets the service know."""
        self._tell_service = tell
        self._store, self._problem = store, problem
        self._attempts = Attempts(clock)
        self._brought: Pointer | None = None
        self._told: Trouble | None = None
        self.is_away = False  # the store

    def look(self) -> None:
        """Bring what the store names, unless it failed just now; keep what stands in the way."""
        pointer: Pointer | None = None
        try:
            pointer = _read_pointer(self._store, self._problem)
            self.is_away = False
            if pointer is None or pointer == self._brought:
                self._attempts.succeed()
            elif self._attempts.is_due(pointer):
                _bring(self._store, self._problem, pointer)
                self._brought = pointer
                self._attempts.succeed()
        except Exception as error:  # noqa: BLE001 - the store's libraries raise a dozen kinds
            self.is_away = pointer is None and not isinstance(error, ContentError)
            self._fail(pointer, error)
        self._tell()

    def _fail(self, pointer: Pointer | None, error: Exception) -> None:
        is_ours = isinstance(error, ContentError)
        why = str(error) if is_ours else f"no word from the store ({type(error).__name__})"
        if self._attempts.fail(pointer, why):
            log.warning("%s; the model stays", why)

    def _tell(self) -> None:
        """Let the service know, which shows it to those who ask whether it is ready."""
        trouble = self._attempts.trouble
        if trouble != self._told:
            with suppress(OSError):
                write_trouble(self._problem, trouble)
                self._told = trouble
            self._tell_service("up" if trouble is None else "degraded", str(trouble or ""))


def run(
    store: str,
    problem: str,
    *,
    is_over: Callable[[float], bool],
    tell: Callable[[Told, str], None] = tell_service,
) -> None:
    """Fetch until `is_over(seconds)`, which waits that long, says so; tells how it goes."""
    courier, failures = Courier(store, problem, tell=tell), 0
    trial, tables = TrialCourier(store, problem), TableCourier(partial(_read, store), problem)
    with suppress(OSError):
        for kind in ("", TRIAL, TABLES):
            write_trouble(problem + kind, None)  # of one before
    while not is_over(min(POLL_SECONDS * 2**failures, LONGEST_PAUSE_SECONDS)):
        courier.look()
        if not courier.is_away:
            trial.look()
            tables.look()
        failures = min(failures + 1, MOST_DOUBLINGS) if courier.is_away else 0


def _read_pointer(store: str, problem: str) -> Pointer | None:
    try:
        content = _read(store, pointer_in_store(problem), MOST_POINTER_BYTES)
    except FileNotFoundError:
        return None
    return parse_pointer(content, problem)


def _read_split(store: str, problem: str) -> Split | None:
    try:
        content = _read(store, split_in_store(problem), MOST_POINTER_BYTES)
    except FileNotFoundError:
        return None
    return parse_split(content, problem)


def _split_here(problem: str) -> Split | None:
    try:
        return read_split(problem)
    except ContentError:
        return None


def _bring(store: str, problem: str, pointer: Pointer) -> None:
    _lay_out(store, pointer)
    named = _named_here(problem)
    if named != pointer:
        bring_ahead(partial(_read, store), pointer, is_first=named is None)
        write_pointer(problem, pointer)


def _lay_out(store: str, pointer: Pointer) -> None:
    """Have the bento of a pointer here, verified."""
    trust, folder = read_trust(), place_of(pointer.tag)
    bundle = b"" if trust.public_key is None else _read_bundle(store, pointer)
    trust.check(pointer.sha256, signature=pointer.signature, bundle=bundle)
    if not _is_here(pointer):
        archive = _read_archive(store, pointer)
        check_archive(archive, pointer)
        unpack(archive, pointer.tag, sha256=pointer.sha256)
    write_signature(folder, pointer.signature)
    if bundle and bundle != read_bundle(folder):
        write_bundle(folder, bundle)


def _read_bundle(store: str, pointer: Pointer) -> bytes:
    try:
        return _read(store, bundle_in_store(pointer.tag), MOST_BUNDLE_BYTES)
    except FileNotFoundError:
        return b""


def _read_archive(store: str, pointer: Pointer) -> bytes:
    try:
        return _read(store, archive_in_store(pointer.tag), MOST_ARCHIVE_BYTES)
    except FileNotFoundError:
        message = "the store has no archive of the bento that its pointer names"
        raise ContentError(message) from None


def _is_here(pointer: Pointer) -> bool:
    """Whole; whether it is signed is asked of the store."""
    try:
        check_shelved(pointer, Trust())
    except ContentError:
        return False
    return True


def _named_here(problem: str) -> Pointer | None:
    try:
        return read_pointer(problem)
    except ContentError:
        return None


def _read(store: str, name: str, most: int) -> bytes:
    import fsspec

    protocol = store.split("://", maxsplit=1)[0] if "://" in store else "file"
    options: dict[str, Any] = S3_OPTIONS if protocol == "s3" else {}
    with fsspec.filesystem(protocol, **options).open(f"{store}/{name}", "rb") as file:
        content: bytes = file.read(most + 1)
    if len(content) > most:
        message = f"{name}: has more than {most >> 10} KiB"
        raise ContentError(message)
    return content


def main() -> None:
    """`python -m bentos.takeover.courier PROBLEM`, with the service on standard input."""
    logging.basicConfig(format="%(message)s")
    become_sidecar()
    store = store_elsewhere()
    if store is not None:
        run(store, sys.argv[1], is_over=service_is_gone)


if __name__ == "__main__":
    main()

"""The spool: predictions on local disk before their answers leave, until a shipper has taken them.

Each writer owns one segment file and holds its lock. A closed segment, or one whose writer has
died, is free to be shipped. What a killed process had written stays, since the kernel has it.
"""

import fcntl
import os
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import orjson

HAND_OVER_SECONDS = 0.5
ENDING = ".jsonl"
ASIDE_ENDING = ".damaged"
NO_ROOM = "no room"
BALLAST = b" " * 4096
_IDS = re.compile(rb'^\{"columns":\{"id":\[([^\]]*)\]', re.MULTILINE)  # of an entry of many


class SpoolFullError(OSError):
    """The spool cannot take a prediction, so the prediction must not be answered."""


class SpoolWriter:
    """Appends lines to a segment of its own, and hands it over when it has grown old.

    What was appended before a `sync` is on the disk after it; a durable one keeps this true of
    segments that it has left.
    """

    def __init__(self, folder: Path, *, is_durable: bool = False) -> None:
        """Open a first segment."""
        self.folder = folder
        self._is_durable = is_durable
        self._lock = threading.Lock()  # held while a line is written
        self._turning = threading.Lock()  # held while a segment is synced or left
        self._refusal, self._stuck = "", ""
        self._has_lost = False
        self._fd, self._size, self._since = self._open(), 0, time.monotonic()

    def append(self, lines: bytes) -> None:
        """Write whole lines, all or none; `SpoolFullError` where the disk takes no more."""
        with self._lock:
            try:
                written = os.write(self._fd, lines)
            except OSError as error:
                self._refusal = error.strerror or NO_ROOM
                raise SpoolFullError(error.errno, "the spool cannot be written") from None
            if written != len(lines):
                self._refusal = NO_ROOM
                with suppress(OSError):
                    os.ftruncate(self._fd, self._size)
                message = "the spool took a part only"
                raise SpoolFullError(message)
            self._size += written
            self._refusal = ""

    def sync(self) -> None:
        """Have all that was appended before on the disk, or raise `SpoolFullError`."""
        with self._turning:
            lost, self._has_lost = self._has_lost, False
            try:
                if self._fd >= 0:
                    os.fsync(self._fd)
            except OSError as error:
                self._refusal = error.strerror or NO_ROOM
                raise SpoolFullError(error.errno, "the spool cannot be synced") from None
            if lost:
                message = "a segment could not be synced"
                raise SpoolFullError(message)

    def hand_over(self) -> None:
        """Leave a segment that has lines and is old enough to the shipper; begin another."""
        with self._turning:
            if self._fd < 0 or not self._size or time.monotonic() - self._since < HAND_OVER_SECONDS:
                return
            try:
                fresh = self._open()
            except OSError as error:
                self._stuck = error.strerror or NO_ROOM
                return  # no room for a new file: go on with the old one, whose writes will say so
            self._stuck = ""
            with self._lock:
                left, self._fd, self._size, self._since = self._fd, fresh, 0, time.monotonic()
            self._leave(left)

    def close(self) -> None:
        """Leave everything to the shipper."""
        with self._turning:
            with self._lock:
                left, self._fd = self._fd, -1
            if left >= 0:
                self._leave(left)

    def look(self) -> tuple[Literal["up", "degraded", "down"], str]:
        """Whether lines are taken, and whether they can be handed over; why not.

        Where the last line was refused, a few bytes are written and taken back, since nobody may
        send another one meanwhile.
        """
        if self._refusal:
            self._try_again()
        if self._refusal:
            return "down", f"cannot be written ({self._refusal})"
        return ("degraded", f"cannot be handed over ({self._stuck})") if self._stuck else ("up", "")

    def _try_again(self) -> None:
        with self._lock:
            try:
                is_whole = os.write(self._fd, BALLAST) == len(BALLAST)
                if self._is_durable:
                    os.fsync(self._fd)
                os.ftruncate(self._fd, self._size)
            except OSError as error:
                self._refusal = error.strerror or NO_ROOM
                with suppress(OSError):
                    os.ftruncate(self._fd, self._size)
            else:
                self._refusal = "" if is_whole else NO_ROOM

    def _leave(self, fd: int) -> None:
        """Close a segment, which frees it for the shipper."""
        try:
            if self._is_durable:
                os.fsync(fd)
        except OSError:
            self._has_lost = True
        finally:
            os.close(fd)

    def _open(self) -> int:
        """A new segment that is locked before the shipper can see it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{time.time_ns():020d}-{uuid4().hex}{ENDING}"
        draft = path.with_suffix(".new")
        fd = os.open(
            draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600
        )
        fcntl.flock(fd, fcntl.LOCK_EX)
        draft.rename(path)
        if self._is_durable:
            _sync_folder(self.folder)
        return fd


def _sync_folder(folder: Path) -> None:
    """Have a folder's new names on the disk."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def list_segments(folder: Path) -> list[Path]:
    """Segments in the order they were begun; some may still be written."""
    return sorted(folder.glob(f"*{ENDING}")) if folder.is_dir() else []


@dataclass
class Segment:
    """A segment that this process holds: its entries, and the lines that are to be kept aside."""

    entries: list[dict[str, Any]]
    aside: list[bytes]

    def set_aside(self, entry: Mapping[str, Any]) -> None:
        """Keep an entry out of what counts as taken."""
        self.aside.append(orjson.dumps(entry))


@contextmanager
def take_segment(path: Path) -> Iterator[Segment | None]:
    """What a segment holds, or None while somebody has it; removed when the block succeeds.

    A line without its end was never answered, and is dropped. A line that is no JSON object, as a
    power cut may leave, and what the block sets aside are kept in a file of their own.
    """
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        yield None
        return
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        with os.fdopen(os.dup(fd), "rb") as file:
            segment = _parse(file.read().split(b"\n")[:-1])
        yield segment
        if segment.aside:
            _keep_aside(path, segment.aside)
        path.unlink(missing_ok=True)
    finally:
        os.close(fd)


def _parse(lines: Sequence[bytes]) -> Segment:
    segment = Segment([], [])
    for line in lines:
        try:
            entry = orjson.loads(line)
        except orjson.JSONDecodeError:
            entry = None
        if isinstance(entry, dict):
            segment.entries.append(entry)
        else:
            segment.aside.append(line)
    return segment


def _keep_aside(path: Path, lines: Sequence[bytes]) -> None:
    """Written in one step, so that a segment that is taken again leaves the same file."""
    draft = path.with_suffix(".part")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(b"".join(line + b"\n" for line in lines))
    draft.replace(path.with_suffix(ASIDE_ENDING))


def count_aside(folder: Path) -> int:
    """How many lines of a spool were set aside: they could not be read, or the database refused."""
    return sum(path.read_bytes().count(b"\n") for path in folder.glob(f"*{ASIDE_ENDING}"))


def find_in_spool(folder: Path, prediction_id: str) -> bool:
    """Whether a prediction waits in the spool."""
    alone, among = f'"id":"{prediction_id}"'.encode(), f'"{prediction_id}"'.encode()
    for path in list_segments(folder):
        with suppress(FileNotFoundError):
            content = path.read_bytes()
            if alone in content or any(among in found[1] for found in _IDS.finditer(content)):
                return True
    return False


def measure_spool(folder: Path, now: float) -> tuple[int, float]:
    """Bytes that wait in the spool, and the age in seconds of the oldest of them."""
    waiting, oldest = 0, now
    for path in list_segments(folder):
        with suppress(FileNotFoundError, ValueError):
            size = path.stat().st_size
            if size:
                waiting += size
                oldest = min(oldest, int(path.name.split("-")[0]) / 1e9)
    return waiting, max(0.0, now - oldest)

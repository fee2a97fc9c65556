"""Where the API leaves its predictions and labels: what it needs of a log, and the spool.

`bentos.log.direct` is the other log, for a place whose disk is gone with the process.
"""

import logging
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, Protocol

import orjson

from bentos.log.refusals import Counts, PendingRefusals
from bentos.log.spool import HAND_OVER_SECONDS, SpoolFullError, SpoolWriter, find_in_spool
from bentos.sidecar import start_sidecar

WAIT_FOR_SHIPPER_SECONDS = 10.0
SHIPPER_PAUSE_SECONDS = 5.0  # between two starts of a shipper that does not stay alive


log = logging.getLogger("driftline.service")


class LogUnavailableError(Exception):
    """A prediction cannot be logged now, so it must not be answered."""


class PredictionLog(Protocol):
    """What the API needs of a log."""

    def write(self, entry: dict[str, Any]) -> None:
        """Keep a request's predictions before it is answered, or raise `LogUnavailableError`."""

    def refuse(self, problem: str, version: str, counts: Counts) -> None:
        """Count refused records; what cannot be kept now waits for a later moment."""

    def label(self, prediction_id: str, label: str) -> str:
        """`added`, `same`, `different` or `unknown`."""


class SpoolLog:
    """Predictions go to the spool; a shipper of our own takes them to the database."""

    def __init__(self, folder: Path, url: str) -> None:
        """Open the spool and start the shipper; nothing waits for the database."""
        self.folder = folder
        self._url = url
        self._engine: Any = None
        self._writer = SpoolWriter(folder)
        self._refusals = PendingRefusals()
        self._refusals_written_at = 0.0
        self._shipper = _start_shipper(folder)
        self._started_at = time.monotonic()
        self._is_closed = threading.Event()
        self._keeper = threading.Thread(target=self._keep_handing_over, daemon=True)
        self._keeper.start()

    def write(self, entry: dict[str, Any]) -> None:
        """Append to the spool."""
        try:
            self._writer.append(orjson.dumps(entry) + b"\n")
        except SpoolFullError as error:
            raise LogUnavailableError from error

    def refuse(self, problem: str, version: str, counts: Counts) -> None:
        """Write to the spool at once, but where refusals come thick, add them up for a moment.

        So a single one outlives the process, and a flood of them costs two lines a second.
        """
        self._refusals.add(problem, version, counts)
        if time.monotonic() - self._refusals_written_at > HAND_OVER_SECONDS:
            self._write_refusals()

    def label(self, prediction_id: str, label: str) -> str:
        """Label a prediction in the database, once it has arrived there from the spool."""
        from bentos.log import database

        if self._engine is None:
            self._engine = database.open_engine(self._url, silence_seconds=WAIT_FOR_SHIPPER_SECONDS)
        give_up = time.monotonic() + WAIT_FOR_SHIPPER_SECONDS
        try:
            while True:
                waits = find_in_spool(self.folder, prediction_id)
                outcome = database.add_label(self._engine, prediction_id, label)
                if outcome != "unknown" or not waits:
                    return outcome
                if time.monotonic() > give_up:
                    raise LogUnavailableError
                time.sleep(0.1)
        except database.DatabaseError as error:
            raise LogUnavailableError from error

    def close(self) -> None:
        """Hand everything over, and let the shipper finish."""
        self._is_closed.set()
        self._keeper.join()
        self._write_refusals()
        self._writer.close()
        if _finish(self._shipper) != 0:  # a supervisor ends a service with all below it at once
            _finish(_start_shipper(self.folder))

    def _keep_handing_over(self) -> None:
        while not self._is_closed.wait(HAND_OVER_SECONDS):
            try:
                self._keep()
            except Exception as error:  # noqa: BLE001 - such as no more descriptors; they come back
                log.error("the spool waits: %s", type(error).__name__)  # noqa: TRY400 - it says it all

    def _keep(self) -> None:
        self._write_refusals()
        self._writer.hand_over()
        is_due = time.monotonic() - self._started_at > SHIPPER_PAUSE_SECONDS
        if is_due and self._shipper.poll() is not None:  # something has killed it
            self._started_at = time.monotonic()
            self._shipper = _start_shipper(self.folder)

    def _write_refusals(self) -> None:
        self._refusals_written_at = time.monotonic()
        for entry in self._refusals.take():
            try:
                self._writer.append(orjson.dumps(entry) + b"\n")
            except SpoolFullError:
                self._refusals.put_back(entry)


def _finish(shipper: "subprocess.Popen[bytes]") -> int:
    """Let a shipper empty the spool; what it has not shipped by then stays there."""
    if shipper.stdin is not None:
        shipper.stdin.close()
    try:
        return shipper.wait(WAIT_FOR_SHIPPER_SECONDS)
    except subprocess.TimeoutExpired:
        shipper.kill()
        return 0


def _start_shipper(folder: Path) -> "subprocess.Popen[bytes]":
    return start_sidecar("bentos.log.shipper", str(folder))

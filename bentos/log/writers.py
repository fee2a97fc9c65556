"""Where the API leaves its predictions and labels: what it needs of a log, and the spool.

`bentos.log.direct` is the other log, for a place whose disk is gone with the process.
"""

import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import orjson

from bentos.health.parts import Parts, keep_going
from bentos.log.refusals import Counts, PendingRefusals
from bentos.log.spool import (
    HAND_OVER_SECONDS,
    SpoolFullError,
    SpoolWriter,
    find_in_spool,
    measure_spool,
)
from bentos.sidecar import Sidecar

WAIT_FOR_SHIPPER_SECONDS = 10.0
LATE_SECONDS = 300.0  # that a prediction has waited for the database, before it is told
MEASURE_SECONDS = 5.0
SPOOL, KEEPER, SHIPPER = "spool", "keeper", "shipper"


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

    def __init__(
        self, folder: Path, url: str, *, parts: Parts | None = None, is_durable: bool = False
    ) -> None:
        """Open the spool and start the shipper; nothing waits for the database.

        How spool, shipper and their keeper are is reported to `parts`.
        """
        self.folder = folder
        self._url = url
        self._parts = Parts() if parts is None else parts
        self._engine: Any = None
        self._writer = SpoolWriter(folder, is_durable=is_durable)
        self._refusals = PendingRefusals()
        self._refusals_written_at = 0.0
        self._age_seconds, self._measured_at = 0.0, 0.0
        self._shipper = self._new_shipper()
        self._shipper.keep()
        self._report_spool()
        self._parts.report(KEEPER, "up")
        self._is_closed = threading.Event()
        self._keeper = threading.Thread(target=self._keep_on, daemon=True)
        self._keeper.start()

    def write(self, entry: dict[str, Any]) -> None:
        """Append to the spool."""
        try:
            self._writer.append(orjson.dumps(entry) + b"\n")
        except SpoolFullError as error:
            self._parts.report(SPOOL, "down", "cannot be written")
            raise LogUnavailableError from error

    def sync(self) -> None:
        """Wait until what was written before is on the disk, or raise `LogUnavailableError`."""
        try:
            self._writer.sync()
        except SpoolFullError as error:
            self._parts.report(SPOOL, "down", "cannot be synced")
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
        """Hand everything over, and let the shipper finish; what it has not shipped stays there."""
        self._is_closed.set()
        self._keeper.join()
        self._write_refusals()
        self._writer.close()
        code = self._shipper.finish(WAIT_FOR_SHIPPER_SECONDS)
        if code not in {0, None}:  # a supervisor ends a service with all below it at once
            self._new_shipper().finish(WAIT_FOR_SHIPPER_SECONDS)

    def _new_shipper(self) -> Sidecar:
        return Sidecar(SHIPPER, "bentos.log.shipper", str(self.folder), parts=self._parts)

    def _keep_on(self) -> None:
        keep_going(
            self._parts,
            KEEPER,
            self._keep,
            seconds=HAND_OVER_SECONDS,
            is_over=self._is_closed.wait,
        )

    def _keep(self) -> None:
        self._write_refusals()
        self._writer.hand_over()
        self._shipper.keep()
        self._report_spool()

    def _report_spool(self) -> None:
        """Not taking lines is `down`; that they wait for long is `degraded`, for none is lost."""
        if time.monotonic() - self._measured_at > MEASURE_SECONDS:
            with suppress(OSError):  # such as no more descriptors
                _, self._age_seconds = measure_spool(self.folder, time.time())
            self._measured_at = time.monotonic()
        health, why = self._writer.look()
        if health == "up" and self._age_seconds > LATE_SECONDS:
            health, why = "degraded", f"predictions wait since {self._age_seconds:.0f} s"
        self._parts.report(SPOOL, health, why)

    def _write_refusals(self) -> None:
        self._refusals_written_at = time.monotonic()
        for entry in self._refusals.take():
            try:
                self._writer.append(orjson.dumps(entry) + b"\n")
            except SpoolFullError:
                self._refusals.put_back(entry)

"""Moves predictions and refusals from the spool to the database.

Runs beside the service in a process of its own and ends when it does (its standard input closes),
after a last round. A database that is away costs nothing but growth of the spool.
"""

import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError

from bentos.health.garbage import spare_loaded
from bentos.health.parts import LONGEST_PAUSE_SECONDS, MOST_DOUBLINGS
from bentos.log import database
from bentos.log.rows import PREDICTION, REFUSAL, Row, check_types, prediction_rows, refusal_rows
from bentos.log.spool import Segment, list_segments, take_segment
from bentos.settings import retention_days
from bentos.sidecar import Told, become_sidecar, service_is_gone, tell_service

ROUND_SECONDS = 0.5
PURGE_SECONDS = 3600.0
SILENCE_SECONDS = 30.0  # of a connection, before it is given up
SEGMENTS_AT_ONCE = 32  # in a transaction, so that a slow network does not let the spool grow
BYTES_AT_ONCE = 4_000_000  # and not more, so that what is done stays done where it is cut off
UNREADABLE = (ArithmeticError, AttributeError, KeyError, OSError, TypeError, ValueError)
WRONG_TEMPORAL_VALUE = 1292  # what MySQL and MariaDB do not count among errors of data

log = logging.getLogger("driftline.shipper")


@dataclass(frozen=True)
class Parcel:
    """A log entry on its way: where it came from, and the rows that it becomes."""

    segment: Segment
    entry: Mapping[str, Any]
    predictions: list[Row]
    refusals: list[Row]


def ship(engine: Engine, folder: Path) -> int:
    """One round over all free segments; returns how many log entries were shipped.

    What cannot be read, and what the database refuses, is set aside and holds up nothing.
    """
    shipped = 0
    for group in _groups(list_segments(folder)):
        with ExitStack() as stack:
            taken = [stack.enter_context(take_segment(path)) for path in group]
            held = [segment for segment in taken if segment is not None]
            shipped += _ship(engine, [parcel for each in held for parcel in _read(each)])
            aside = sum(len(segment.aside) for segment in held)
        if aside:
            log.warning("%d lines of the spool were set aside in *.damaged", aside)
    return shipped


def _groups(paths: Iterable[Path]) -> Iterator[list[Path]]:
    """Segments in their order, as many in a group as go into one transaction."""
    group: list[Path] = []
    room = BYTES_AT_ONCE
    for path in paths:
        size = _size(path)
        if group and (size > room or len(group) == SEGMENTS_AT_ONCE):
            yield group
            group, room = [], BYTES_AT_ONCE
        group.append(path)
        room -= size
    if group:
        yield group


def _size(path: Path) -> int:
    with suppress(FileNotFoundError):  # another shipper was faster
        return path.stat().st_size
    return 0


def _read(segment: Segment) -> Iterator[Parcel]:
    for entry in segment.entries:
        try:
            if "refused" in entry:
                parcel = Parcel(segment, entry, [], refusal_rows(entry))
            else:
                parcel = Parcel(segment, entry, prediction_rows(entry), [])
            check_types(parcel.predictions, PREDICTION)
            check_types(parcel.refusals, REFUSAL)
            yield parcel
        except UNREADABLE:
            segment.set_aside(entry)


def _ship(engine: Engine, parcels: Sequence[Parcel]) -> int:
    """All at once; where the database refuses something in them, one after another."""
    try:
        _insert(engine, parcels)
    except (StatementError, *UNREADABLE) as error:
        if not _is_refusal(error):
            raise
        if len(parcels) == 1:
            parcels[0].segment.set_aside(parcels[0].entry)
            return 0
        middle = len(parcels) // 2
        return _ship(engine, parcels[:middle]) + _ship(engine, parcels[middle:])
    return len(parcels)


def _insert(engine: Engine, parcels: Iterable[Parcel]) -> None:
    predictions = [row for parcel in parcels for row in parcel.predictions]
    refusals = [row for parcel in parcels for row in parcel.refusals]
    database.insert_rows(engine, predictions=predictions, refusals=refusals)


def _is_refusal(error: Exception) -> bool:
    """Whether it is the rows that are at fault, and not the database that is away."""
    if isinstance(error, DBAPIError):
        code = getattr(error.orig, "args", (None,))[:1]
        is_temporal = code == (WRONG_TEMPORAL_VALUE,)
        return isinstance(error, DataError | IntegrityError) or is_temporal
    return not isinstance(error, OSError)


def run(
    folder: Path,
    url: str,
    *,
    is_over: Callable[[float], bool],
    tell: Callable[[Told, str], None] = tell_service,
) -> None:
    """Ship until `is_over(seconds)`, which waits that long, says so; then empty the spool.

    How it goes is told where it changes.
    """
    engine = database.open_engine(url, silence_seconds=SILENCE_SECONDS)
    is_migrated, failures, purged_at = False, 0, 0.0
    while True:
        pause = min(ROUND_SECONDS * 2**failures, LONGEST_PAUSE_SECONDS)
        over = is_over(pause)
        try:
            if not is_migrated:
                database.migrate(engine, attempts=1)
                is_migrated = True
            ship(engine, folder)
            if time.monotonic() - purged_at > PURGE_SECONDS or not purged_at:
                purge(engine)
                purged_at = time.monotonic()
            if failures:
                tell("up", "")
            failures = 0
        except Exception as error:  # noqa: BLE001 - whatever it is, the predictions must not wait for ever
            failures = min(failures + 1, MOST_DOUBLINGS)
            if failures == 1:
                why = database.explain(error, url)
                log.warning("not shipped: %s; predictions wait", why)
                tell("degraded", why)
        if over:
            return


def purge(engine: Engine) -> None:
    """Forget old inputs where `DRIFTLINE_RETENTION_DAYS` says how old."""
    days = retention_days()
    if days > 0:
        database.purge_inputs(engine, days=days, now=datetime.now(UTC))


def main() -> None:
    """`python -m bentos.log.shipper SPOOL_FOLDER`, with the service on standard input."""
    logging.basicConfig(format="%(message)s")
    become_sidecar()
    spare_loaded()
    run(Path(sys.argv[1]), database.database_url(), is_over=service_is_gone)


if __name__ == "__main__":
    main()

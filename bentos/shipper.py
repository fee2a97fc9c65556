"""Moves predictions and refusals from the spool to the database.

Runs beside the service in a process of its own and ends when it does (its standard input closes),
after a last round. A database that is away costs nothing but growth of the spool.
"""

import logging
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DataError, IntegrityError

from bentos import database
from bentos.refusals import refusal_rows
from bentos.sidecar import become_sidecar, service_is_gone
from bentos.spool import free_segments, rows_of, take_segment

ROUND_SECONDS = 0.5
PURGE_SECONDS = 3600.0
LONGEST_PAUSE_SECONDS = 10.0

log = logging.getLogger("driftline.shipper")


def ship(engine: Engine, folder: Path) -> int:
    """One round over all free segments; returns how many log entries were shipped.

    A segment that the database refuses stays, and is the round's error once the others are shipped.
    """
    shipped, refused = 0, None
    for path in free_segments(folder):
        try:
            shipped += _ship_segment(engine, path)
        except (DataError, IntegrityError) as error:
            refused = error
    if refused is not None:
        raise refused
    return shipped


def _ship_segment(engine: Engine, path: Path) -> int:
    with take_segment(path) as entries:
        if not entries:
            return 0
        refused = [entry for entry in entries if "refused" in entry]
        answered = [entry for entry in entries if "refused" not in entry]
        database.insert_predictions(engine, [row for each in answered for row in rows_of(each)])
        database.insert_refusals(engine, [row for each in refused for row in refusal_rows(each)])
        return len(entries)


def run(folder: Path, url: str, *, is_over: Callable[[float], bool]) -> None:
    """Ship until `is_over(seconds)`, which waits that long, says so; then empty the spool."""
    engine = database.open_engine(url)
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
            failures = 0
        except (database.DatabaseError, OSError) as error:
            failures += 1
            if failures == 1:
                log.warning("not shipped (%s); predictions wait", type(error).__name__)
        if over:
            return


def purge(engine: Engine) -> None:
    """Forget old inputs where `DRIFTLINE_RETENTION_DAYS` says how old."""
    days = float(os.environ.get("DRIFTLINE_RETENTION_DAYS", "0"))
    if days > 0:
        database.purge_inputs(engine, days=days, now=datetime.now(UTC))


def main() -> None:
    """`python -m bentos.shipper SPOOL_FOLDER`, with the service on standard input."""
    logging.basicConfig(format="%(message)s")
    become_sidecar()
    run(Path(sys.argv[1]), database.database_url(), is_over=service_is_gone)


if __name__ == "__main__":
    main()

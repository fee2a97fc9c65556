"""Parts of batches in the store: written once, read by whom they concern, forgotten in time.

`tasks.log.packing` makes a part's file. Its name holds its digest. The file comes first and its row
in the database after it, so that no row names a file that is not there.
"""

import io as streams
from datetime import UTC, datetime, timedelta

import pandas as pd
from sqlalchemy import select, update

from bentos.log.batches import place_row
from bentos.log.database import insert_ignoring
from bentos.log.tables import PARTS, PREDICTIONS
from driftline.digests import digest_bytes
from driftline.errors import DataError
from driftline.problem import Problem
from tasks.data.files import list_times, locate, read_file, remove_file, write_file
from tasks.decorators import io
from tasks.log.packing import PackedPart
from tasks.log.records import open_records
from tasks.settings import get_retention_days

FOLDER = "parts"
MARK = ".damaged"  # ends the name of what marks a part that cannot be read
LEFT_BEHIND = timedelta(days=1)  # a file that no row names by then was left by a killed run


def log_part(problem: str, model_version: str, packed: PackedPart) -> None:
    """Keep a part's rows and name them in the log; done again, it changes nothing."""
    part, sha256 = packed.row["id"], packed.row["sha256"]
    address = locate_part(problem, part, sha256)
    write_file(address, packed.content)
    engine = open_records()
    place = place_row(part, problem, model_version, datetime.now(UTC).replace(tzinfo=None))
    with engine.begin() as connection:
        connection.execute(insert_ignoring(engine, PREDICTIONS, "id"), [place])
        connection.execute(insert_ignoring(engine, PARTS, "id"), [packed.row])
        kept = connection.execute(select(PARTS.c.sha256).where(PARTS.c.id == part)).scalar()
    if kept != sha256:  # it was logged before, with other content, or has been forgotten
        remove_file(address)


def read_part(problem: str, part: str, sha256: str) -> pd.DataFrame:
    """The answered rows of a part; `DataError` where its file is not what was logged."""
    address = locate_part(problem, part, sha256)
    content = read_file(address)
    if digest_bytes(content) != sha256:
        message = f"{address}: its content has another SHA-256 than its name; wanted it as logged"
        raise DataError(message)
    return pd.read_parquet(streams.BytesIO(content))


@io(name="forget parts")
def forget_parts(problem: Problem) -> int:
    """Remove parts that are older than `DRIFTLINE_RETENTION_DAYS`; returns how many.

    A part is marked before its file is removed: who is killed in between has it done again.
    """
    days = get_retention_days()
    if not days:
        return 0
    engine, now = open_records(), datetime.now(UTC)
    oldest = (now - timedelta(days=days)).replace(tzinfo=None)
    old = select(PREDICTIONS.c.id).where(
        PREDICTIONS.c.problem == problem.name, PREDICTIONS.c.answered_at < oldest
    )
    there = select(PARTS.c.id, PARTS.c.sha256).where(PARTS.c.sha256.is_not(None))
    with engine.connect() as connection:
        found = connection.execute(there.where(PARTS.c.id.in_(old))).all()
    for part, sha256 in found:
        this = update(PARTS).where(PARTS.c.id == part)
        with engine.begin() as connection:
            connection.execute(this.values(is_kept=False))
        remove_file(locate_part(problem.name, part, sha256))
        with engine.begin() as connection:
            connection.execute(this.values(sha256=None))
    _remove_left_behind(problem.name, now)
    return len(found)


def _remove_left_behind(problem: str, now: datetime) -> None:
    """Remove files that no part names, such as a run leaves that was killed and never repeated."""
    times = list_times(locate(FOLDER, problem))
    old = {name for name, written in times.items() if written < now - LEFT_BEHIND}
    with open_records().connect() as connection:
        rows = connection.execute(select(PARTS.c.id, PARTS.c.sha256)).all()
    named = {_name(part, sha256) for part, sha256 in rows if sha256 is not None}
    named |= {f"{name}{MARK}" for name in named}
    for name in old - named:
        remove_file(locate(FOLDER, problem, name))


def locate_part(problem: str, part: str, sha256: str) -> str:
    """Where a part lies in the store."""
    return locate(FOLDER, problem, _name(part, sha256))


def _name(part: str, sha256: str) -> str:
    return f"{part.replace(':', '-')}-{sha256}.parquet"

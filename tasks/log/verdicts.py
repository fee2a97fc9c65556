"""The verdicts that were kept, for people who look back."""

import json

from sqlalchemy import select

from bentos.log.tables import VERDICTS
from driftline.problem import Problem
from tasks.decorators import io
from tasks.log.records import open_records

Told = tuple[str, str, tuple[str, ...]]  # when (UTC), verdict, reasons


@io(name="read verdicts")
def read_verdicts(problem: Problem, model_version: str, *, most: int = 20) -> list[Told]:
    """The newest verdicts on a version, the newest first."""
    query = (
        select(VERDICTS.c.decided_at, VERDICTS.c.verdict, VERDICTS.c.reasons)
        .where(VERDICTS.c.problem == problem.name, VERDICTS.c.model_version == model_version)
        .order_by(VERDICTS.c.sequence.desc())
        .limit(most)
    )
    with open_records().connect() as connection:
        rows = connection.execute(query).all()
    return [
        (row.decided_at.isoformat(timespec="seconds"), row.verdict, tuple(json.loads(row.reasons)))
        for row in rows
    ]

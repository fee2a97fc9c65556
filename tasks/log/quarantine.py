"""What was judged broken: left out everywhere until a person has decided."""

import json
from datetime import UTC, datetime

import pandas as pd
from sqlalchemy import ColumnElement, Connection, select
from sqlalchemy.exc import IntegrityError

from bentos.log.tables import ACTOR_LETTERS, PREDICTIONS, RELEASES, VERDICTS
from driftline.problem import Problem
from driftline.verdicts import Quarantined, name_of
from tasks.decorators import io
from tasks.log.inputs import read_inputs
from tasks.log.records import open_records

QUARANTINE = "quarantine"


def outside_quarantine(connection: Connection, problem: str) -> list[ColumnElement[bool]]:
    """Conditions that leave out what was judged broken and has not been released."""
    return [
        (PREDICTIONS.c.sequence < part.first) | (PREDICTIONS.c.sequence > part.last)
        for part in _quarantined(connection, problem)
    ]


def _quarantined(connection: Connection, problem: str) -> list[Quarantined]:
    released = select(RELEASES.c.verdict_key).where(
        RELEASES.c.problem == problem, RELEASES.c.decision == "released"
    )
    query = select(VERDICTS, RELEASES.c.decision).outerjoin(
        RELEASES, RELEASES.c.verdict_key == VERDICTS.c.key
    )
    query = query.where(
        VERDICTS.c.problem == problem,
        VERDICTS.c.verdict == QUARANTINE,
        VERDICTS.c.first_prediction <= VERDICTS.c.last_prediction,
        VERDICTS.c.key.not_in(released),
    ).order_by(VERDICTS.c.sequence)
    return [
        Quarantined(
            key=row["key"],
            first=int(row["first_prediction"]),
            last=int(row["last_prediction"]),
            reasons=tuple(json.loads(row["reasons"])),
            is_dropped=row["decision"] == "dropped",
        )
        for row in connection.execute(query).mappings()
    ]


@io(name="read quarantine")
def read_quarantine(problem: Problem) -> list[Quarantined]:
    """What was judged broken and has not been released, the oldest first."""
    with open_records().connect() as connection:
        return _quarantined(connection, problem.name)


@io(name="read rows set aside")
def read_set_aside(problem: Problem, verdict: Quarantined) -> pd.DataFrame:
    """What was asked in a window that was set aside, under the problem's columns, in order.

    Column `prediction` holds the place in the log. Inputs that are forgotten are not among them.
    """
    within = PREDICTIONS.c.sequence.between(verdict.first, verdict.last)
    with open_records().connect() as connection:
        asked = read_inputs(connection, problem, within)
    asked.inputs.insert(0, "prediction", asked.places)
    return asked.inputs


@io(name="decide on quarantine")
def decide_on_quarantine(problem: Problem, key: str, decision: str, *, actor: str) -> bool:
    """Release what a verdict set aside, or drop it; False where somebody has decided already."""
    row = {
        "verdict_key": key,
        "problem": problem.name,
        "decision": decision,
        "actor": actor[:ACTOR_LETTERS],
        "at": datetime.now(UTC).replace(tzinfo=None),
    }
    try:
        with open_records().begin() as connection:
            connection.execute(RELEASES.insert(), row)
    except IntegrityError:
        return False
    return True


@io(name="read accepted findings")
def read_accepted(problem: Problem) -> set[str]:
    """Reasons of quarantines that a person has released: they are known, and no fault any more."""
    query = (
        select(VERDICTS.c.reasons)
        .join(RELEASES, RELEASES.c.verdict_key == VERDICTS.c.key)
        .where(VERDICTS.c.problem == problem.name, RELEASES.c.decision == "released")
    )
    with open_records().connect() as connection:
        rows = connection.execute(query).scalars().all()
    return {name_of(reason) for text in rows for reason in json.loads(text)}

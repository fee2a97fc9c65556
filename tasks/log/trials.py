"""Trials in the database: what was declared, what they have shown, and what their labels tell."""

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from bentos.log.tables import PREDICTIONS, TRIALS
from driftline.problem import Problem
from driftline.trial import Evidence, Limits, Outcome, Trial, read_evidence
from tasks.decorators import io
from tasks.log.records import open_records


def now() -> datetime:
    """The moment as the database keeps it: UTC, without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)


@io(name="read last prediction")
def read_last_prediction() -> int:
    """The place of the newest prediction that is logged, of whatever problem; 0 of none."""
    with open_records().connect() as connection:
        return int(connection.execute(select(func.max(PREDICTIONS.c.sequence))).scalar() or 0)


@io(name="write trial")
def write_trial(problem: Problem, trial: Trial) -> None:
    """Keep what was declared; a trial that is kept already stays as it is."""
    limits = trial.limits
    declared = {
        "share": trial.share,
        "salt": trial.salt,
        "field": trial.field,
        "days": limits.days,
        "labels": limits.labels,
    }
    row = {
        "key": trial.key,
        "problem": problem.name,
        "version": trial.version,
        "champion": trial.champion,
        "declared": json.dumps(declared),
        "state": "{}",
        "last_prediction": trial.first,
        "started_at": trial.started_at,
    }
    try:
        with open_records().begin() as connection:
            connection.execute(TRIALS.insert(), row)
    except IntegrityError:
        return


@io(name="read trial")
def read_trial(key: str) -> Trial | None:
    """The trial that a row of the journal began; None where nothing more came of it."""
    with open_records().connect() as connection:
        row = connection.execute(select(TRIALS).where(TRIALS.c.key == key)).mappings().first()
    if row is None:
        return None
    declared: dict[str, Any] = json.loads(row["declared"])
    return Trial(
        key=key,
        version=row["version"],
        champion=row["champion"],
        share=declared["share"],
        salt=declared["salt"],
        field=declared["field"],
        limits=Limits(declared["days"], declared["labels"]),
        first=int(row["last_prediction"]),
        started_at=row["started_at"],
        evidence=read_evidence(json.loads(row["state"])),
    )


@io(name="write evidence of trial")
def write_evidence(key: str, evidence: Evidence) -> None:
    """Keep what a trial has shown up to now."""
    state = json.dumps(evidence.to_document(), default=float)
    _update(key, state=state)


@io(name="end trial")
def end_trial(key: str, outcome: Outcome) -> None:
    """Keep how it ended; what ended already stays as it is."""
    _update(key, ended_at=now(), outcome=outcome.verdict, reason=outcome.reason)


@io(name="end left trials")
def end_left_trials(problem: Problem) -> None:
    """Keep of trials whose end was interrupted that they have ended."""
    left = update(TRIALS).where(TRIALS.c.problem == problem.name, TRIALS.c.ended_at.is_(None))
    why = "its end was interrupted; the journal says why it came"
    with open_records().begin() as connection:
        connection.execute(left.values(ended_at=now(), outcome="stopped", reason=why))


def _update(key: str, **values: Any) -> None:
    query = update(TRIALS).where(TRIALS.c.key == key, TRIALS.c.ended_at.is_(None))
    with open_records().begin() as connection:
        connection.execute(query.values(**values))

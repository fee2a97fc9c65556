"""The verdicts of monitoring as a person reads them: what was concluded, why, and what waits."""

import json
from dataclasses import dataclass

from sqlalchemy import select

from bentos.log.tables import RELEASES, VERDICTS
from driftline.problem import Problem
from tasks.decorators import io
from tasks.log.records import open_records


@dataclass(frozen=True)
class Told:
    """One verdict without its evidence; `decision` is a person's on a quarantine, if there is."""

    key: str
    verdict: str
    model_version: str
    reasons: tuple[str, ...]
    first_prediction: int
    last_prediction: int
    decided_at: str
    report: str
    decision: str | None


@io(name="read verdicts")
def read_verdicts(problem: str, most: int) -> list[Told]:
    """The newest verdicts of a problem, the newest first."""
    shown = [VERDICTS.c[name] for name in Told.__dataclass_fields__ if name != "decision"]
    query = (
        select(*shown, RELEASES.c.decision)
        .join(RELEASES, RELEASES.c.verdict_key == VERDICTS.c.key, isouter=True)
        .where(VERDICTS.c.problem == problem)
        .order_by(VERDICTS.c.sequence.desc())
        .limit(most)
    )
    with open_records().connect() as connection:
        rows = connection.execute(query).mappings().all()
    return [
        Told(
            **{
                **row,
                "reasons": tuple(json.loads(row["reasons"])),
                "decided_at": row["decided_at"].isoformat(timespec="seconds"),
            }
        )
        for row in rows
    ]


@io(name="read what a person is asked")
def read_asked(problem: Problem) -> list[str]:
    """Why the newest verdict asks a person for a training; nothing where the loop orders it."""
    newest = read_verdicts.fn(problem.name, 1)  # type: ignore[attr-defined]
    is_asked = problem.changes.train == "person" and newest and newest[0].verdict == "retrain"
    return list(newest[0].reasons[:1]) if is_asked else []

"""The verdicts of monitoring as a person reads them: what was concluded, why, and what waits."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from bentos.log.tables import PARTS, PREDICTIONS, RELEASES, VERDICTS
from driftline.problem import Problem
from tasks.decorators import io
from tasks.log.records import open_records


@dataclass(frozen=True)
class Told:
    """One verdict without its evidence.

    `decision` is a person's on a quarantine, if there is; `rows` says how many predictions it holds
    where it waits for one, else None.
    """

    key: str
    verdict: str
    model_version: str
    reasons: tuple[str, ...]
    first_prediction: int
    last_prediction: int
    decided_at: str
    report: str
    decision: str | None
    rows: int | None = None


@io(name="read verdicts")
def read_verdicts(problem: str, most: int) -> list[Told]:
    """The newest verdicts of a problem, the newest first."""
    others = {"decision", "rows"}
    shown = [VERDICTS.c[name] for name in Told.__dataclass_fields__ if name not in others]
    query = (
        select(*shown, RELEASES.c.decision)
        .join(RELEASES, RELEASES.c.verdict_key == VERDICTS.c.key, isouter=True)
        .where(VERDICTS.c.problem == problem)
        .order_by(VERDICTS.c.sequence.desc())
        .limit(most)
    )
    with open_records().connect() as connection:
        return [
            Told(
                **{
                    **row,
                    "reasons": tuple(json.loads(row["reasons"])),
                    "decided_at": row["decided_at"].isoformat(timespec="seconds"),
                },
                rows=_count_waiting(connection, problem, dict(row)),
            )
            for row in connection.execute(query).mappings().all()
        ]


def _count_waiting(connection: Connection, problem: str, row: Mapping[str, Any]) -> int | None:
    """The predictions that a quarantine waits with; those of a part are many in one place."""
    if row["verdict"] != "quarantine" or row["decision"] is not None:
        return None
    query = (
        select(func.sum(func.coalesce(PARTS.c.rows_answered, 1)))
        .select_from(PREDICTIONS)
        .outerjoin(PARTS, PARTS.c.id == PREDICTIONS.c.id)
        .where(
            PREDICTIONS.c.problem == problem,
            PREDICTIONS.c.sequence.between(row["first_prediction"], row["last_prediction"]),
        )
    )
    return int(connection.execute(query).scalar() or 0)


@io(name="read what a person is asked")
def read_asked(problem: Problem) -> list[str]:
    """Why the newest verdict asks a person for a training; nothing where the loop orders it."""
    newest = read_verdicts.fn(problem.name, 1)  # type: ignore[attr-defined]
    is_asked = problem.changes.train == "person" and newest and newest[0].verdict == "retrain"
    return list(newest[0].reasons[:1]) if is_asked else []

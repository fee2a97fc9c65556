"""The prediction log as tables: windows of predictions, labelled rows, verdicts and orders."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Connection, select
from sqlalchemy.exc import IntegrityError

from bentos.log.batches import prediction_id
from bentos.log.tables import (
    LABELS,
    ORDERS,
    PARTS,
    PREDICTIONS,
    VERDICTS,
)
from driftline.portion import most_rows
from driftline.problem import Problem
from driftline.trial import Trial
from driftline.verdicts import DriftDecision, Window
from tasks.decorators import io
from tasks.log.damage import find_part
from tasks.log.inputs import (
    HAS_INPUTS,
    count_answered,
    read_inputs,
    read_logged,
    select_labelled,
)
from tasks.log.packing import ROW
from tasks.log.quarantine import outside_quarantine
from tasks.log.records import open_records
from tasks.progress import tell

A_DAY = timedelta(days=1)


@io(name="read window")
def read_window(problem: Problem, model_version: str) -> Window:
    """Predictions of this model since the last verdict on it, and labels not judged yet.

    With a label horizon, a label counts once its prediction is old enough that labels of every
    class have had time to come. What is in quarantine is left out.
    """
    verdict = _last_verdict(problem.name, model_version)
    state = {} if verdict is None else json.loads(verdict["evidence"])
    seen = 0 if verdict is None else int(verdict["last_prediction"])
    seen_label = int(state.get("last_label", 0))
    mine = (PREDICTIONS.c.problem == problem.name) & (PREDICTIONS.c.model_version == model_version)
    with open_records().connect() as connection:
        fresh = PREDICTIONS.c.sequence > seen
        came = read_inputs(connection, problem, mine, fresh, most=most_rows(problem))
        labelled, judged = _read_unjudged(connection, problem, mine, seen_label)
        sound = outside_quarantine(connection, problem.name)
        answered = count_answered(connection, labelled["_place"], mine, *sound)
    if len(came.inputs) < came.rows:
        tell(f"judged by {len(came.inputs)} of {came.rows} predictions, evenly chosen")
    return Window(
        inputs=came.inputs,
        labelled=labelled,
        first=came.first if came.rows else seen + 1,
        last=came.last if came.rows else seen,
        last_label=judged[-1] if judged else seen_label,
        seen=seen,
        seen_label=seen_label,
        state=state or _carry_over(problem.name),
        rows=came.rows,
        places=tuple(came.places),
        offsets=tuple(came.offsets),
        answered=answered,
    )


def _read_unjudged(
    connection: Connection, problem: Problem, mine: ColumnElement[bool], seen_label: int
) -> tuple[pd.DataFrame, list[int]]:
    """Labelled rows after a place, and their places: predictions' where there is a horizon.

    A label that comes after its cohort was judged is not judged any more; it teaches all the same.
    """
    horizon = problem.drift.label_horizon_days
    place = PREDICTIONS.c.sequence if horizon else LABELS.c.sequence
    told = (
        select_labelled(
            place,
            LABELS.c.label,
            PREDICTIONS.c.model_version,
            PREDICTIONS.c.sequence.label("predicted"),
        )
        .where(mine, place > seen_label, HAS_INPUTS)
        .where(*outside_quarantine(connection, problem.name))
        .order_by(place, LABELS.c.sequence)
    )
    if horizon:
        told = told.where(PREDICTIONS.c.answered_at <= _now() - timedelta(days=horizon))
    labels = connection.execute(told).all()
    logged = read_logged(labels, problem)
    labelled = logged.inputs
    labelled["_label"] = [labels[place].label for place in logged.places]
    labelled["_probabilities"] = logged.probabilities
    labelled["_place"] = [labels[place].predicted for place in logged.places]
    labelled["_version"] = [labels[place].model_version for place in logged.places]
    return labelled, [int(row[0]) for row in labels]


@io(name="read labels of trial")
def read_arms(problem: Problem, trial: Trial) -> tuple[dict[str, pd.DataFrame], int]:
    """Rows of a trial labelled since they were last judged, by who answered; and the last place.

    They count as a champion's do: past the label horizon, and not while they are in quarantine.
    """
    versions = (trial.champion, trial.version)
    mine = (
        (PREDICTIONS.c.problem == problem.name)
        & PREDICTIONS.c.model_version.in_(versions)
        & (PREDICTIONS.c.sequence > trial.first)
    )
    seen = trial.evidence.last_label
    with open_records().connect() as connection:
        labelled, places = _read_unjudged(connection, problem, mine, seen)
    arms = {each: labelled[labelled["_version"] == each] for each in versions}
    last = places[-1] if places else seen
    return {name: rows.reset_index(drop=True) for name, rows in arms.items()}, last


def _carry_over(problem: str) -> dict[str, Any]:
    """What a new champion takes over from the one before it: the price of a renewal."""
    query = select(VERDICTS.c.evidence).where(VERDICTS.c.problem == problem)
    with open_records().connect() as connection:
        found = connection.execute(query.order_by(VERDICTS.c.sequence.desc()).limit(1)).scalar()
    standing = json.loads(found).get("standing", {}) if found else {}
    return {"price": standing.get("price", 0.0)}


@io(name="read ids")
def ids_of(problem: Problem, window: Window, rows: Sequence[int]) -> list[str]:
    """Ids of predictions by their rows in a window, in that order."""
    places = [(window.places[row], window.offsets[row]) for row in rows]
    query = select(PREDICTIONS.c.sequence, PREDICTIONS.c.id, PARTS.c.batch, PARTS.c.sha256)
    query = query.outerjoin(PARTS, PARTS.c.id == PREDICTIONS.c.id)
    with open_records().connect() as connection:
        found = connection.execute(
            query.where(PREDICTIONS.c.sequence.in_({place for place, _ in places}))
        ).all()
    known = {
        place: [name] if batch is None else _ids_of_part(problem, name, batch, sha256)
        for place, name, batch, sha256 in found
    }
    return [known[place][offset] for place, offset in places if known.get(place)]


def _ids_of_part(problem: Problem, part: str, batch: str, sha256: str | None) -> list[str]:
    """Ids of a part's rows in order; none where it has been forgotten, or cannot be read."""
    table = None if sha256 is None else find_part(problem.name, part, sha256)
    return [] if table is None else [prediction_id(batch, row) for row in table[ROW].tolist()]


@io(name="read labelled rows")
def read_labelled(problem: Problem) -> pd.DataFrame:
    """Every labelled row with its true label under the target's name, the oldest label first.

    What is in quarantine teaches nobody until a person has released it.
    """
    with open_records().connect() as connection:
        query = (
            select_labelled(LABELS.c.label)
            .where(LABELS.c.problem == problem.name, HAS_INPUTS)
            .where(*outside_quarantine(connection, problem.name))
            .order_by(LABELS.c.sequence)
        )
        rows = connection.execute(query).all()
    logged = read_logged(rows, problem)
    return logged.inputs.assign(**{problem.target.name: [rows[at].label for at in logged.places]})


@io(name="record verdict")
def record_verdict(
    problem: Problem,
    decision: DriftDecision,
    *,
    key: str,
    model_version: str,
    window: Window,
    evidence: Mapping[str, Any],
    report: str,
    report_sha256: str,
) -> bool:
    """Keep the verdict and order what it calls for in one step; False where it was kept before."""
    now = _now()
    row = {
        "key": key,
        "problem": problem.name,
        "model_version": model_version,
        "verdict": decision.verdict,
        "reasons": json.dumps(decision.reasons),
        "evidence": json.dumps({**evidence, "last_label": window.last_label}, default=float),
        "report": report,
        "report_sha256": report_sha256,
        "first_prediction": window.first,
        "last_prediction": window.last,
        "decided_at": now,
    }
    order = {
        "key": f"verdict:{key}",
        "problem": problem.name,
        "kind": "train",
        "state": "open",
        "changed_at": now,
    }
    try:
        with open_records().begin() as connection:
            connection.execute(VERDICTS.insert(), row)
            if decision.verdict == "retrain" and problem.changes.train == "itself":
                connection.execute(ORDERS.insert(), order)
    except IntegrityError:
        return False
    return True


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _last_verdict(problem: str, model_version: str) -> Mapping[str, Any] | None:
    query = (
        select(VERDICTS)
        .where(VERDICTS.c.problem == problem, VERDICTS.c.model_version == model_version)
        .order_by(VERDICTS.c.sequence.desc())
        .limit(1)
    )
    with open_records().connect() as connection:
        return connection.execute(query).mappings().first()  # type: ignore[return-value]

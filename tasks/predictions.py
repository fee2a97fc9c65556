"""The prediction log as tables: windows of predictions, labelled rows, verdicts and orders."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from bentos.database import order_all_checks
from bentos.tables import LABELS, ORDERS, PREDICTIONS, VERDICTS
from driftline.drift import DriftDecision
from driftline.problem import Problem
from driftline.verdicts import Window
from tasks.decorators import io
from tasks.records import open_records

MOST_ROWS = 50_000
A_DAY = timedelta(days=1)


@io(name="read window")
def read_window(problem: Problem, model_version: str) -> Window:
    """Predictions of this model since the last verdict on it, and labels since, by sequence."""
    verdict = _last_verdict(problem.name, model_version)
    seen = 0 if verdict is None else int(verdict["last_prediction"])
    seen_label = 0 if verdict is None else int(json.loads(verdict["evidence"])["last_label"])
    mine = (PREDICTIONS.c.problem == problem.name) & (PREDICTIONS.c.model_version == model_version)
    fresh = (
        select(PREDICTIONS.c.sequence, PREDICTIONS.c.inputs)
        .where(mine, PREDICTIONS.c.sequence > seen, PREDICTIONS.c.inputs.is_not(None))
        .order_by(PREDICTIONS.c.sequence.desc())
        .limit(MOST_ROWS)
    )
    told = (
        select(LABELS.c.sequence, LABELS.c.label, PREDICTIONS.c.inputs, PREDICTIONS.c.probabilities)
        .join(PREDICTIONS, PREDICTIONS.c.id == LABELS.c.prediction_id)
        .where(mine, LABELS.c.sequence > seen_label, PREDICTIONS.c.inputs.is_not(None))
        .order_by(LABELS.c.sequence.desc())
        .limit(MOST_ROWS)
    )
    with open_records().connect() as connection:
        predictions = [*reversed(connection.execute(fresh).all())]
        labels = [*reversed(connection.execute(told).all())]
    labelled = _table([row.inputs for row in labels], problem)
    labelled["_label"] = [row.label for row in labels]
    labelled["_probabilities"] = [json.loads(row.probabilities) for row in labels]
    return Window(
        inputs=_table([row.inputs for row in predictions], problem),
        labelled=labelled,
        first=int(predictions[0].sequence) if predictions else seen,
        last=int(predictions[-1].sequence) if predictions else seen,
        last_label=int(labels[-1].sequence) if labels else seen_label,
        seen=seen,
        seen_label=seen_label,
    )


@io(name="read labelled rows")
def read_labelled(problem: Problem) -> pd.DataFrame:
    """Every labelled row with its true label under the target's name, the oldest label first."""
    query = (
        select(PREDICTIONS.c.inputs, LABELS.c.label)
        .join(PREDICTIONS, PREDICTIONS.c.id == LABELS.c.prediction_id)
        .where(LABELS.c.problem == problem.name, PREDICTIONS.c.inputs.is_not(None))
        .order_by(LABELS.c.sequence)
    )
    with open_records().connect() as connection:
        rows = connection.execute(query).all()
    table = _table([row.inputs for row in rows], problem)
    table[problem.target.name] = [row.label for row in rows]
    return table


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
    now = datetime.now(UTC).replace(tzinfo=None)
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
            if decision.verdict == "retrain":
                connection.execute(ORDERS.insert(), order)
    except IntegrityError:
        return False
    return True


@io(name="claim orders")
def claim_orders(problem: str, kind: str, run_id: str) -> list[str]:
    """Take every open order of a kind for this run; an order is taken by one run only."""
    with open_records().begin() as connection:
        connection.execute(
            update(ORDERS)
            .where(ORDERS.c.problem == problem, ORDERS.c.kind == kind, ORDERS.c.state == "open")
            .values(state="claimed", claimed_by=run_id, changed_at=_now())
        )
        query = select(ORDERS.c.key).where(
            ORDERS.c.claimed_by == run_id, ORDERS.c.state == "claimed"
        )
        return list(connection.execute(query).scalars())


@io(name="finish orders")
def finish_orders(run_id: str, *, is_done: bool) -> None:
    """What this run has claimed is done, or open again where it was not carried out.

    An order that another run holds by now, since this one was taken for dead, stays as it is.
    """
    state = "done" if is_done else "open"
    with open_records().begin() as connection:
        connection.execute(
            update(ORDERS)
            .where(ORDERS.c.claimed_by == run_id, ORDERS.c.state == "claimed")
            .values(state=state, changed_at=_now())
        )


@io(name="look for open orders")
def open_orders(problem: Problem) -> dict[str, int]:
    """How many orders of each kind wait; places those that a dying service did not get to."""
    engine = open_records()
    order_all_checks(engine, problem.name, every=problem.drift.labels_per_check)
    query = (
        select(ORDERS.c.kind, func.count())
        .where(ORDERS.c.problem == problem.name, ORDERS.c.state == "open")
        .group_by(ORDERS.c.kind)
    )
    with engine.connect() as connection:
        return {kind: int(count) for kind, count in connection.execute(query).all()}


@io(name="look for claimed orders")
def claiming_runs(problem: str) -> list[str]:
    """The runs that have claimed orders and not finished them."""
    query = select(ORDERS.c.claimed_by.distinct()).where(
        ORDERS.c.problem == problem, ORDERS.c.state == "claimed"
    )
    with open_records().connect() as connection:
        return [str(run_id) for run_id in connection.execute(query).scalars()]


@io(name="free orders")
def free_orders(problem: str, ended_runs: Iterable[str]) -> int:
    """Open again what ended runs had claimed and not finished; returns how many orders.

    A machine that is lost leaves runs behind that never end: no claim lasts longer than a day.
    """
    is_over = ORDERS.c.claimed_by.in_(list(ended_runs)) | (ORDERS.c.changed_at < _now() - A_DAY)
    with open_records().begin() as connection:
        done = connection.execute(
            update(ORDERS)
            .where(ORDERS.c.problem == problem, ORDERS.c.state == "claimed", is_over)
            .values(state="open", changed_at=_now())
        )
    return int(done.rowcount)


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


def _table(inputs: Sequence[str], problem: Problem) -> pd.DataFrame:
    """Logged inputs under the problem's columns; what a record left out is missing."""
    rows = [json.loads(text) for text in inputs]
    return pd.DataFrame(rows, columns=list(problem.columns))

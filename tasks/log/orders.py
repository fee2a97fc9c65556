"""Orders: what verdicts and labels call for, each claimed and finished by one run."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select, update

from bentos.log.database import order_all_checks
from bentos.log.tables import ORDERS, VERDICTS
from driftline.problem import Problem
from tasks.decorators import io
from tasks.log.records import open_records

A_DAY = timedelta(days=1)


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


@io(name="read reasons of orders")
def read_reasons(orders: Sequence[str]) -> list[str]:
    """Why trainings were ordered: the first reason of each verdict that did so."""
    keys = [order.removeprefix("verdict:") for order in orders]
    query = select(VERDICTS.c.reasons).where(VERDICTS.c.key.in_(keys))
    with open_records().connect() as connection:
        return [json.loads(text)[0] for text in connection.execute(query).scalars()]


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)

"""Orders: what verdicts and labels call for, each claimed and finished by one run."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, func, select, update

from bentos.log.database import order_all_checks
from bentos.log.tables import ORDERS, VERDICTS
from driftline.problem import Problem
from tasks.decorators import io
from tasks.log.attempts import GIVEN_UP, TOLD, add_failures, due_orders
from tasks.log.records import open_records

A_DAY = timedelta(days=1)


@io(name="claim orders")
def claim_orders(problem: str, kind: str, run_id: str) -> list[str]:
    """Take every order of a kind that is not done for this run, those given up too.

    An order is taken by one run only.
    """
    is_waiting = ORDERS.c.state.in_(["open", GIVEN_UP, TOLD])
    with open_records().begin() as connection:
        mine = (ORDERS.c.problem == problem) & (ORDERS.c.kind == kind) & is_waiting
        return _claim(connection, mine, run_id)


@io(name="claim due orders")
def claim_due_orders(problem: str, kind: str, run_id: str) -> list[str]:
    """Take the open orders of a kind that do not pause after a failure."""
    with open_records().begin() as connection:
        due = due_orders(connection, problem, kind)
        return _claim(connection, ORDERS.c.key.in_(due) & (ORDERS.c.state == "open"), run_id)


def _claim(connection: Connection, wanted: ColumnElement[bool], run_id: str) -> list[str]:
    connection.execute(
        update(ORDERS).where(wanted).values(state="claimed", claimed_by=run_id, changed_at=_now())
    )
    query = select(ORDERS.c.key).where(ORDERS.c.claimed_by == run_id, ORDERS.c.state == "claimed")
    return list(connection.execute(query).scalars())


@io(name="finish orders")
def finish_orders(run_id: str, *, is_done: bool) -> None:
    """What this run has claimed is done, or open again where it was not carried out.

    An order that another run holds by now, since this one was taken for dead, stays as it is.
    """
    mine = (ORDERS.c.claimed_by == run_id) & (ORDERS.c.state == "claimed")
    with open_records().begin() as connection:
        if is_done:
            done = update(ORDERS).where(mine).values(state="done", changed_at=_now())
            connection.execute(done)
        else:
            _fail(connection, mine)


@io(name="look for open orders")
def open_orders(problem: Problem) -> dict[str, int]:
    """How many due orders of each kind wait; places those that a dying service did not get to."""
    engine = open_records()
    order_all_checks(engine, problem.name, every=problem.drift.labels_per_check)
    with engine.connect() as connection:
        due = due_orders(connection, problem.name)
        query = select(ORDERS.c.kind, func.count()).where(ORDERS.c.key.in_(due))
        counted = connection.execute(query.group_by(ORDERS.c.kind)).all()
    return {kind: int(count) for kind, count in counted}


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
        over = (ORDERS.c.problem == problem) & (ORDERS.c.state == "claimed") & is_over
        return _fail(connection, over)


def _fail(connection: Connection, wanted: ColumnElement[bool]) -> int:
    """Count a failure of these claimed orders; how many they are."""
    claimed = connection.execute(select(ORDERS.c.key, ORDERS.c.claimed_by).where(wanted)).all()
    add_failures(connection, [row.key for row in claimed], [row.claimed_by for row in claimed])
    return len(claimed)


@io(name="read reasons of orders")
def read_reasons(orders: Sequence[str]) -> list[str]:
    """Why trainings were ordered: the first reason of each verdict that did so."""
    keys = [order.removeprefix("verdict:") for order in orders]
    query = select(VERDICTS.c.reasons).where(VERDICTS.c.key.in_(keys))
    with open_records().connect() as connection:
        return [json.loads(text)[0] for text in connection.execute(query).scalars()]


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)

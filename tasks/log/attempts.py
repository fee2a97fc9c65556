"""Attempts at orders that failed: how long an order waits after each, and when it is given up.

An order that is given up is told to a person once; whoever runs its flow by hand takes it up.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, func, select, update

from bentos.log.tables import FAILURES, ORDERS
from driftline.errors import DriftlineError
from tasks.log.records import open_records
from tasks.reaching import naming_outages

PAUSES = tuple(timedelta(minutes=minutes) for minutes in (0, 5, 15, 60))  # after each failure
ATTEMPTS = len(PAUSES) + 1
GIVEN_UP, TOLD = "failed", "told"  # states of an order that nobody takes up by himself


def due_orders(connection: Connection, problem: str, kind: str | None = None) -> list[str]:
    """Keys of the open orders that do not pause after a failure."""
    query = (
        select(ORDERS.c.key, func.count(FAILURES.c.sequence), func.max(FAILURES.c.at))
        .outerjoin(FAILURES, FAILURES.c.order_key == ORDERS.c.key)
        .where(ORDERS.c.problem == problem, ORDERS.c.state == "open")
        .group_by(ORDERS.c.key)
    )
    if kind is not None:
        query = query.where(ORDERS.c.kind == kind)
    now = datetime.now(UTC).replace(tzinfo=None)
    return [
        key
        for key, failures, last in connection.execute(query)
        if not failures or now >= last + PAUSES[min(failures, len(PAUSES)) - 1]
    ]


def add_failures(connection: Connection, keys: Sequence[str], run_ids: Sequence[str]) -> None:
    """Count a failure of each order by the run that had claimed it; give up what failed often."""
    if not keys:
        return
    now = datetime.now(UTC).replace(tzinfo=None)
    rows = [
        {"order_key": key, "run_id": run_id, "at": now}
        for key, run_id in zip(keys, run_ids, strict=True)
    ]
    connection.execute(FAILURES.insert(), rows)
    often = (
        select(FAILURES.c.order_key)
        .where(FAILURES.c.order_key.in_(keys))
        .group_by(FAILURES.c.order_key)
        .having(func.count() >= ATTEMPTS)
    )
    hopeless = list(connection.execute(often).scalars())
    _change(connection, keys, to="open")
    _change(connection, hopeless, to=GIVEN_UP)


def take_given_up(problem: str) -> list[str]:
    """Kinds of the orders that are given up and were told to nobody yet: each comes up once."""
    query = select(ORDERS.c.key, ORDERS.c.kind).where(
        ORDERS.c.problem == problem, ORDERS.c.state == GIVEN_UP
    )
    taken = []
    with naming_outages(), open_records().begin() as connection:
        for key, kind in connection.execute(query).all():
            done = connection.execute(
                update(ORDERS)
                .where(ORDERS.c.key == key, ORDERS.c.state == GIVEN_UP)
                .values(state=TOLD)
            )
            taken += [kind] if done.rowcount else []
    return sorted(set(taken))


def newest_failures(problem: str) -> list[str]:
    """The runs by which open orders of a problem failed last."""
    newest = select(func.max(FAILURES.c.sequence)).group_by(FAILURES.c.order_key)
    query = (
        select(FAILURES.c.run_id.distinct())
        .join(ORDERS, ORDERS.c.key == FAILURES.c.order_key)
        .where(ORDERS.c.problem == problem, ORDERS.c.state == "open")
        .where(FAILURES.c.sequence.in_(newest))
    )
    with naming_outages(), open_records().connect() as connection:
        return [str(run_id) for run_id in connection.execute(query).scalars()]


def give_up(problem: str, run_ids: Collection[str]) -> list[str]:
    """Give up the open orders that failed by these runs; their kinds, for the caller to tell."""
    failed = select(FAILURES.c.order_key).where(FAILURES.c.run_id.in_(list(run_ids)))
    theirs = (ORDERS.c.problem == problem) & (ORDERS.c.state == "open") & ORDERS.c.key.in_(failed)
    with naming_outages(), open_records().begin() as connection:
        found = connection.execute(select(ORDERS.c.key, ORDERS.c.kind).where(theirs)).all()
        _change(connection, [key for key, _ in found], to=TOLD)
    return sorted({kind for _, kind in found})


def give_up_before(problem: str, kind: str, moment: datetime) -> bool:
    """Give up the orders of a kind that were open at a moment; whether there were any."""
    then = moment.astimezone(UTC).replace(tzinfo=None)
    theirs = (ORDERS.c.problem == problem) & (ORDERS.c.kind == kind) & (ORDERS.c.state == "open")
    with naming_outages(), open_records().begin() as connection:
        found = select(ORDERS.c.key).where(theirs, ORDERS.c.changed_at <= then)
        keys = list(connection.execute(found).scalars())
        _change(connection, keys, to=TOLD)
    return bool(keys)


def take_given_up_if_there(problem: str) -> list[str] | None:
    """The same, or None where the database cannot be asked."""
    try:
        return take_given_up(problem)
    except DriftlineError:
        return None


def _change(connection: Connection, keys: Collection[str], *, to: str) -> None:
    now = datetime.now(UTC).replace(tzinfo=None)
    connection.execute(
        update(ORDERS)
        .where(ORDERS.c.key.in_(list(keys)), ORDERS.c.state.in_(["claimed", "open"]))
        .values(state=to, changed_at=now)
    )

"""Orders in the prediction log's database: what is to be done once, and the checks of labels."""

from collections.abc import Sequence
from functools import partial
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, case, func, select
from sqlalchemy.exc import IntegrityError

from bentos.log.checks import Tally, all_keys, count_on, newest_key
from bentos.log.rows import order_row
from bentos.log.tables import LABELS, ORDERS

_TALLIES: WeakKeyDictionary[Engine, dict[str, Tally]] = WeakKeyDictionary()


def place_order(engine: Engine, problem: str, kind: str, key: str) -> bool:
    """Order something to be done once; whether it had not been ordered before."""
    try:
        with engine.begin() as connection:
            connection.execute(ORDERS.insert(), order_row(problem, kind, key))
    except IntegrityError:
        return False
    return True


def order_checks(engine: Engine, problem: str, *, every: int) -> list[str]:
    """Order the checks that new labels call for; returns the keys of those that are new.

    Cheap enough to follow each label: labels that this process has counted are not counted again,
    and the newest check's order tells that those before it were placed.
    """
    tallies = _TALLIES.setdefault(engine, {})
    with engine.connect() as connection:
        count = partial(_count_between, connection, problem)
        labels, tallies[problem] = count_on(tallies.get(problem, Tally()), count)
        newest = newest_key(problem, labels, every)
        is_placed = select(ORDERS.c.sequence).where(ORDERS.c.key == newest)
        if newest is None or connection.execute(is_placed).scalar() is not None:
            return []
    return _place_missing(engine, problem, all_keys(problem, labels, every))


def order_all_checks(engine: Engine, problem: str, *, every: int) -> list[str]:
    """The same from scratch: counts every label, and looks for the order of every check."""
    return _place_missing(engine, problem, all_keys(problem, count_labels(engine, problem), every))


def oldest_open_check(engine: Engine, problem: str) -> str | None:
    """The key of the check that has waited longest; who carries it out takes all that wait."""
    query = select(ORDERS.c.key).where(
        ORDERS.c.problem == problem, ORDERS.c.kind == "monitor", ORDERS.c.state == "open"
    )
    with engine.connect() as connection:
        return connection.execute(query.order_by(ORDERS.c.sequence).limit(1)).scalar()


def _place_missing(engine: Engine, problem: str, keys: Sequence[str]) -> list[str]:
    query = select(ORDERS.c.key).where(ORDERS.c.problem == problem, ORDERS.c.kind == "monitor")
    with engine.connect() as connection:
        known = set(connection.execute(query).scalars())
    missing = [key for key in keys if key not in known]
    return [key for key in missing if place_order(engine, problem, "monitor", key)]


def _count_between(connection: Connection, problem: str, after: int, up_to: int) -> tuple[int, int]:
    """How many labels of a problem lie between two sequences, and the newest label of any.

    The problem is no condition: by it, MariaDB would read all of its labels.
    """
    mine = func.sum(case((LABELS.c.problem == problem, 1), else_=0))
    query = select(mine, func.max(LABELS.c.sequence))
    between = LABELS.c.sequence.between(after + 1, up_to)
    count, newest = connection.execute(query.where(between)).one()
    return int(count or 0), int(newest or 0)


def count_labels(engine: Engine, problem: str) -> int:
    """How many labels a problem has."""
    query = select(func.count()).select_from(LABELS).where(LABELS.c.problem == problem)
    with engine.connect() as connection:
        return int(connection.execute(query).scalar_one())

"""What the database tells of a problem's loop, by queries that stay cheap as the log grows.

Counts, moments and verdicts only: nothing that says what was in a record.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, get_args

from sqlalchemy import Connection, Table, case, func, select

from bentos.log.checks import Tally, count_on
from bentos.log.tables import LABELS, ORDERS, PARTS, PREDICTIONS, RELEASES, VERDICTS
from deployments.exporter.journal import Tenure, read_tenure
from driftline.verdicts import Verdict

KINDS: Final = ("monitor", "train")
STATES: Final = ("open", "claimed", "done", "failed", "told")
WAITING: Final = ("open", "claimed", "failed", "told")
WORDS: Final[tuple[str, ...]] = get_args(Verdict)
QUARANTINE: Final = "quarantine"
LAG_LABELS: Final = 200  # the newest, whose way from the answer to the label is measured
LEAST_LABELS: Final = 20  # for a figure about single answers


@dataclass(frozen=True)
class Records:
    """A problem's loop; moments are in seconds since the epoch, and None where there is none."""

    tenure: Tenure
    orders: Mapping[tuple[str, str], int]
    waiting_since: Mapping[str, float]  # by kind of order
    verdicts: Mapping[str, int]
    verdict: str | None  # the newest on the champion
    verdict_at: float | None
    quarantines: int  # that wait for a person
    predictions: int
    labels: int
    label_lags: tuple[float, ...]  # seconds
    labels_awaited_since: float | None


@dataclass
class Counted:
    """How far each table's rows of a problem were counted, so that none is counted twice."""

    tallies: dict[str, Tally] = field(default_factory=dict)


def read_records(connection: Connection, problem: str, counted: Counted) -> Records:
    """Everything at this moment."""
    tenure = read_tenure(connection, problem)
    verdict, verdict_at = _newest_verdict(connection, problem, tenure.version)
    return Records(
        tenure=tenure,
        orders=_count_orders(connection, problem),
        waiting_since=_waiting_orders(connection, problem),
        verdicts=_count_verdicts(connection, problem),
        verdict=verdict,
        verdict_at=verdict_at,
        quarantines=_open_quarantines(connection, problem),
        predictions=_count(connection, PREDICTIONS, problem, counted)
        + _count_beyond_places(connection, problem),
        labels=_count(connection, LABELS, problem, counted),
        label_lags=_label_lags(connection, problem),
        labels_awaited_since=_labels_awaited_since(connection, problem),
    )


def _count_orders(connection: Connection, problem: str) -> dict[tuple[str, str], int]:
    query = select(ORDERS.c.kind, ORDERS.c.state, func.count()).where(ORDERS.c.problem == problem)
    found = connection.execute(query.group_by(ORDERS.c.kind, ORDERS.c.state)).all()
    return dict.fromkeys(((kind, state) for kind in KINDS for state in STATES), 0) | {
        (kind, state): int(count) for kind, state, count in found
    }


def _waiting_orders(connection: Connection, problem: str) -> dict[str, float]:
    """Since when the order that has waited longest stands as it is."""
    query = select(ORDERS.c.kind, func.min(ORDERS.c.changed_at)).where(
        ORDERS.c.problem == problem, ORDERS.c.state.in_(WAITING)
    )
    found = connection.execute(query.group_by(ORDERS.c.kind)).all()
    return {kind: _seconds(at) for kind, at in found}


def _count_verdicts(connection: Connection, problem: str) -> dict[str, int]:
    query = select(VERDICTS.c.verdict, func.count()).where(VERDICTS.c.problem == problem)
    found = connection.execute(query.group_by(VERDICTS.c.verdict)).all()
    return dict.fromkeys(WORDS, 0) | {word: int(count) for word, count in found}


def _newest_verdict(
    connection: Connection, problem: str, champion: str | None
) -> tuple[str | None, float | None]:
    """The newest verdict, and when it was; a new champion has none yet."""
    query = select(VERDICTS.c.verdict, VERDICTS.c.model_version, VERDICTS.c.decided_at)
    query = query.where(VERDICTS.c.problem == problem).order_by(VERDICTS.c.sequence.desc())
    found = connection.execute(query.limit(1)).first()
    if found is None:
        return None, None
    is_current = champion in {None, found.model_version}
    return found.verdict if is_current else None, _seconds(found.decided_at)


def _open_quarantines(connection: Connection, problem: str) -> int:
    """Windows that were judged broken and that nobody has released or dropped.

    Refusals alone leave no rows to decide on: they count while no later verdict was found.
    """
    newest = select(func.max(VERDICTS.c.sequence)).where(VERDICTS.c.problem == problem)
    decided = select(RELEASES.c.verdict_key).where(RELEASES.c.problem == problem)
    has_rows = VERDICTS.c.first_prediction <= VERDICTS.c.last_prediction
    query = select(func.count()).where(
        VERDICTS.c.problem == problem,
        VERDICTS.c.verdict == QUARANTINE,
        VERDICTS.c.key.not_in(decided),
        has_rows | (VERDICTS.c.sequence == newest.scalar_subquery()),
    )
    return int(connection.execute(query).scalar_one())


def _count(connection: Connection, table: Table, problem: str, counted: Counted) -> int:
    """All rows of a problem; those that were counted before are not read again."""
    mine = func.sum(case((table.c.problem == problem, 1), else_=0))

    def between(after: int, up_to: int) -> tuple[int, int]:
        query = select(mine, func.max(table.c.sequence))
        rows = query.where(table.c.sequence.between(after + 1, up_to))
        count, newest = connection.execute(rows).one()
        return int(count or 0), int(newest or 0)

    total, tally = count_on(counted.tallies.get(table.name, Tally()), between)
    counted.tallies[table.name] = tally
    return total


def _count_beyond_places(connection: Connection, problem: str) -> int:
    """Predictions in parts of batches, beyond the one row that each part has among the others."""
    query = (
        select(func.sum(PARTS.c.rows_answered), func.count())
        .join(PREDICTIONS, PREDICTIONS.c.id == PARTS.c.id)
        .where(PREDICTIONS.c.problem == problem)
    )
    rows, parts = connection.execute(query).one()
    return int(rows or 0) - int(parts)


def _label_lags(connection: Connection, problem: str) -> tuple[float, ...]:
    """Seconds from answer to label of the newest labels; none of too few to hide one among."""
    query = (
        select(LABELS.c.received_at, PREDICTIONS.c.answered_at)
        .join(PREDICTIONS, PREDICTIONS.c.id == func.coalesce(LABELS.c.part, LABELS.c.prediction_id))
        .where(LABELS.c.problem == problem)
        .order_by(LABELS.c.sequence.desc())
        .limit(LAG_LABELS)
    )
    lags = [max(0.0, (got - gave).total_seconds()) for got, gave in connection.execute(query)]
    return tuple(lags) if len(lags) >= LEAST_LABELS else ()


def _labels_awaited_since(connection: Connection, problem: str) -> float | None:
    """When the first prediction was answered after which no label has come."""
    newest = select(LABELS.c.received_at).where(LABELS.c.problem == problem)
    last = connection.execute(newest.order_by(LABELS.c.sequence.desc()).limit(1)).scalar()
    query = select(PREDICTIONS.c.answered_at)
    if last is None:
        mine = PREDICTIONS.c.problem == problem
        query = query.where(mine).order_by(PREDICTIONS.c.sequence)
    else:  # found by the index of times: by that of problems, all of its rows would be read
        mine = PREDICTIONS.c.problem.concat("") == problem
        after = PREDICTIONS.c.answered_at > last
        query = query.where(mine, after).order_by(PREDICTIONS.c.answered_at)
    found = connection.execute(query.limit(1)).scalar()
    return None if found is None else _seconds(found)


def _seconds(moment: datetime) -> float:
    return moment.replace(tzinfo=UTC).timestamp()

"""The prediction log's database: SQLite, PostgreSQL, MySQL or MariaDB, by URL.

Writes are idempotent by prediction id: what is written twice stands once.
"""

import os
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Engine, Insert, create_engine, event, func, select, update
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError

from bentos.tables import LABELS, ORDERS, PREDICTIONS, VERDICTS

LabelOutcome = Literal["added", "same", "different", "unknown"]
CONNECT_SECONDS = 5
SQLITE_WAIT_SECONDS = 30
ROWS_PER_INSERT = 500

DIALECTS = {
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "mariadb+pymysql": "mysql+pymysql",
}

DatabaseError = DBAPIError


def database_url() -> str:
    """`DRIFTLINE_DATABASE_URL`, or a SQLite file in the state folder."""
    home = Path(os.environ.get("DRIFTLINE_HOME", ".driftline")).absolute()
    return os.environ.get("DRIFTLINE_DATABASE_URL") or f"sqlite:///{home / 'predictions.db'}"


def open_engine(url: str) -> Engine:
    """An engine whose connections give up soon, and whose SQLite file many may use at once."""
    kind, _, rest = url.partition("://")
    url = f"{DIALECTS.get(kind, kind)}://{rest}"
    if url.startswith("sqlite"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(url, connect_args={"timeout": SQLITE_WAIT_SECONDS})
        event.listen(engine, "connect", _prepare_sqlite)
        return engine
    return create_engine(
        url, pool_pre_ping=True, pool_recycle=300, connect_args={"connect_timeout": CONNECT_SECONDS}
    )


def migrate(engine: Engine, attempts: int = 5) -> None:
    """Bring the tables up to date; safe when several processes start at once."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    for attempt in range(1, attempts + 1):
        try:
            with engine.begin() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        except DBAPIError:
            if attempt == attempts:
                raise
            time.sleep(0.5 * attempt)
        else:
            return


def insert_predictions(engine: Engine, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add predictions; those that are there already stay as they are."""
    statement = _insert_ignoring(engine, PREDICTIONS, "id")
    with engine.begin() as connection:
        for start in range(0, len(rows), ROWS_PER_INSERT):
            connection.execute(
                statement, [dict(row) for row in rows[start : start + ROWS_PER_INSERT]]
            )


def add_label(engine: Engine, prediction_id: str, label: str) -> LabelOutcome:
    """Keep the first label of a known prediction; tells what became of this one."""
    known = select(PREDICTIONS.c.problem).where(PREDICTIONS.c.id == prediction_id)
    kept = select(LABELS.c.label).where(LABELS.c.prediction_id == prediction_id)
    with engine.connect() as connection:
        problem = connection.execute(known).scalar()
        if problem is None:
            return "unknown"
        before = connection.execute(kept).scalar()
    if before is not None:
        return "same" if before == label else "different"
    row = {
        "prediction_id": prediction_id,
        "problem": problem,
        "label": label,
        "received_at": datetime.now(UTC).replace(tzinfo=None),
    }
    try:
        with engine.begin() as connection:
            connection.execute(LABELS.insert(), row)
    except IntegrityError:  # another sender was faster
        with engine.connect() as connection:
            return "same" if connection.execute(kept).scalar() == label else "different"
    return "added"


def order_checks(engine: Engine, problem: str, *, every: int) -> list[str]:
    """Order a check for each full `every` labels that has none yet; returns the new orders' keys.

    The count is what the table holds, and an order's key is the count it stands for: whoever calls
    this, however often, and whoever died before, there is one order for each.
    """
    full = count_labels(engine, problem) // every
    wanted = [f"labels:{problem}:{n * every}" for n in range(1, full + 1)]
    query = select(ORDERS.c.key).where(ORDERS.c.problem == problem, ORDERS.c.kind == "monitor")
    with engine.connect() as connection:
        known = set(connection.execute(query).scalars())
    missing = [key for key in wanted if key not in known]
    return [key for key in missing if place_order(engine, problem, "monitor", key)]


def place_order(engine: Engine, problem: str, kind: str, key: str) -> bool:
    """Order something to be done once; whether it had not been ordered before."""
    row = {
        "key": key,
        "problem": problem,
        "kind": kind,
        "state": "open",
        "changed_at": datetime.now(UTC).replace(tzinfo=None),
    }
    try:
        with engine.begin() as connection:
            connection.execute(ORDERS.insert(), row)
    except IntegrityError:
        return False
    return True


def purge_inputs(engine: Engine, *, days: float, now: datetime) -> int:
    """Forget the inputs of predictions older than `days`; returns how many were purged."""
    oldest = (now - timedelta(days=days)).replace(tzinfo=None)
    old = (PREDICTIONS.c.answered_at < oldest) & PREDICTIONS.c.inputs.is_not(None)
    with engine.begin() as connection:
        done = connection.execute(update(PREDICTIONS).where(old).values(inputs=None))
    return int(done.rowcount)


def last_verdict(engine: Engine, problem: str) -> str | None:
    """The newest verdict on a problem."""
    query = select(VERDICTS.c.verdict).where(VERDICTS.c.problem == problem)
    with engine.connect() as connection:
        found = connection.execute(query.order_by(VERDICTS.c.sequence.desc()).limit(1)).scalar()
    return None if found is None else str(found)


def count_labels(engine: Engine, problem: str) -> int:
    """How many labels a problem has."""
    query = select(func.count()).select_from(LABELS).where(LABELS.c.problem == problem)
    with engine.connect() as connection:
        return int(connection.execute(query).scalar_one())


def _insert_ignoring(engine: Engine, table: Any, unique: str) -> Insert:
    if engine.dialect.name == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing(index_elements=[unique])
    if engine.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing(index_elements=[unique])
    # not IGNORE, which would swallow every other error too
    statement = mysql.insert(table)
    return statement.on_duplicate_key_update({unique: statement.inserted[unique]})


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()

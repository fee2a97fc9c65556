"""The prediction log's database: SQLite, PostgreSQL, MySQL or MariaDB, by URL.

Writes are idempotent by prediction id: what is written twice stands once. What is ordered stands in
`orders`, and may be imported from here.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Insert,
    create_engine,
    event,
    inspect,
    select,
    update,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, ProgrammingError

from bentos.log.mistakes import NO_ROOM_LEFT, advice_on, is_full
from bentos.log.orders import (
    count_labels,
    oldest_open_check,
    order_all_checks,
    order_checks,
    place_order,
)
from bentos.log.parts import find_prediction
from bentos.log.rows import label_row
from bentos.log.tables import LABELS, PREDICTIONS, REFUSALS, VERDICTS
from bentos.settings import database_kind, state_folder

__all__ = [
    "DatabaseError",
    "LabelOutcome",
    "add_label",
    "count_labels",
    "database_url",
    "explain",
    "insert_ignoring",
    "insert_predictions",
    "insert_rows",
    "last_verdict",
    "migrate",
    "oldest_open_check",
    "open_engine",
    "order_all_checks",
    "order_checks",
    "place_order",
    "purge_inputs",
]

Row = Mapping[str, Any]
LabelOutcome = Literal["added", "same", "different", "unknown"]
CONNECT_SECONDS = 5
SILENCE_SECONDS = 300.0
SQLITE_WAIT_SECONDS = 30
ROWS_PER_INSERT = 5000  # each costs a round trip, however slow the network
ROWS_PER_PURGE = 1000
KEEPALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}

DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}

MIGRATION_LOCKS = {
    "sqlite": ("BEGIN IMMEDIATE", None),
    "postgresql": ("SELECT pg_advisory_xact_lock(7254129023)", None),
    "mysql": (
        "SELECT GET_LOCK(MD5(CONCAT('driftline', DATABASE())), 60)",
        "SELECT RELEASE_LOCK(MD5(CONCAT('driftline', DATABASE())))",
    ),
}

DatabaseError = DBAPIError


def database_url() -> str:
    """`DRIFTLINE_DATABASE_URL`, or a SQLite file in the state folder."""
    own = f"sqlite:///{state_folder() / 'predictions.db'}"
    return os.environ.get("DRIFTLINE_DATABASE_URL") or own


def open_engine(url: str, *, silence_seconds: float = SILENCE_SECONDS) -> Engine:
    """An engine whose connections give up soon, and whose SQLite file many may use at once.

    A server that says nothing for `silence_seconds` is given up. All that follows `sqlite:///` is
    the file's path: a `?` or `%` in it is a part of its name.
    """
    kind, (_, _, rest) = database_kind(url), url.partition("://")
    if kind == "sqlite":
        return _open_sqlite(rest.removeprefix("/"))
    arguments: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS}
    if kind == "mysql":
        arguments |= {"read_timeout": silence_seconds, "write_timeout": silence_seconds}
    engine = create_engine(
        f"{DRIVERS[kind]}://{rest}", pool_pre_ping=True, pool_recycle=300, connect_args=arguments
    )
    if kind == "postgresql":
        event.listen(engine, "do_connect", partial(_connect_patiently, silence_seconds))
    return engine


def explain(error: BaseException, url: str) -> str:
    """What is the matter with the database, in words that hold neither values nor a password."""
    advice = NO_ROOM_LEFT if is_full(error) else advice_on(error)
    if advice is None:
        return type(error).__name__
    is_file = url.startswith("sqlite:///")  # its folder is nobody's business who asks for readiness
    return f"{Path(url).name}: {advice}" if is_file else advice


def _open_sqlite(path: str) -> Engine:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    address = URL.create("sqlite", database=path)
    engine = create_engine(address, connect_args={"timeout": SQLITE_WAIT_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _connect_patiently(
    silence_seconds: float, _dialect: Any, _record: Any, words: Any, arguments: Any
) -> Any:
    from bentos.log.patience import connect_patiently

    return connect_patiently(silence_seconds, *words, **KEEPALIVE | arguments)


def migrate(engine: Engine, attempts: int = 5) -> None:
    """Bring the tables up to date; safe when several processes start at once, or are killed."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    migrations = str(Path(__file__).parent / "migrations")
    config.set_main_option("script_location", migrations.replace("%", "%%"))  # it interpolates
    for attempt in range(1, attempts + 1):
        try:
            with engine.begin() as connection, _alone(connection):
                config.attributes["connection"] = connection
                if not _is_newer(connection, config):
                    command.upgrade(config, "head")
        except DBAPIError as error:
            if attempt == attempts or advice_on(error) is not None:
                raise
            time.sleep(0.5 * attempt)
        else:
            return


def _is_newer(connection: Connection, config: Any) -> bool:
    """Whether a later release has migrated this database, as after an older bento came back.

    Later releases only add to the tables, so that an older one can go on with them.
    """
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    return not known.issuperset(MigrationContext.configure(connection).get_current_heads())


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Let no other process migrate meanwhile; on SQLite, also make all of it one transaction."""
    lock, free = MIGRATION_LOCKS[connection.dialect.name]
    connection.exec_driver_sql(lock)
    try:
        yield
    finally:
        if free and not connection.invalidated:
            connection.exec_driver_sql(free)


def insert_predictions(engine: Engine, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add predictions; those that are there already stay as they are."""
    insert_rows(engine, predictions=rows, refusals=())


def insert_rows(engine: Engine, *, predictions: Sequence[Row], refusals: Sequence[Row]) -> None:
    """Add predictions and counts of refused records, all or none; what is there stays as it is."""
    with engine.begin() as connection:
        for table, rows in ((PREDICTIONS, predictions), (REFUSALS, refusals)):
            statement = insert_ignoring(engine, table, "id")
            for start in range(0, len(rows), ROWS_PER_INSERT):
                some = rows[start : start + ROWS_PER_INSERT]
                connection.execute(statement, [dict(row) for row in some])


def add_label(engine: Engine, prediction_id: str, label: str) -> LabelOutcome:
    """Keep the first label of a known prediction; tells what became of this one.

    Where there are no tables yet, no prediction is known.
    """
    lacking = OperationalError if engine.dialect.name == "sqlite" else ProgrammingError
    try:
        return _add_label(engine, prediction_id, label)
    except lacking:
        if inspect(engine).has_table(LABELS.name):
            raise
        return "unknown"


def _add_label(engine: Engine, prediction_id: str, label: str) -> LabelOutcome:
    query = select(LABELS.c.label).where(LABELS.c.prediction_id == prediction_id)
    with engine.connect() as connection:
        kept = connection.execute(query).scalar()
        if kept is None:
            found = find_prediction(connection, prediction_id)
            if found is None:
                return "unknown"
            row = label_row(prediction_id, found.problem, label, found.part)
            try:
                connection.execute(LABELS.insert(), row)
                connection.commit()
            except IntegrityError:  # another sender was faster
                connection.rollback()
                kept = connection.execute(query).scalar_one()
            else:
                return "added"
    return "same" if kept == label else "different"


def purge_inputs(engine: Engine, *, days: float, now: datetime) -> int:
    """Forget the inputs of predictions older than `days`; returns how many were purged."""
    oldest = (now - timedelta(days=days)).replace(tzinfo=None)
    old = (PREDICTIONS.c.answered_at < oldest) & PREDICTIONS.c.inputs.is_not(None)
    some = select(PREDICTIONS.c.sequence).where(old).limit(ROWS_PER_PURGE)
    purged = 0
    while True:
        with engine.begin() as connection:
            rows = connection.execute(some).scalars().all()
            if not rows:
                return purged
            these = update(PREDICTIONS).where(PREDICTIONS.c.sequence.in_(rows))
            purged += int(connection.execute(these.values(inputs=None)).rowcount)


def last_verdict(engine: Engine, problem: str) -> str | None:
    """The newest verdict on a problem."""
    query = select(VERDICTS.c.verdict).where(VERDICTS.c.problem == problem)
    with engine.connect() as connection:
        found = connection.execute(query.order_by(VERDICTS.c.sequence.desc()).limit(1)).scalar()
    return None if found is None else str(found)


def insert_ignoring(engine: Engine, table: Any, unique: str) -> Insert:
    """An insert that passes over rows whose `unique` stands there; other faults are raised."""
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
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()

"""The prediction log by a database's own driver, for a place that must answer soon after its start.

SQLAlchemy and Alembic take most of a second to import, which is all that a Lambda's first answer
has. The statements are few, and a test holds their rows equal to those of `bentos.log.database`.
"""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from bentos.log.batches import is_answered, is_part, read_id
from bentos.log.checks import Tally, all_keys, count_on, newest_key
from bentos.log.refusals import Counts, PendingRefusals
from bentos.log.rows import Row, label_row, order_row, prediction_rows, refusal_rows
from bentos.log.writers import LogUnavailableError
from bentos.settings import database_kind

CONNECT_SECONDS = 5
SILENCE_SECONDS = 20
SQLITE_WAIT_SECONDS = 30
NEWEST_TABLE = "releases"  # where it is there, all are
SQLITE_TABLES = Path(__file__).parent / "migrations" / "sqlite.sql"


@dataclass(frozen=True)
class Driver:
    """How one kind of database is reached and spoken to."""

    module: str
    connect: Callable[[Any], Any]  # takes the imported module
    mark: str
    quote: str  # around the name of a column
    if_there: str  # what an INSERT does with a row whose key, `{key}`, is there already
    moment: Callable[[datetime], Any]

    def insert(self, table: str, columns: Sequence[str], key: str) -> str:
        """A statement that leaves rows alone that are there already."""
        marks = ", ".join([self.mark] * len(columns))
        names = ", ".join(self.name(column) for column in columns)
        ending = self.if_there.format(key=self.name(key))
        return f"INSERT INTO {table} ({names}) VALUES ({marks}) {ending}"  # noqa: S608 - our names

    def name(self, column: str) -> str:
        """A column's name as it stands in a statement."""
        return f"{self.quote}{column}{self.quote}"


class DirectLog:
    """Predictions and labels go straight to the database, over one connection kept open."""

    def __init__(self, url: str) -> None:
        """Connect when first needed."""
        self._url = url
        self._driver = choose_driver(url)
        self._connection: Any = None
        self._tallies: dict[str, Tally] = {}
        self._refusals = PendingRefusals()

    def write(self, entry: dict[str, Any]) -> None:
        """Insert all of a request's predictions or none, before they are answered."""
        self._insert("predictions", prediction_rows(entry))

    def refuse(self, problem: str, version: str, counts: Counts) -> None:
        """Insert counts of refused records before they are answered, or together with the next.

        Who sent a record that is refused is told so, even where that cannot be counted now.
        """
        self._refusals.add(problem, version, counts)
        for entry in self._refusals.take():
            try:
                self._insert("refusals", refusal_rows(entry))
            except LogUnavailableError:
                self._refusals.put_back(entry)

    def label(self, prediction_id: str, label: str) -> str:
        """Keep the first label of a known prediction."""

        def add(cursor: Any) -> str:
            mark = self._driver.mark
            found = self._find(cursor, prediction_id)
            if found is None:
                return "unknown"
            row = label_row(prediction_id, found[0], label, found[1])
            if found[1] is None:
                del row["part"]  # which an older release's tables have not
            if self._insert_one(cursor, "labels", row, "prediction_id"):
                return "added"
            kept = f"SELECT label FROM labels WHERE prediction_id = {mark}"  # noqa: S608 - our mark
            is_same = _first(cursor, kept, prediction_id)[0] == label
            return "same" if is_same else "different"

        outcome: str = self._run(add)
        return outcome

    def _find(self, cursor: Any, prediction_id: str) -> tuple[str, str | None] | None:
        """The problem of a prediction, and the part of a batch that holds it, if one does."""
        mark = self._driver.mark
        known = f"SELECT problem FROM predictions WHERE id = {mark}"  # noqa: S608 - our mark
        found = None if is_part(prediction_id) else _first(cursor, known, prediction_id)
        of_batch = read_id(prediction_id)
        if found is not None or of_batch is None:
            return None if found is None else (found[0], None)
        query = (
            f"SELECT predictions.problem, parts.id, end_row, left_out FROM parts"  # noqa: S608 - our mark
            f" JOIN predictions ON predictions.id = parts.id"
            f" WHERE batch = {mark} AND first_row <= {mark} ORDER BY first_row DESC LIMIT 1"
        )
        part = _first(cursor, query, *of_batch)
        if part is None or not is_answered(of_batch[1], part[2], part[3]):
            return None
        return part[0], part[1]

    def order_checks(self, problem: str, *, every: int) -> list[str]:
        """Order the checks that new labels call for; returns the keys of those that are new."""
        keys: list[str] = self._run(lambda cursor: self._order_checks(cursor, problem, every))
        return keys

    def oldest_open_check(self, problem: str) -> str | None:
        """The key of the check that has waited longest; who carries it out takes all that wait."""
        name, mark = self._driver.name("key"), self._driver.mark
        query = (
            f"SELECT {name} FROM orders WHERE problem = {mark} AND kind = 'monitor'"  # noqa: S608 - our names
            " AND state = 'open' ORDER BY sequence LIMIT 1"
        )
        found = self._run(lambda cursor: _first(cursor, query, problem))
        return None if found is None else str(found[0])

    def _order_checks(self, cursor: Any, problem: str, every: int) -> list[str]:
        tally, count = self._tallies.get(problem, Tally()), partial(self._count, cursor, problem)
        labels, self._tallies[problem] = count_on(tally, count)
        newest = newest_key(problem, labels, every)
        name, mark = self._driver.name("key"), self._driver.mark
        is_placed = f"SELECT 1 FROM orders WHERE {name} = {mark}"  # noqa: S608 - our names
        if newest is None or _first(cursor, is_placed, newest) is not None:
            return []
        known = f"SELECT {name} FROM orders WHERE problem = {mark} AND kind = 'monitor'"  # noqa: S608 - our names
        cursor.execute(known, (problem,))
        placed = {row[0] for row in cursor.fetchall()}
        missing = [key for key in all_keys(problem, labels, every) if key not in placed]
        return [key for key in missing if self._place(cursor, problem, key)]

    def _place(self, cursor: Any, problem: str, key: str) -> bool:
        return self._insert_one(cursor, "orders", order_row(problem, "monitor", key), "key")

    def _insert_one(self, cursor: Any, table: str, row: Row, key: str) -> bool:
        """Whether it was not there yet."""
        cursor.execute(self._driver.insert(table, tuple(row), key), self._values(row))
        return bool(cursor.rowcount == 1)

    def _count(self, cursor: Any, problem: str, after: int, up_to: int) -> tuple[int, int]:
        """How many labels of a problem lie between two sequences, and the newest label of any."""
        mark = self._driver.mark
        mine = f"SUM(CASE WHEN problem = {mark} THEN 1 ELSE 0 END)"
        query = f"SELECT {mine}, MAX(sequence) FROM labels WHERE sequence BETWEEN {mark} AND {mark}"  # noqa: S608 - our mark
        count, newest = _first(cursor, query, problem, after + 1, up_to)
        return int(count or 0), int(newest or 0)

    def _insert(self, table: str, rows: Sequence[Row]) -> None:
        """All rows or none; those that are there already stay as they are."""
        if not rows:
            return
        statement = self._driver.insert(table, tuple(rows[0]), "id")
        values = [self._values(row) for row in rows]

        def insert(cursor: Any) -> None:
            cursor.execute("BEGIN")
            cursor.executemany(statement, values)
            cursor.execute("COMMIT")

        self._run(insert)

    def _values(self, row: Row) -> tuple[Any, ...]:
        """A row's values as the driver wants them, in the order of its columns."""
        moment = self._driver.moment
        return tuple(moment(each) if isinstance(each, datetime) else each for each in row.values())

    def _run(self, work: Callable[[Any], Any]) -> Any:
        """Work on a cursor; once more where a kept connection has died, or tables were missing."""
        module = importlib.import_module(self._driver.module)
        for is_last in (False, True):
            was_open = self._connection is not None
            try:
                if self._connection is None:
                    self._connection = self._driver.connect(module)
                return work(self._connection.cursor())
            except module.Error as error:
                self._drop(module)
                lacks_tables = isinstance(error, module.ProgrammingError) and self._make_tables()
                if is_last or not (was_open or lacks_tables):
                    raise LogUnavailableError from error
        raise AssertionError  # the second round returns or raises

    def _drop(self, module: Any) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except module.Error:
                return

    def _make_tables(self) -> bool:
        """Migrate a server's database where the tools for it are installed."""
        try:
            from bentos.log import database
        except ImportError:
            return False
        try:
            database.migrate(database.open_engine(self._url), attempts=1)
        except database.DatabaseError:
            return False
        return True


def _first(cursor: Any, query: str, *values: Any) -> Any:
    """The first row of an answer, or None."""
    cursor.execute(query, values)
    return cursor.fetchone()


def choose_driver(url: str) -> Driver:
    """The driver of a SQLAlchemy URL."""
    kind, rest = database_kind(url), url.partition("://")[2]
    if kind == "sqlite":
        return Driver(
            module="sqlite3",
            connect=lambda module: _open_sqlite(module, rest.removeprefix("/")),
            mark="?",
            quote='"',
            if_there="ON CONFLICT ({key}) DO NOTHING",
            moment=lambda at: at.isoformat(sep=" ", timespec="microseconds"),
        )
    if kind == "postgresql":
        return Driver(
            module="psycopg",
            connect=lambda module: module.connect(
                f"postgresql://{rest}", autocommit=True, connect_timeout=CONNECT_SECONDS
            ),
            mark="%s",
            quote='"',
            if_there="ON CONFLICT ({key}) DO NOTHING",
            moment=lambda at: at,
        )
    return Driver(
        module="pymysql",
        connect=lambda module: module.connect(**_mysql_arguments(url)),
        mark="%s",
        quote="`",
        # not IGNORE, which would swallow every other error too
        if_there="ON DUPLICATE KEY UPDATE {key} = {key}",
        moment=lambda at: at,
    )


def _open_sqlite(module: Any, path: str) -> Any:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    connection = module.connect(
        path,
        timeout=SQLITE_WAIT_SECONDS,
        isolation_level=None,
        check_same_thread=False,  # one at a time, but not always the same
    )
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    known = f"SELECT 1 FROM sqlite_master WHERE name = '{NEWEST_TABLE}'"  # noqa: S608 - our name
    if connection.execute(known).fetchone() is None:
        connection.executescript(SQLITE_TABLES.read_text(encoding="utf-8"))
    return connection


def _mysql_arguments(url: str) -> dict[str, Any]:
    """PyMySQL's arguments; further ones (`ssl_ca`, `charset`) come from the query."""
    parts = urlsplit(url)
    return {
        "host": parts.hostname or "localhost",
        "port": parts.port or 3306,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "database": unquote(parts.path.removeprefix("/")),
        "autocommit": True,
        "connect_timeout": CONNECT_SECONDS,
        "read_timeout": SILENCE_SECONDS,
        "write_timeout": SILENCE_SECONDS,
        **dict(parse_qsl(parts.query)),
    }

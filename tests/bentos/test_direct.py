"""The log by a driver alone leaves what the log by SQLAlchemy leaves, on each kind of database."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bentos import database
from bentos.direct import SQLITE_TABLES, DirectLog
from bentos.log import LogUnavailableError
from bentos.spool import rows_of
from bentos.tables import LABELS, PREDICTIONS
from deployments.tables import render_tables


def entry(*ids: str) -> dict[str, Any]:
    """One request's predictions, as the API hands them over."""
    return {
        "time": 1_790_000_000.123456,
        "problem": "tiny",
        "version": "7",
        "predictions": [
            {
                "id": name,
                "inputs": {"age": 61, "level": None, "sex": "F's \u00e9"},
                "prediction": 1,
                "label": "ill",
                "probabilities": [0.1 + 0.2, 0.7],
                "confidence": 0.7,
                "risk": None,
            }
            for name in ids
        ],
    }


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql", marks=[pytest.mark.system, pytest.mark.postgres]),
        pytest.param("mariadb", marks=[pytest.mark.system, pytest.mark.mariadb]),
    ]
)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A new database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'direct' / 'log.db'}"
        return
    from tests.system.servers import start_mariadb, start_postgresql

    start = start_postgresql if request.param == "postgresql" else start_mariadb
    with start() as server:
        yield server.create_database()


def test_both_logs_write_the_same_rows(url: str) -> None:
    DirectLog(url).write(entry("a", "b"))
    engine = database.open_engine(url)
    database.insert_predictions(engine, rows_of(entry("c")))

    with engine.connect() as connection:
        rows = [dict(row._mapping) for row in connection.execute(select(PREDICTIONS))]

    by_id = {row.pop("id"): row for row in rows}
    for row in rows:
        del row["sequence"]
    assert by_id["a"] == by_id["b"] == by_id["c"]


def test_a_prediction_that_is_written_twice_stands_once(url: str) -> None:
    log = DirectLog(url)

    log.write(entry("a"))
    log.write(entry("a", "b"))

    with database.open_engine(url).connect() as connection:
        ids = connection.execute(select(PREDICTIONS.c.id)).scalars().all()
    assert sorted(ids) == ["a", "b"]


def test_the_first_label_of_a_known_prediction_is_kept(url: str) -> None:
    log = DirectLog(url)
    log.write(entry("a"))

    outcomes = [log.label(*words) for words in (("a", "ill"), ("a", "ill"), ("a", "well"))]

    assert outcomes == ["added", "same", "different"]
    assert log.label("b", "ill") == "unknown"
    with database.open_engine(url).connect() as connection:
        kept = connection.execute(select(LABELS.c.prediction_id, LABELS.c.label)).all()
    assert [tuple(row) for row in kept] == [("a", "ill")]


def test_a_connection_that_has_died_is_opened_anew(url: str) -> None:
    log = DirectLog(url)
    log.write(entry("a"))
    log._connection.close()

    log.write(entry("b"))

    assert log.label("b", "ill") == "added"


def test_a_database_that_is_away_is_an_error_of_the_log(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()

    for address in (f"sqlite:///{tmp_path}/folder", "postgresql://127.0.0.1:9/x"):
        with pytest.raises(LogUnavailableError):
            DirectLog(address).write(entry("a"))


def test_the_tables_of_a_new_file_are_those_of_the_migrations(tmp_path: Path) -> None:
    assert SQLITE_TABLES.read_text() == render_tables(), "run: python -m deployments.tables"

    direct, migrated = tmp_path / "direct.db", tmp_path / "migrated.db"
    DirectLog(f"sqlite:///{direct}").write(entry("a"))
    database.migrate(database.open_engine(f"sqlite:///{migrated}"))

    assert tables(direct) == tables(migrated)


def tables(path: Path) -> list[tuple[str, ...]]:
    """Every table's columns and every index, as the file has them."""
    connection = sqlite3.connect(path)
    names = connection.execute("SELECT name FROM sqlite_master ORDER BY name").fetchall()
    return [
        (name, *map(str, connection.execute(f"PRAGMA table_info('{name}')").fetchall()))
        for (name,) in names
    ]

"""The database's tables are made and brought up to date, on SQLite, PostgreSQL and MariaDB."""

import signal
import subprocess
import sys

import pytest
from sqlalchemy import Engine, inspect, text

from bentos.log.database import (
    insert_predictions,
    migrate,
    open_engine,
)
from bentos.log.direct import DirectLog
from bentos.log.tables import METADATA
from tests.bentos.log.logged import row, stored
from tests.support import ROOT
from tests.system.servers import DatabaseServer

MIGRATE = (
    "import sys; from bentos.log.database import migrate, open_engine; import alembic.command\n"
    "engine = open_engine(sys.argv[1]); print('ready', flush=True); sys.stdin.readline()\n"
    "migrate(engine)"
)
DYING_MIGRATION = """
import os, signal, sys
from bentos.log.database import migrate, open_engine
from bentos.log.migrations import steps
create, made = steps.create_index, []
def create_and_die(*words):
    create(*words)
    made.append(words)
    if len(made) == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
steps.create_index = create_and_die
migrate(open_engine(sys.argv[1]))
"""


def test_an_empty_database_is_migrated_to_the_tables_that_the_code_knows(empty_url: str) -> None:
    engine = open_engine(empty_url)

    migrate(engine)
    migrate(engine)

    assert_tables_are_known(engine)
    engine.dispose()


def assert_tables_are_known(engine: Engine) -> None:
    found = inspect(engine)
    assert set(found.get_table_names()) == {*METADATA.tables, "alembic_version"}
    for name, table in METADATA.tables.items():
        columns = {each["name"]: each["nullable"] for each in found.get_columns(name)}
        assert columns == {each.name: each.nullable for each in table.columns}
        indexes = {each["name"] for each in found.get_indexes(name)}
        assert indexes >= {each.name for each in table.indexes}


def test_a_database_of_a_later_release_is_left_as_it_is(engine: Engine) -> None:
    """An older bento that came back goes on with what it knows."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    migrate(engine)
    insert_predictions(engine, [row("a")])

    assert [each["id"] for each in stored(engine)] == ["a"]


@pytest.mark.postgres
def test_the_short_name_of_postgresql_works(postgresql: DatabaseServer) -> None:
    url = postgresql.create_database().replace("postgresql://", "postgres://")
    engine = open_engine(url)

    migrate(engine)
    DirectLog(url).refuse("tiny", "7", {("", "record"): 1})

    assert_tables_are_known(engine)
    engine.dispose()


def test_migrating_leaves_the_rows_alone(engine: Engine) -> None:
    insert_predictions(engine, [row("a")])

    migrate(engine)

    assert [each["id"] for each in stored(engine)] == ["a"]


@pytest.mark.parametrize("indexes", [1, 3, 5, 6])
def test_a_migration_that_was_killed_is_made_again(empty_url: str, indexes: int) -> None:
    words = [sys.executable, "-c", DYING_MIGRATION, empty_url, str(indexes)]
    died = subprocess.run(words, cwd=ROOT, check=False, capture_output=True)
    assert died.returncode == -signal.SIGKILL, died.stderr
    engine = open_engine(empty_url)

    migrate(engine)

    assert_tables_are_known(engine)
    engine.dispose()


def test_four_processes_may_migrate_at_once(empty_url: str) -> None:
    words = [sys.executable, "-c", MIGRATE, empty_url]
    pipe = subprocess.PIPE
    processes = [
        subprocess.Popen(words, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe) for _ in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()

    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    ends = [
        (process.communicate(timeout=60)[1].decode(), process.returncode) for process in processes
    ]

    assert [code for _, code in ends] == [0, 0, 0, 0], ends
    engine = open_engine(empty_url)
    assert set(inspect(engine).get_table_names()) == {*METADATA.tables, "alembic_version"}
    insert_predictions(engine, [row("a")])
    engine.dispose()

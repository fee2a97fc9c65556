"""Writes `bentos/log/migrations/sqlite.sql`: what the migrations make of an empty SQLite file.

`python -m deployments.tables`, after each new migration. A Lambda without a database server makes
its tables from that file, since Alembic would take most of its start.
"""

import sqlite3
import sys
import tempfile
from pathlib import Path

from bentos.log.database import migrate, open_engine
from bentos.log.direct import SQLITE_TABLES


def render_tables() -> str:
    """The statements, each harmless where its table is there already."""
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{folder}/tables.db")
        migrate(engine)
        engine.dispose()
        connection = sqlite3.connect(f"{folder}/tables.db")
        made = connection.execute(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' "
            "ORDER BY rowid"
        ).fetchall()
        versions = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        connection.close()
    lines = [
        "-- Written by `python -m deployments.tables` from the migrations.",
        "BEGIN IMMEDIATE;",
    ]
    for (statement,) in made:
        words = "\n".join(line.rstrip() for line in statement.replace("\t", "  ").splitlines())
        for kind in ("TABLE", "UNIQUE INDEX", "INDEX"):
            words = words.replace(f"CREATE {kind} ", f"CREATE {kind} IF NOT EXISTS ", 1)
        lines.append(f"{words.rstrip()};")
    lines.append("DELETE FROM alembic_version;")
    lines += [f"INSERT INTO alembic_version VALUES ('{name}');" for (name,) in versions]  # noqa: S608 - our own names
    return "\n".join([*lines, "COMMIT;"]) + "\n"


def main() -> None:
    """Write the file."""
    Path(SQLITE_TABLES).write_text(render_tables(), encoding="utf-8")
    sys.stdout.write(f"wrote {SQLITE_TABLES}\n")


if __name__ == "__main__":
    main()

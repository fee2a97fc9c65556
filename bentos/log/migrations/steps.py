"""Steps that may be taken again: MySQL and MariaDB keep the tables that a killed process has made.

SQLite and PostgreSQL take a migration as a whole or not at all.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op


def create_table(name: str, *columns: Any, **options: Any) -> None:
    """Create a table that is not there."""
    op.create_table(name, *columns, if_not_exists=True, **options)


def create_index(name: str, table: str, columns: list[str]) -> None:
    """Create an index that is not there."""
    there = {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}
    if name not in there:
        op.create_index(name, table, columns)


def add_column(table: str, column: "sa.Column[Any]") -> None:
    """Add a column that is not there."""
    there = {each["name"] for each in sa.inspect(op.get_bind()).get_columns(table)}
    if column.name not in there:
        op.add_column(table, column)

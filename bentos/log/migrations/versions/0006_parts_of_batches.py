"""Batches in the log by reference: parts in the store, and labels that name theirs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from bentos.log.migrations.steps import add_column, create_index, create_table

revision = "0006"
down_revision = "0005"

SEQUENCE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
LONG_TEXT = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
TEXT = {"mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def upgrade() -> None:
    """Create the table, and the column of labels."""
    create_table(
        "parts",
        sa.Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(64), nullable=False, unique=True),
        sa.Column("batch", sa.String(32), nullable=False),
        sa.Column("first_row", sa.BigInteger, nullable=False),
        sa.Column("end_row", sa.BigInteger, nullable=False),
        sa.Column("rows_answered", sa.BigInteger, nullable=False),
        sa.Column("left_out", LONG_TEXT, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=True),
        sa.Column("is_kept", sa.Boolean, nullable=False),
        **TEXT,
    )
    create_index("parts_by_batch", "parts", ["batch", "first_row"])
    add_column("labels", sa.Column("part", sa.String(64), nullable=True))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("labels", "part")
    op.drop_table("parts")

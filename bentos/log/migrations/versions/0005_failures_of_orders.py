"""Attempts at orders that failed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from bentos.log.migrations.steps import create_index, create_table

revision = "0005"
down_revision = "0004"

SEQUENCE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
TEXT = {"mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def upgrade() -> None:
    """Create the table."""
    create_table(
        "failures",
        sa.Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
        sa.Column("order_key", sa.String(128), nullable=False),
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        **TEXT,
    )
    create_index("failures_by_order", "failures", ["order_key", "sequence"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("failures")

"""Orders, and the journal."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from bentos.log.migrations.steps import create_index, create_table

revision = "0002"
down_revision = "0001"

SEQUENCE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
TEXT = {"mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
LONG_TEXT = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")


def upgrade() -> None:
    """Create the two tables."""
    create_table(
        "orders",
        sa.Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
        sa.Column("key", sa.String(128), nullable=False, unique=True),
        sa.Column("problem", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("claimed_by", sa.String(64), nullable=True),
        sa.Column("changed_at", MOMENT, nullable=False),
        **TEXT,
    )
    create_index("orders_by_state", "orders", ["state", "sequence"])
    create_table(
        "journal",
        sa.Column("problem", sa.String(64), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(40), nullable=False),
        sa.Column("actor", sa.String(128), nullable=False),
        sa.Column("alias", sa.String(32), nullable=False),
        sa.Column("before", sa.String(32), nullable=True),
        sa.Column("after", sa.String(32), nullable=True),
        sa.Column("why", LONG_TEXT, nullable=False),
        sa.Column("evidence_sha256", sa.String(64), nullable=False),
        sa.Column("previous_sha256", sa.String(64), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        **TEXT,
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("journal")
    op.drop_table("orders")

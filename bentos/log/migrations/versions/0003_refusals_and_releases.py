"""Refusals, and what people decide about quarantined rows."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from bentos.log.migrations.steps import create_index, create_table

revision = "0003"
down_revision = "0002"

SEQUENCE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
TEXT = {"mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def upgrade() -> None:
    """Create the two tables."""
    create_table(
        "refusals",
        sa.Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(64), nullable=False, unique=True),
        sa.Column("problem", sa.String(64), nullable=False),
        sa.Column("model_version", sa.String(64), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        **TEXT,
    )
    create_index("refusals_by_problem", "refusals", ["problem", "sequence"])
    create_table(
        "releases",
        sa.Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
        sa.Column("verdict_key", sa.String(64), nullable=False, unique=True),
        sa.Column("problem", sa.String(64), nullable=False),
        sa.Column("decision", sa.String(16), nullable=False),
        sa.Column("actor", sa.String(128), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        **TEXT,
    )
    create_index("releases_by_problem", "releases", ["problem", "sequence"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("releases")
    op.drop_table("refusals")

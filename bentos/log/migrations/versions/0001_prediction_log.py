"""Predictions, labels and verdicts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from bentos.log.migrations.steps import create_index, create_table

revision = "0001"
down_revision = None

SEQUENCE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
TEXT = {"mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
LONG_TEXT = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")


def upgrade() -> None:
    """Create the three tables."""
    create_table(
        "predictions",
        sa.Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(64), nullable=False, unique=True),
        sa.Column("problem", sa.String(64), nullable=False),
        sa.Column("model_version", sa.String(64), nullable=False),
        sa.Column("answered_at", MOMENT, nullable=False),
        sa.Column("inputs", LONG_TEXT, nullable=True),
        sa.Column("prediction", sa.Integer, nullable=False),
        sa.Column("label", sa.String(128), nullable=False),
        sa.Column("probabilities", sa.Text, nullable=False),
        sa.Column("confidence", sa.Double, nullable=False),
        sa.Column("risk_level", sa.String(16), nullable=True),
        **TEXT,
    )
    create_index("predictions_by_problem", "predictions", ["problem", "sequence"])
    create_index("predictions_by_time", "predictions", ["answered_at"])
    create_table(
        "labels",
        sa.Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
        sa.Column("prediction_id", sa.String(64), nullable=False, unique=True),
        sa.Column("problem", sa.String(64), nullable=False),
        sa.Column("label", sa.String(128), nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        **TEXT,
    )
    create_index("labels_by_problem", "labels", ["problem", "sequence"])
    create_table(
        "verdicts",
        sa.Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
        sa.Column("key", sa.String(64), nullable=False, unique=True),
        sa.Column("problem", sa.String(64), nullable=False),
        sa.Column("model_version", sa.String(64), nullable=False),
        sa.Column("verdict", sa.String(32), nullable=False),
        sa.Column("reasons", LONG_TEXT, nullable=False),
        sa.Column("evidence", LONG_TEXT, nullable=False),
        sa.Column("report_sha256", sa.String(64), nullable=False),
        sa.Column("report", sa.Text, nullable=False),
        sa.Column("first_prediction", sa.BigInteger, nullable=False),
        sa.Column("last_prediction", sa.BigInteger, nullable=False),
        sa.Column("decided_at", MOMENT, nullable=False),
        **TEXT,
    )
    create_index("verdicts_by_problem", "verdicts", ["problem", "sequence"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("verdicts")
    op.drop_table("labels")
    op.drop_table("predictions")

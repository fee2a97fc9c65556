"""The digests of what a journal row gives an alias to."""

import sqlalchemy as sa
from alembic import op

from bentos.log.migrations.steps import add_column

revision = "0004"
down_revision = "0003"

COLUMNS = ("onnx_sha256", "contract_sha256", "served_sha256")


def upgrade() -> None:
    """Add the columns; rows that are there hold none."""
    for name in COLUMNS:
        add_column("journal", sa.Column(name, sa.String(64), nullable=True))


def downgrade() -> None:
    """Drop them."""
    for name in COLUMNS:
        op.drop_column("journal", name)

"""Pairs whose settings are in the database, encrypted, and a number that every change of them raises."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "configured_pairs",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("settings", sa.LargeBinary, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_configured_pairs"),
    )
    op.create_index("ix_configured_pairs_revision", "configured_pairs", ["revision"])
    with op.batch_alter_table("installation") as installation:
        installation.add_column(sa.Column("pairs_revision", sa.Integer, nullable=False, server_default="0"))


def downgrade() -> None:
    with op.batch_alter_table("installation") as installation:
        installation.drop_column("pairs_revision")
    op.drop_table("configured_pairs")

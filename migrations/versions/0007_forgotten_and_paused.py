"""Digests of the people who were forgotten, and since when a pair is paused."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "forgotten",
        sa.Column("pair_id", sa.Integer, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("person", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name="fk_forgotten_pair_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pair_id", "digest", name="pk_forgotten"),
    )
    op.create_index("ix_forgotten_pair_id_person", "forgotten", ["pair_id", "person"])
    with op.batch_alter_table("pairs") as pairs:
        pairs.drop_column("paused")
        pairs.add_column(sa.Column("paused_since", sa.BigInteger))


def downgrade() -> None:
    with op.batch_alter_table("pairs") as pairs:
        pairs.drop_column("paused_since")
        pairs.add_column(sa.Column("paused", sa.Boolean, nullable=False, server_default=sa.false()))
    op.drop_table("forgotten")

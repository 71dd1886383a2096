"""Orders about what waits, counts of mass changes, who left a scope or is missing, keys of former secrets."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # Plain statements, not batches: a batch makes a SQLite table anew, without the ids it never gives twice.
    op.add_column("parked", sa.Column("dropped", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("parked", sa.Column("orders", sa.Integer, nullable=False, server_default="0"))
    op.add_column("held", sa.Column("discarded", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("links", sa.Column("left_by_configuration", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("installation", sa.Column("former_keys", sa.LargeBinary))
    op.add_column("inbox", sa.Column("absent", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "mass_changes",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("pair_id", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("changes", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name="fk_mass_changes_pair_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_mass_changes"),
    )
    op.create_index("ix_mass_changes_pair_id_at", "mass_changes", ["pair_id", "at"])


def downgrade() -> None:
    op.drop_table("mass_changes")
    op.drop_column("links", "left_by_configuration")
    op.drop_column("installation", "former_keys")
    op.drop_column("inbox", "absent")
    op.drop_column("held", "discarded")
    op.drop_column("parked", "orders")
    op.drop_column("parked", "dropped")

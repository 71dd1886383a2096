"""What a run's writes replaced, so that it can be undone."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "undo_journal",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("pair_id", sa.Integer, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("system", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("ghl_id", sa.Text, nullable=False),
        sa.Column("emailoctopus_id", sa.Text, nullable=False),
        sa.Column("conflict", sa.Boolean, nullable=False),
        sa.Column("digest", sa.LargeBinary),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name="fk_undo_journal_pair_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_undo_journal"),
        sqlite_autoincrement=True,
    )
    place = ["pair_id", "run_id", "ghl_id", "emailoctopus_id", "id"]
    op.create_index("ix_undo_journal_run", "undo_journal", place)
    op.create_index("ix_undo_journal_at", "undo_journal", ["at"])
    op.create_index(
        "ix_undo_journal_conflicts",
        "undo_journal",
        ["pair_id", "id"],
        sqlite_where=sa.text("conflict = 1"),
        postgresql_where=sa.text("conflict = true"),
    )


def downgrade() -> None:
    op.drop_table("undo_journal")

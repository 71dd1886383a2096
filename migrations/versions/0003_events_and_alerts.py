"""What webhooks told, and what somebody was alerted to."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("pair_id", sa.Integer, nullable=False),
        sa.Column("system", sa.Text, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("contact_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("verified", sa.Boolean, nullable=False),
        sa.Column("occurred_at", sa.BigInteger),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("heeded_at", sa.BigInteger),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name="fk_events_pair_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pair_id", "system", "event_id", name="pk_events"),
    )
    op.create_index("ix_events_received_at", "events", ["received_at"])
    waiting = sa.text("heeded_at IS NULL")
    op.create_index(
        "ix_events_waiting",
        "events",
        ["pair_id", "system", "received_at"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_index("ix_changes_at", "changes", ["at"])
    op.create_table(
        "alerts",
        sa.Column("pair_id", sa.Integer, nullable=False),
        sa.Column("condition", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name="fk_alerts_pair_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pair_id", "condition", name="pk_alerts"),
    )


def downgrade() -> None:
    op.drop_index("ix_changes_at", "changes")
    op.drop_table("alerts")
    op.drop_table("events")

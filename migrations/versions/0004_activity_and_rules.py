"""What is shown of activity, what is done once, and engagement that webhooks and reports tell."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "activity",
        sa.Column("pair_id", sa.Integer, nullable=False),
        sa.Column("ghl_id", sa.Text, nullable=False),
        sa.Column("emailoctopus_id", sa.Text, nullable=False),
        sa.Column("written", sa.LargeBinary, nullable=False),
        sa.Column("open_tasks", sa.LargeBinary),
        sa.Column("completed_task", sa.Text),
        sa.Column("note", sa.Text),
        sa.Column("notes_read_at", sa.BigInteger),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name="fk_activity_pair_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pair_id", "ghl_id", name="pk_activity"),
    )
    op.create_index("ix_activity_notes_read_at", "activity", ["pair_id", "notes_read_at"])
    op.create_table(
        "deeds",
        sa.Column("pair_id", sa.Integer, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("ghl_id", sa.Text, nullable=False),
        sa.Column("emailoctopus_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("occurred_at", sa.BigInteger),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_try", sa.BigInteger),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("message", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name="fk_deeds_pair_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pair_id", "key", name="pk_deeds"),
    )
    op.create_index("ix_deeds_state", "deeds", ["pair_id", "state"])
    op.create_index("ix_deeds_ghl_id", "deeds", ["pair_id", "ghl_id"])
    with op.batch_alter_table("events") as events:
        events.add_column(sa.Column("engagement", sa.Text))
        events.add_column(sa.Column("campaign_id", sa.Text))
        events.add_column(sa.Column("subject", sa.LargeBinary))
        events.add_column(sa.Column("judged_at", sa.BigInteger))
    unjudged = sa.text("engagement IS NOT NULL AND judged_at IS NULL")
    op.create_index(
        "ix_events_unjudged",
        "events",
        ["pair_id", "received_at"],
        sqlite_where=unjudged,
        postgresql_where=unjudged,
    )
    op.create_table(
        "reports",
        sa.Column("pair_id", sa.Integer, nullable=False),
        sa.Column("campaign_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("events", sa.Integer, nullable=False),
        sa.Column("read_at", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name="fk_reports_pair_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pair_id", "campaign_id", "kind", name="pk_reports"),
    )


def downgrade() -> None:
    op.drop_table("reports")
    op.drop_index("ix_events_unjudged", "events")
    with op.batch_alter_table("events") as events:
        events.drop_column("judged_at")
        events.drop_column("subject")
        events.drop_column("campaign_id")
        events.drop_column("engagement")
    op.drop_table("deeds")
    op.drop_table("activity")

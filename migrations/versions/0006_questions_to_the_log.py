"""Indexes for what people ask the audit log, tombstones and events: by run, by contact, by field, by time."""

from collections.abc import Sequence

from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_index("ix_changes_run", "changes", ["pair_id", "run_id", "at", "id"])
    op.drop_index("ix_changes_pair_id_run_id", "changes")
    op.create_index("ix_changes_ghl_id", "changes", ["pair_id", "ghl_id"])
    op.create_index("ix_changes_emailoctopus_id", "changes", ["pair_id", "emailoctopus_id"])
    op.create_index("ix_changes_what", "changes", ["pair_id", "what", "at", "id"])
    op.create_index("ix_changes_in_order", "changes", ["pair_id", "at", "id"])
    op.create_index("ix_events_contact_id", "events", ["pair_id", "contact_id"])
    op.create_index("ix_tombstones_ghl_id", "tombstones", ["pair_id", "ghl_id"])
    op.create_index("ix_tombstones_emailoctopus_id", "tombstones", ["pair_id", "emailoctopus_id"])


def downgrade() -> None:
    op.drop_index("ix_events_contact_id", "events")
    for name in ("ghl_id", "emailoctopus_id"):
        op.drop_index(f"ix_tombstones_{name}", "tombstones")
    op.create_index("ix_changes_pair_id_run_id", "changes", ["pair_id", "run_id"])
    for name in ("run", "in_order", "what", "emailoctopus_id", "ghl_id"):
        op.drop_index(f"ix_changes_{name}", "changes")

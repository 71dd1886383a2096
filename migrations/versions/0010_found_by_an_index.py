"""Indexes of what a cycle or a look asks for all the time, so that none of it goes through everything that waits.

Seen in the plans of PostgreSQL 15 with a million links, 100,000 staged changes, 50,000 parked and 50,000 held ones.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_PARTIAL = (
    ("ix_inbox_revoked", "inbox", ["pair_id", "system", "sequence"], "revoked = {true}"),
    ("ix_inbox_moved", "inbox", ["pair_id", "system", "sequence"], "moved = {true}"),
    ("ix_inbox_absent", "inbox", ["pair_id", "system", "sequence"], "absent = {true}"),
    ("ix_held_ordered", "held", ["pair_id"], "approved = {true} OR discarded = {true}"),
    ("ix_activity_open_tasks", "activity", ["pair_id", "ghl_id"], "open_tasks IS NOT NULL"),
)


def upgrade() -> None:
    op.drop_index("ix_inbox_pair_id_system_revoked_sequence", "inbox")
    op.drop_index("ix_deeds_state", "deeds")
    op.create_index("ix_deeds_state", "deeds", ["pair_id", "state", "at", "key"])
    op.create_index("ix_parked_next_try", "parked", ["pair_id", "next_try"])
    for name, table, columns, where in _PARTIAL:
        op.create_index(
            name,
            table,
            columns,
            sqlite_where=sa.text(where.format(true="1")),
            postgresql_where=sa.text(where.format(true="true")),
        )


def downgrade() -> None:
    for name, table, *_ in reversed(_PARTIAL):
        op.drop_index(name, table)
    op.drop_index("ix_parked_next_try", "parked")
    op.drop_index("ix_deeds_state", "deeds")
    op.create_index("ix_deeds_state", "deeds", ["pair_id", "state"])
    op.create_index("ix_inbox_pair_id_system_revoked_sequence", "inbox", ["pair_id", "system", "revoked", "sequence"])

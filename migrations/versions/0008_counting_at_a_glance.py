"""Indexes of the few rows that are told apart, so that counting them doesn't read all contacts and links."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    for name, table, columns, where in (
        ("ix_contacts_unlinked", "contacts", ["pair_id", "unlinked"], "unlinked IS NOT NULL"),
        ("ix_links_diverged", "links", ["pair_id"], "diverged IS NOT NULL"),
        ("ix_links_consent_held", "links", ["pair_id"], "consent_held"),
    ):
        condition = sa.text(where)
        op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)


def downgrade() -> None:
    op.drop_index("ix_links_consent_held", "links")
    op.drop_index("ix_links_diverged", "links")
    op.drop_index("ix_contacts_unlinked", "contacts")

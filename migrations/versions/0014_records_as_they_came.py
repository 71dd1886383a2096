"""For each contact the digest of the record that a full scan had nothing to do about: the next one passes it over."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("contacts", sa.Column("record", sa.LargeBinary))


def downgrade() -> None:
    op.drop_column("contacts", "record")

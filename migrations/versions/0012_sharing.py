"""What pairs of one location or list remember for each other, and the contacts they call each other's attention to."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("links", sa.Column("sharing", sa.LargeBinary))
    op.create_table(
        "calls",
        sa.Column("pair_id", sa.Integer, nullable=False),
        sa.Column("system", sa.Text, nullable=False),
        sa.Column("contact_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("pair_id", "system", "contact_id", name="pk_calls"),
    )


def downgrade() -> None:
    op.drop_table("calls")
    op.drop_column("links", "sharing")

"""Several workers: a fencing number for each pair, alerts as they stand for all, and what workers agree on.

That lies in the schema `workers`, on PostgreSQL alone: Procrastinate's own tables, who is due, limits, and duties.
"""

from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_PROCRASTINATE = Path(__file__).resolve().parents[1] / "procrastinate" / "3.10.0.sql"


def upgrade() -> None:
    with op.batch_alter_table("leases") as leases:
        leases.add_column(sa.Column("run_epoch", sa.BigInteger, nullable=False, server_default="0"))
    with op.batch_alter_table("alerts") as alerts:
        alerts.add_column(sa.Column("sentence", sa.Text, nullable=False, server_default=""))
        alerts.add_column(sa.Column("told", sa.Boolean, nullable=False, server_default=sa.true()))
        alerts.add_column(sa.Column("gone_since", sa.BigInteger))
    if op.get_bind().dialect.name == "postgresql":
        _make_schema()


def _make_schema() -> None:
    op.execute("CREATE SCHEMA workers")
    op.create_table(
        "agendas",
        sa.Column("pair_id", sa.Integer, nullable=False),
        sa.Column("hints_at", sa.BigInteger),
        sa.Column("incremental_at", sa.BigInteger),
        sa.Column("full_at", sa.BigInteger),
        sa.Column("resume_at", sa.BigInteger, nullable=False),
        sa.Column("in_a_row", sa.Integer, nullable=False),
        sa.Column("taken", sa.Text),
        sa.Column("taken_at", sa.BigInteger),
        sa.Column("taken_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("pair_id", name="pk_agendas"),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name="fk_agendas_pair_id", ondelete="CASCADE"),
        schema="workers",
    )
    op.create_table(
        "rates",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("state", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_rates"),
        schema="workers",
    )
    op.create_table(
        "duties",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_duties"),
        schema="workers",
    )
    before = op.get_bind().scalar(sa.text("SELECT current_setting('search_path')"))
    op.execute("SET LOCAL search_path TO workers")
    # The driver's own connection: it takes several statements at once, and the signs for parameters as they are.
    op.get_bind().connection.driver_connection.execute(_PROCRASTINATE.read_text(encoding="utf-8"))
    op.get_bind().execute(sa.text("SELECT set_config('search_path', :before, true)"), {"before": before})


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP SCHEMA workers CASCADE")
    op.execute(sa.text("DELETE FROM alerts WHERE NOT told"))
    with op.batch_alter_table("alerts") as alerts:
        for name in ("gone_since", "told", "sentence"):
            alerts.drop_column(name)
    with op.batch_alter_table("leases") as leases:
        leases.drop_column("run_epoch")

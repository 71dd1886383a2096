"""The first tables, and the one row of the installation."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "installation",
        sa.Column("id", sa.SmallInteger, autoincrement=False, nullable=False),
        sa.Column("key_check", sa.LargeBinary),
        sa.PrimaryKeyConstraint("id", name="pk_installation"),
    )
    op.create_table(
        "pairs",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("location_id", sa.Text, nullable=False),
        sa.Column("list_id", sa.Text, nullable=False),
        sa.Column("generation", sa.LargeBinary, nullable=False),
        sa.Column("scope_generation", sa.LargeBinary, nullable=False),
        sa.Column("tag_filter", sa.LargeBinary, nullable=False),
        sa.Column("tag_generation", sa.Integer, nullable=False),
        sa.Column("scan", sa.Integer, nullable=False),
        sa.Column("paused", sa.Boolean, nullable=False),
        sa.Column("last_sequence", sa.BigInteger, nullable=False),
        sa.Column("batch_size", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pairs"),
        sa.UniqueConstraint("name", name="uq_pairs_name"),
    )
    op.create_table(
        "additional_addresses",
        sa.Column("pair_id", sa.Integer, nullable=False),
        sa.Column("ghl_id", sa.Text, nullable=False),
        sa.Column("address", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name="fk_additional_addresses_pair_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pair_id", "ghl_id", "address", name="pk_additional_addresses"),
    )
    op.create_index("ix_additional_addresses_pair_id_address", "additional_addresses", ["pair_id", "address"])
    op.create_table(
        "changes",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("pair_id", sa.Integer, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("system", sa.Text),
        sa.Column("ghl_id", sa.Text, nullable=False),
        sa.Column("emailoctopus_id", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name="fk_changes_pair_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_changes"),
    )
    op.create_index("ix_changes_pair_id_run_id", "changes", ["pair_id", "run_id"])
    op.create_table(
        "contacts",
        sa.Column("pair_id", sa.Integer, nullable=False),
        sa.Column("system", sa.Text, nullable=False),
        sa.Column("contact_id", sa.Text, nullable=False),
        sa.Column("updated_at", sa.BigInteger),
        sa.Column("consent", sa.Text),
        sa.Column("address", sa.LargeBinary),
        sa.Column("seen", sa.LargeBinary),
        sa.Column("unlinked", sa.Text),
        sa.Column("duplicate_of", sa.Text),
        sa.Column("baseline", sa.LargeBinary),
        sa.Column("sent", sa.LargeBinary),
        sa.Column("written_at", sa.BigInteger),
        sa.Column("generation", sa.LargeBinary, nullable=False),
        sa.Column("scan", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name="fk_contacts_pair_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pair_id", "system", "contact_id", name="pk_contacts"),
    )
    op.create_index("ix_contacts_pair_id_address", "contacts", ["pair_id", "address"])
    op.create_table(
        "field_keys",
        sa.Column("pair_id", sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name="fk_field_keys_pair_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pair_id", "number", name="pk_field_keys"),
        sa.UniqueConstraint("pair_id", "key", name="uq_field_keys_pair_id_key"),
    )
    op.create_table(
        "held",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("pair_id", sa.Integer, nullable=False),
        sa.Column("ghl_id", sa.Text, nullable=False),
        sa.Column("emailoctopus_id", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("approved", sa.Boolean, nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name="fk_held_pair_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_held"),
        sa.UniqueConstraint(
            "pair_id", "ghl_id", "emailoctopus_id", "action", name="uq_held_pair_id_ghl_id_emailoctopus_id_action"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_held_pair_id_emailoctopus_id", "held", ["pair_id", "emailoctopus_id"])
    op.create_table(
        "inbox",
        sa.Column("pair_id", sa.Integer, nullable=False),
        sa.Column("system", sa.Text, nullable=False),
        sa.Column("contact_id", sa.Text, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger),
        sa.Column("revoked", sa.Boolean, nullable=False),
        sa.Column("moved", sa.Boolean, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name="fk_inbox_pair_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pair_id", "system", "contact_id", name="pk_inbox"),
    )
    op.create_index("ix_inbox_pair_id_system_revoked_sequence", "inbox", ["pair_id", "system", "revoked", "sequence"])
    op.create_index("ix_inbox_pair_id_system_sequence", "inbox", ["pair_id", "system", "sequence"])
    op.create_table(
        "leases",
        sa.Column("pair_id", sa.Integer, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name="fk_leases_pair_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pair_id", name="pk_leases"),
    )
    op.create_table(
        "links",
        sa.Column("pair_id", sa.Integer, nullable=False),
        sa.Column("ghl_id", sa.Text, nullable=False),
        sa.Column("emailoctopus_id", sa.Text, nullable=False),
        sa.Column("cause", sa.Text),
        sa.Column("dnd_by_us", sa.Boolean, nullable=False),
        sa.Column("in_scope", sa.Boolean, nullable=False),
        sa.Column("scope_generation", sa.LargeBinary, nullable=False),
        sa.Column("consent_held", sa.Boolean, nullable=False),
        sa.Column("diverged", sa.LargeBinary),
        sa.Column("address_emptied", sa.Boolean, nullable=False),
        sa.Column("bounces", sa.LargeBinary),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name="fk_links_pair_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pair_id", "ghl_id", name="pk_links"),
        sa.UniqueConstraint("pair_id", "emailoctopus_id", name="uq_links_pair_id_emailoctopus_id"),
    )
    op.create_table(
        "lookups",
        sa.Column("pair_id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name="fk_lookups_pair_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pair_id", "name", name="pk_lookups"),
    )
    op.create_table(
        "parked",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("pair_id", sa.Integer, nullable=False),
        sa.Column("ghl_id", sa.Text, nullable=False),
        sa.Column("emailoctopus_id", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("message", sa.LargeBinary, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_try", sa.BigInteger, nullable=False),
        sa.Column("value", sa.LargeBinary),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name="fk_parked_pair_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_parked"),
        sa.UniqueConstraint(
            "pair_id", "ghl_id", "emailoctopus_id", "what", name="uq_parked_pair_id_ghl_id_emailoctopus_id_what"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_parked_pair_id_emailoctopus_id", "parked", ["pair_id", "emailoctopus_id"])
    op.create_table(
        "revocations",
        sa.Column("pair_id", sa.Integer, nullable=False),
        sa.Column("address", sa.LargeBinary, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name="fk_revocations_pair_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pair_id", "address", name="pk_revocations"),
    )
    op.create_table(
        "runs",
        sa.Column("pair_id", sa.Integer, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("started", sa.BigInteger, nullable=False),
        sa.Column("ended", sa.BigInteger, nullable=False),
        sa.Column("report", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name="fk_runs_pair_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pair_id", "run_id", name="pk_runs"),
    )
    op.create_index("ix_runs_pair_id_started", "runs", ["pair_id", "started"])
    op.create_table(
        "schemas",
        sa.Column("pair_id", sa.Integer, nullable=False),
        sa.Column("system", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name="fk_schemas_pair_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pair_id", "system", name="pk_schemas"),
    )
    op.create_table(
        "tags",
        sa.Column("pair_id", sa.Integer, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("name", sa.LargeBinary, nullable=False),
        sa.Column("spelling", sa.LargeBinary),
        sa.Column("entered", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name="fk_tags_pair_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pair_id", "digest", name="pk_tags"),
    )
    op.create_table(
        "tombstones",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("pair_id", sa.Integer, nullable=False),
        sa.Column("ghl_id", sa.Text, nullable=False),
        sa.Column("emailoctopus_id", sa.Text, nullable=False),
        sa.Column("deleted_in", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("done", sa.Text, nullable=False),
        sa.Column("consent", sa.Text),
        sa.Column("address", sa.LargeBinary),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name="fk_tombstones_pair_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_tombstones"),
    )
    op.create_index("ix_tombstones_pair_id_address", "tombstones", ["pair_id", "address"])
    op.create_table(
        "watermarks",
        sa.Column("pair_id", sa.Integer, nullable=False),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("reached", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name="fk_watermarks_pair_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pair_id", "stream", name="pk_watermarks"),
    )
    op.execute("INSERT INTO installation (id) VALUES (1)")


def downgrade() -> None:
    for table in (
        "watermarks",
        "tombstones",
        "tags",
        "schemas",
        "runs",
        "revocations",
        "parked",
        "lookups",
        "links",
        "leases",
        "inbox",
        "held",
        "field_keys",
        "contacts",
        "changes",
        "additional_addresses",
        "pairs",
        "installation",
    ):
        op.drop_table(table)

"""The tables, in types that SQLite 3.40 and PostgreSQL share (contract, section 2, "What is stored").

Times are whole microseconds since 1970, UTC; digests are 12 to 16 bytes; an id that is missing from a key is
"". What could tell something about a person is encrypted or a keyed digest. `migrations/` makes these tables;
a test compares the two.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    and_,
    false,
    or_,
    text,
    true,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)


def _of_pair() -> Column[int]:
    return Column("pair_id", ForeignKey("pairs.id", ondelete="CASCADE"), nullable=False)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _time(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _digest(name: str) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=False)


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False)


def _later_flag(name: str) -> Column[bool]:
    """A flag that a later migration added: rows that stood then have it off."""
    return Column(name, Boolean, nullable=False, server_default=false())


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False)


def _row_id() -> Column[int]:
    return Column("id", Integer, primary_key=True)


# One row, made by the first migration: which secret the digests and values were made with, encrypted, the keys of
# former secrets that the digests were first made with, and how often `configured_pairs` was changed.
installation = Table(
    "installation",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("key_check", LargeBinary),
    Column("former_keys", LargeBinary),
    Column("pairs_revision", Integer, nullable=False, server_default="0"),
)

# The settings of pairs that no file holds, as YAML, encrypted whole: tokens and keys are in it.
configured_pairs = Table(
    "configured_pairs",
    metadata,
    Column("name", Text, primary_key=True),
    Column("settings", LargeBinary, nullable=False),
    _count("revision"),
    _time("changed_at"),
    Index(None, "revision"),
)

pairs = Table(
    "pairs",
    metadata,
    _row_id(),
    Column("name", Text, nullable=False, unique=True),
    _text("location_id"),
    _text("list_id"),
    _digest("generation"),
    _digest("scope_generation"),
    _digest("tag_filter"),
    _count("tag_generation"),
    _count("scan"),
    Column("last_sequence", BigInteger, nullable=False),
    _count("batch_size"),
    Column("paused_since", BigInteger),
)

# Apart from `pairs`, whose row is locked during a commit: renewing a lease must not wait for one. `run_epoch` is the
# fencing number: it grows with every hold, and what a hold writes is refused once it isn't the newest one.
leases = Table(
    "leases",
    metadata,
    _of_pair(),
    _text("holder"),
    _time("expires_at"),
    Column("run_epoch", BigInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("pair_id"),
)

watermarks = Table(
    "watermarks", metadata, _of_pair(), _text("stream"), _time("reached"), PrimaryKeyConstraint("pair_id", "stream")
)

lookups = Table("lookups", metadata, _of_pair(), _text("name"), _time("at"), PrimaryKeyConstraint("pair_id", "name"))

schemas = Table(
    "schemas", metadata, _of_pair(), _text("system"), _text("body"), PrimaryKeyConstraint("pair_id", "system")
)

# Short numbers for the mapping rows' keys, which every contact's baseline repeats.
field_keys = Table(
    "field_keys",
    metadata,
    _of_pair(),
    _count("number"),
    _text("key"),
    PrimaryKeyConstraint("pair_id", "number"),
    UniqueConstraint("pair_id", "key"),
)

contacts = Table(
    "contacts",
    metadata,
    _of_pair(),
    _text("system"),
    _text("contact_id"),
    Column("updated_at", BigInteger),
    Column("consent", Text),
    Column("address", LargeBinary),
    Column("seen", LargeBinary),
    Column("unlinked", Text),
    Column("duplicate_of", Text),
    Column("baseline", LargeBinary),
    Column("sent", LargeBinary),
    Column("written_at", BigInteger),
    _digest("generation"),
    _count("scan"),
    Column("record", LargeBinary),
    PrimaryKeyConstraint("pair_id", "system", "contact_id"),
    Index(None, "pair_id", "address"),
)

_UNLINKED = contacts.c.unlinked.is_not(None)
Index(
    "ix_contacts_unlinked",
    contacts.c.pair_id,
    contacts.c.unlinked,
    sqlite_where=_UNLINKED,
    postgresql_where=_UNLINKED,
)

additional_addresses = Table(
    "additional_addresses",
    metadata,
    _of_pair(),
    _text("ghl_id"),
    _digest("address"),
    PrimaryKeyConstraint("pair_id", "ghl_id", "address"),
    Index(None, "pair_id", "address"),
)

links = Table(
    "links",
    metadata,
    _of_pair(),
    _text("ghl_id"),
    _text("emailoctopus_id"),
    Column("cause", Text),
    _flag("dnd_by_us"),
    _flag("in_scope"),
    _digest("scope_generation"),
    _flag("consent_held"),
    Column("diverged", LargeBinary),
    _flag("address_emptied"),
    Column("bounces", LargeBinary),
    _later_flag("left_by_configuration"),
    Column("sharing", LargeBinary),
    PrimaryKeyConstraint("pair_id", "ghl_id"),
    UniqueConstraint("pair_id", "emailoctopus_id"),
)

# Most links are neither: counting those that are reads these alone.
_DIVERGED, _CONSENT_HELD = links.c.diverged.is_not(None), text("consent_held")
Index("ix_links_diverged", links.c.pair_id, sqlite_where=_DIVERGED, postgresql_where=_DIVERGED)
Index("ix_links_consent_held", links.c.pair_id, sqlite_where=_CONSENT_HELD, postgresql_where=_CONSENT_HELD)

# Contacts that a pair is to look at again, as another pair of its location or list found. Without a foreign key: to
# check that, a pair's commit would wait for the other pair's, which may wait for it.
calls = Table(
    "calls",
    metadata,
    Column("pair_id", Integer, nullable=False),
    _text("system"),
    _text("contact_id"),
    PrimaryKeyConstraint("pair_id", "system", "contact_id"),
)

inbox = Table(
    "inbox",
    metadata,
    _of_pair(),
    _text("system"),
    _text("contact_id"),
    Column("sequence", BigInteger, nullable=False),
    Column("updated_at", BigInteger),
    _flag("revoked"),
    _flag("moved"),
    _later_flag("absent"),
    Column("payload", LargeBinary, nullable=False),
    PrimaryKeyConstraint("pair_id", "system", "contact_id"),
    Index(None, "pair_id", "system", "sequence"),
)
# What is decided apart from the rest is found without going through all that waits.
for _flagged in (inbox.c.revoked, inbox.c.moved, inbox.c.absent):
    Index(
        f"ix_inbox_{_flagged.name}",
        inbox.c.pair_id,
        inbox.c.system,
        inbox.c.sequence,
        sqlite_where=_flagged == true(),
        postgresql_where=_flagged == true(),
    )

parked = Table(
    "parked",
    metadata,
    _row_id(),
    _of_pair(),
    _text("ghl_id"),
    _text("emailoctopus_id"),
    _text("what"),
    _text("code"),
    Column("message", LargeBinary, nullable=False),
    _count("attempts"),
    _time("next_try"),
    Column("value", LargeBinary),
    _later_flag("dropped"),
    Column("orders", Integer, nullable=False, server_default="0"),
    UniqueConstraint("pair_id", "ghl_id", "emailoctopus_id", "what"),
    Index(None, "pair_id", "emailoctopus_id"),
    Index("ix_parked_next_try", "pair_id", "next_try"),
    sqlite_autoincrement=True,  # an id that a person noted never comes to mean another change
)

held = Table(
    "held",
    metadata,
    _row_id(),
    _of_pair(),
    _text("ghl_id"),
    _text("emailoctopus_id"),
    _text("action"),
    _text("reason"),
    _time("since"),
    _flag("approved"),
    _later_flag("discarded"),
    UniqueConstraint("pair_id", "ghl_id", "emailoctopus_id", "action"),
    Index(None, "pair_id", "emailoctopus_id"),
    sqlite_autoincrement=True,
)

ORDERED = or_(held.c.approved == true(), held.c.discarded == true())
"""Held changes that a person decided about; a condition finds its index by being the same one."""
Index("ix_held_ordered", held.c.pair_id, sqlite_where=ORDERED, postgresql_where=ORDERED)

# How many changes of a kind that a guard counts were made, and when; rows older than its window are of no use.
mass_changes = Table(
    "mass_changes",
    metadata,
    _row_id(),
    _of_pair(),
    _text("kind"),
    _time("at"),
    _count("changes"),
    Index(None, "pair_id", "at"),
)

tombstones = Table(
    "tombstones",
    metadata,
    _row_id(),
    _of_pair(),
    _text("ghl_id"),
    _text("emailoctopus_id"),
    _text("deleted_in"),
    _time("at"),
    _text("done"),
    Column("consent", Text),
    Column("address", LargeBinary),
    Index(None, "pair_id", "address"),
    Index("ix_tombstones_ghl_id", "pair_id", "ghl_id"),
    Index("ix_tombstones_emailoctopus_id", "pair_id", "emailoctopus_id"),
)

revocations = Table(
    "revocations", metadata, _of_pair(), _digest("address"), _text("cause"), PrimaryKeyConstraint("pair_id", "address")
)

# Who was forgotten: digests of addresses and of contacts' ids, each with that of the person's address.
forgotten = Table(
    "forgotten",
    metadata,
    _of_pair(),
    _digest("digest"),
    _digest("person"),
    PrimaryKeyConstraint("pair_id", "digest"),
    Index(None, "pair_id", "person"),
)

tags = Table(
    "tags",
    metadata,
    _of_pair(),
    _digest("digest"),
    _text("owner"),
    Column("name", LargeBinary, nullable=False),
    Column("spelling", LargeBinary),
    _count("entered"),
    PrimaryKeyConstraint("pair_id", "digest"),
)

runs = Table(
    "runs",
    metadata,
    _of_pair(),
    _text("run_id"),
    _text("mode"),
    _text("outcome"),
    _time("started"),
    _time("ended"),
    _text("report"),
    PrimaryKeyConstraint("pair_id", "run_id"),
    Index(None, "pair_id", "started"),
)

changes = Table(
    "changes",
    metadata,
    _row_id(),
    _of_pair(),
    _text("run_id"),
    _time("at"),
    _text("kind"),
    Column("system", Text),
    _text("ghl_id"),
    _text("emailoctopus_id"),
    _text("what"),
    _text("reason"),
    Index("ix_changes_run", "pair_id", "run_id", "at", "id"),
    Index(None, "at"),
    Index("ix_changes_ghl_id", "pair_id", "ghl_id"),
    Index("ix_changes_emailoctopus_id", "pair_id", "emailoctopus_id"),
    Index("ix_changes_what", "pair_id", "what", "at", "id"),
    Index("ix_changes_in_order", "pair_id", "at", "id"),
)

# What a run's writes replaced: values, so that they can be put back, encrypted, until `retention.undo_days` are over.
undo_journal = Table(
    "undo_journal",
    metadata,
    _row_id(),
    _of_pair(),
    _text("run_id"),
    _time("at"),
    _text("system"),
    _text("action"),
    _text("ghl_id"),
    _text("emailoctopus_id"),
    _flag("conflict"),
    Column("digest", LargeBinary),
    Column("payload", LargeBinary, nullable=False),
    Index("ix_undo_journal_run", "pair_id", "run_id", "ghl_id", "emailoctopus_id", "id"),
    Index(None, "at"),
    sqlite_autoincrement=True,  # an id that a page shows never comes to mean another write
)
Index(
    "ix_undo_journal_conflicts",
    undo_journal.c.pair_id,
    undo_journal.c.id,
    sqlite_where=undo_journal.c.conflict == true(),
    postgresql_where=undo_journal.c.conflict == true(),
)

# What webhooks told, once each: hints until `heeded_at`, afterwards what tells a repeated event. Those with an
# `engagement` are for rules, too, until `judged_at`.
events = Table(
    "events",
    metadata,
    _of_pair(),
    _text("system"),
    _text("event_id"),
    _text("contact_id"),
    _text("kind"),
    _flag("verified"),
    Column("occurred_at", BigInteger),
    _time("received_at"),
    Column("heeded_at", BigInteger),
    Column("engagement", Text),
    Column("campaign_id", Text),
    Column("subject", LargeBinary),
    Column("judged_at", BigInteger),
    PrimaryKeyConstraint("pair_id", "system", "event_id"),
    Index("ix_events_received_at", "received_at"),
    Index("ix_events_contact_id", "pair_id", "contact_id"),
)
Index(
    "ix_events_waiting",
    events.c.pair_id,
    events.c.system,
    events.c.received_at,
    sqlite_where=events.c.heeded_at.is_(None),
    postgresql_where=events.c.heeded_at.is_(None),
)
_UNJUDGED = and_(events.c.engagement.is_not(None), events.c.judged_at.is_(None))
Index("ix_events_unjudged", events.c.pair_id, events.c.received_at, sqlite_where=_UNJUDGED, postgresql_where=_UNJUDGED)

# What somebody was, or is to be, alerted to and that lasts: no process that comes later, or beside, tells it again.
alerts = Table(
    "alerts",
    metadata,
    _of_pair(),
    _text("condition"),
    _time("since"),
    Column("sentence", Text, nullable=False, server_default=""),
    Column("told", Boolean, nullable=False, server_default=true()),
    Column("gone_since", BigInteger),
    PrimaryKeyConstraint("pair_id", "condition"),
)

# What EmailOctopus was last told of a link's tasks, notes and appointments, as digests, and what they were made of.
activity = Table(
    "activity",
    metadata,
    _of_pair(),
    _text("ghl_id"),
    _text("emailoctopus_id"),
    Column("written", LargeBinary, nullable=False),
    Column("open_tasks", LargeBinary),
    Column("completed_task", Text),
    Column("note", Text),
    Column("notes_read_at", BigInteger),
    PrimaryKeyConstraint("pair_id", "ghl_id"),
    Index("ix_activity_notes_read_at", "pair_id", "notes_read_at"),
)

_HAS_OPEN_TASKS = activity.c.open_tasks.is_not(None)
Index(
    "ix_activity_open_tasks",
    activity.c.pair_id,
    activity.c.ghl_id,
    sqlite_where=_HAS_OPEN_TASKS,
    postgresql_where=_HAS_OPEN_TASKS,
)

# What is done once for each occasion, kept for ever: a report that is read again tells the same occasions.
deeds = Table(
    "deeds",
    metadata,
    _of_pair(),
    _text("key"),
    _text("what"),
    _text("ghl_id"),
    _text("emailoctopus_id"),
    _text("state"),
    _time("at"),
    Column("occurred_at", BigInteger),
    _count("attempts"),
    Column("next_try", BigInteger),
    _text("code"),
    Column("message", LargeBinary, nullable=False),
    _digest("digest"),
    PrimaryKeyConstraint("pair_id", "key"),
    Index("ix_deeds_state", "pair_id", "state", "at", "key"),
    Index("ix_deeds_ghl_id", "pair_id", "ghl_id"),
)

# How many events of a kind each campaign's report held when it was last read, and until when it told all.
reports = Table(
    "reports",
    metadata,
    _of_pair(),
    _text("campaign_id"),
    _text("kind"),
    _count("events"),
    _time("read_at"),
    PrimaryKeyConstraint("pair_id", "campaign_id", "kind"),
)

# Tokens of OAuth belong to a GHL location or agency, not to a pair. Whoever refreshes them holds the row's lock.
oauth_tokens = Table(
    "oauth_tokens",
    metadata,
    _text("owner_kind"),
    _text("owner_id"),
    _text("client_id"),
    _text("agency_id"),
    Column("tokens", LargeBinary, nullable=False),
    _time("ends_at"),
    Column("edition", BigInteger, nullable=False),
    Column("refused_at", BigInteger),
    _text("lock_holder"),
    _time("locked_until"),
    PrimaryKeyConstraint("owner_kind", "owner_id"),
)

# Logins that wait for GHL's answer, by the SHA-256 of their `state`.
oauth_logins = Table(
    "oauth_logins",
    metadata,
    Column("state", Text, primary_key=True),
    _text("client_id"),
    _text("redirect_uri"),
    _flag("agency"),
    _time("expires_at"),
    _flag("taken"),
    _text("owner_kind"),
    _text("owner_id"),
    _text("problem"),
)

"""The tables by which several processes share pairs: on PostgreSQL alone, in a schema of their own.

Procrastinate's tables stand beside them; it alone reads and writes those.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, MetaData, Table, Text

from sync_daemon.store.tables import pairs

SCHEMA = "workers"
metadata = MetaData(schema=SCHEMA)

# What is wished for of each pair and when, how patient it is, and which wish a worker has in hand.
agendas = Table(
    "agendas",
    metadata,
    Column("pair_id", ForeignKey(pairs.c.id, ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("hints_at", BigInteger),
    Column("incremental_at", BigInteger),
    Column("full_at", BigInteger),
    Column("resume_at", BigInteger, nullable=False),
    Column("in_a_row", Integer, nullable=False),
    Column("taken", Text),
    Column("taken_at", BigInteger),
    Column("taken_by", Text, nullable=False),
)

# How fast an account may be asked, as all processes together have asked it.
rates = Table("rates", metadata, Column("key", Text, primary_key=True), Column("state", LargeBinary, nullable=False))

# What one process does for all of them, as long as its row says so.
duties = Table(
    "duties",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

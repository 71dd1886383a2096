"""Runs migrations: on the connection that the program hands over, or for `alembic` on the command line.

On the command line the database is named by SYNC_DAEMON_DATABASE_URL, as for the program itself.
"""

import os

from alembic import context
from alembic.util import CommandError
from sqlalchemy import Connection

from sync_daemon.store.engine import open_engine
from sync_daemon.store.migrate import migrating
from sync_daemon.store.tables import metadata


def run_on(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,  # SQLite can't alter most things: the table is made anew
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def run_from_command_line() -> None:
    url = os.environ.get("SYNC_DAEMON_DATABASE_URL")
    if not url:
        raise CommandError("set SYNC_DAEMON_DATABASE_URL to the database, for example sqlite:///data/sync.db")
    engine = open_engine(url)
    try:
        with migrating(engine) as connection:
            run_on(connection)
    finally:
        engine.dispose()


if context.is_offline_mode():
    raise CommandError("these migrations look at the database: leave out --sql")
handed_over = context.config.attributes.get("connection")
if handed_over is None:
    run_from_command_line()
else:
    run_on(handed_over)

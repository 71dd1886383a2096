"""`sync-daemon db`: the state store's database, brought up to date or looked at."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cyclopts import App
from sqlalchemy import Engine

from sync_daemon.commands.options import DEFAULT_CONFIG, Config, Json
from sync_daemon.commands.printing import print_json
from sync_daemon.settings.load import load_outside_pairs
from sync_daemon.settings.variables import Variables
from sync_daemon.store import migrate
from sync_daemon.store.engine import open_engine

app = App(name="db", help="The state store's database.", help_epilogue="Example: sync-daemon db current")


@app.command(help_epilogue="Example: sync-daemon db upgrade")
def upgrade(*, config: Config = DEFAULT_CONFIG, json: Json = False) -> None:
    """Bring the database up to date, and make it if there is none yet.

    Needs no credentials: only `database_url`, from the file or `SYNC_DAEMON_DATABASE_URL`.
    """
    with _engine(config) as engine:
        before = migrate.current(engine)
        migrate.upgrade(engine)
    if json:
        print_json({"before": before, "version": migrate.head()})
        return
    changed = before != migrate.head()
    print(f"Upgraded from {before or 'nothing'} to {migrate.head()}." if changed else "Up to date already.")


@app.command(help_epilogue="Example: sync-daemon db current --json")
def current(*, config: Config = DEFAULT_CONFIG, json: Json = False) -> None:
    """Show the database's version, and the one this program needs."""
    with _engine(config) as engine:
        version = migrate.current(engine)
    if json:
        print_json({"version": version, "head": migrate.head()})
    else:
        print(f"{version or 'no tables yet'} (this program needs {migrate.head()})")


@contextmanager
def _engine(config: Path) -> Iterator[Engine]:
    path = None if config == DEFAULT_CONFIG and not config.exists() else config
    settings = load_outside_pairs(path, Variables.of_process(Path()))
    engine = open_engine(settings.database_url.get_secret_value())
    try:
        yield engine
    finally:
        engine.dispose()

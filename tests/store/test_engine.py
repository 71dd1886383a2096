"""How databases are opened, and what people are told when one can't be used."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, make_url, text
from sqlalchemy.engine.interfaces import CacheStats

from sync_daemon.model.errors import ConfigurationError, StateStoreAway, StateStoreError
from sync_daemon.store import engine as engine_module
from sync_daemon.store.crypto import Secrets
from sync_daemon.store.engine import open_engine, parse_url, reading, writing
from sync_daemon.store.installation import StateStore
from sync_daemon.store.migrate import upgrade
from tests.databases import Server, make_sqlite
from tests.store.conftest import SECRET, StoppedClock

PASSWORD = "pass-w0rd"


@pytest.fixture
def opened() -> Iterator[Callable[[str], Engine]]:
    """Opens engines that are closed at the end of the test."""
    engines = []

    def open_and_keep(url: str) -> Engine:
        engines.append(open_engine(url))
        return engines[-1]

    yield open_and_keep
    for engine in engines:
        engine.dispose()


def ask(engine: Engine) -> object:
    with reading(engine) as connection:
        return connection.execute(text("SELECT 1")).scalar_one()


def complaint(action: Callable[[], object]) -> str:
    with pytest.raises(StateStoreError) as caught:
        action()
    assert PASSWORD not in str(caught.value)
    return str(caught.value)


def away(action: Callable[[], object]) -> str:
    """The complaint about a server that may be there at the next try."""
    with pytest.raises(StateStoreAway) as caught:
        action()
    assert PASSWORD not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "",
        f"postgresql://me:{PASSWORD}@host:port/name",
        f"postgresql://me:{PASSWORD}@a:b@host/name",
        f"mysql://me:{PASSWORD}@host/name",
        f"postgres://me:{PASSWORD}@host/name",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:x.db?uri=true",
    ],
)
def test_a_url_that_names_no_usable_database(url: str) -> None:
    said = complaint(lambda: open_engine(url))

    assert "sqlite:///data/sync.db" in said
    assert "postgresql+psycopg://" in said


def test_an_unknown_driver(opened: Callable[[str], Engine]) -> None:
    assert "driver" in complaint(lambda: opened("sqlite+nodriver:///a.db"))


def test_every_way_to_write_postgresql_uses_psycopg() -> None:
    for url in ("postgresql://h/d", "postgresql+psycopg2://h/d", "postgresql+psycopg://h/d"):
        assert parse_url(url).drivername == "postgresql+psycopg"


def test_sqlite_is_opened_for_many_readers_and_one_writer(tmp_path: Path, opened: Callable[[str], Engine]) -> None:
    engine = opened(f"sqlite:///{tmp_path}/new/folder/sync.db")

    with reading(engine) as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "busy_timeout": 10_000}


def test_a_transaction_is_undone_by_an_error(engine: Engine) -> None:
    def break_off() -> None:
        with writing(engine) as connection:
            connection.execute(text("UPDATE installation SET key_check = :check"), {"check": b"x"})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()

    with reading(engine) as connection:
        assert connection.execute(text("SELECT key_check FROM installation")).scalar_one() is None


def test_a_writer_waits_for_another_one_and_then_says_so(
    tmp_path: Path, opened: Callable[[str], Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "BUSY_SECONDS", 0.1)
    url = f"sqlite:///{tmp_path}/sync.db"
    first, second = opened(url), opened(url)
    ask(second)

    with writing(first):
        said = complaint(lambda: writing(second).__enter__())
        ask(second)

    assert "in use by another process" in said
    with writing(second):
        pass


def test_a_full_disk(tmp_path: Path, opened: Callable[[str], Engine]) -> None:
    engine = opened(f"sqlite:///{tmp_path}/sync.db")
    upgrade(engine)

    def fill() -> None:
        with writing(engine) as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1")
            connection.execute(text("UPDATE installation SET key_check = zeroblob(1000000)"))

    assert "no room left" in complaint(fill)


def test_files_that_are_no_usable_database(tmp_path: Path, opened: Callable[[str], Engine]) -> None:
    (tmp_path / "text.db").write_text("this is a letter, not a database" * 100)
    (tmp_path / "folder.db").mkdir()

    assert "isn't a SQLite database" in complaint(lambda: ask(opened(f"sqlite:///{tmp_path}/text.db")))
    assert "can't be opened" in complaint(lambda: ask(opened(f"sqlite:///{tmp_path}/folder.db")))
    assert "folder" in complaint(lambda: opened(f"sqlite:///{tmp_path}/text.db/sync.db"))


def test_a_damaged_file(tmp_path: Path, opened: Callable[[str], Engine]) -> None:
    path = tmp_path / "sync.db"
    make_sqlite(path)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 200_000)

    assert "is damaged" in complaint(lambda: StateStore(opened(f"sqlite:///{path}"), Secrets(SECRET), StoppedClock()))


def test_a_file_that_may_not_be_written(tmp_path: Path, opened: Callable[[str], Engine]) -> None:
    make_sqlite(tmp_path / "sync.db")
    engine = opened(f"sqlite:///{tmp_path}/sync.db")

    def write() -> None:
        with writing(engine) as connection:
            # The same error as for a file without the right to write, which root would have all the same.
            connection.exec_driver_sql("PRAGMA query_only = ON")
            connection.execute(text("UPDATE installation SET key_check = NULL"))

    assert "give this user the right to write" in complaint(write)


def test_a_database_without_tables(empty_database_url: str, opened: Callable[[str], Engine]) -> None:
    said = complaint(lambda: StateStore(opened(empty_database_url), Secrets(SECRET), StoppedClock()))

    assert "sync-daemon db upgrade" in said


def test_an_unexpected_refusal_names_its_code_but_no_value(engine: Engine) -> None:
    def break_it() -> None:
        with writing(engine) as connection:
            statement = text("INSERT INTO watermarks (pair_id, stream, reached) VALUES (:pair, :stream, 1)")
            connection.execute(statement, {"pair": 5, "stream": PASSWORD})

    said = complaint(break_it)

    assert "refused a statement" in said
    assert "23503" in said or "SQLITE_CONSTRAINT_FOREIGNKEY" in said


@pytest.mark.postgres
def test_a_postgresql_that_has_no_such_database_or_user(
    postgres_server: Server, opened: Callable[[str], Engine]
) -> None:
    with postgres_server.fresh_database() as url:
        missing = make_url(url).set(database="nowhere", password=PASSWORD)
        stranger = make_url(url).set(username="nobody_here", password=PASSWORD)
        for unusable in (missing, stranger):
            engine = opened(unusable.render_as_string(hide_password=False))
            assert "no such database or user" in complaint(partial(ask, engine))


def test_a_postgresql_that_is_not_there(tmp_path: Path, opened: Callable[[str], Engine]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        by_port = opened(f"postgresql://me:{PASSWORD}@127.0.0.1:{port}/name")
        assert "refuses connections: start it" in away(lambda: ask(by_port))
    by_socket = opened(f"postgresql://me:{PASSWORD}@/name?host={tmp_path}")
    assert "isn't there: start it" in away(lambda: ask(by_socket))
    nobody_knows = opened(f"postgresql://me:{PASSWORD}@nowhere.invalid/name")
    assert "has a host" in away(lambda: ask(nobody_knows))


def test_a_server_that_is_no_postgresql(opened: Callable[[str], Engine]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as letterbox:
        engine = opened(f"postgresql://me:{PASSWORD}@127.0.0.1:{letterbox.getsockname()[1]}/name?sslmode=require")
        with ThreadPoolExecutor(1) as pool:
            answering = pool.submit(answer_once, letterbox)
            said = away(lambda: ask(engine))
            answering.result()
    assert "lead to a PostgreSQL server" in said


def answer_once(letterbox: socket.socket) -> None:
    with letterbox.accept()[0] as connection:
        connection.recv(100)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.mark.postgres
def test_a_postgresql_that_was_restarted_is_asked_anew(
    postgres_server: Server, opened: Callable[[str], Engine]
) -> None:
    with postgres_server.fresh_database() as url:
        engine = opened(url)
        ask(engine)
        with writing(opened(url)) as connection:
            ended = connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            ).scalars()
            assert list(ended) == [True]
        time.sleep(engine_module.ASK_AFTER_S)
        assert ask(engine) == 1
        engine.dispose()


@pytest.mark.postgres
def test_a_connection_that_breaks_in_a_transaction(postgres_server: Server, opened: Callable[[str], Engine]) -> None:
    def break_it() -> None:
        with writing(engine) as connection:
            pid = connection.scalar(text("SELECT pg_backend_pid()"))
            with writing(opened(url)) as other:
                other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
            connection.execute(text("UPDATE installation SET key_check = :check"), {"check": b"x"})

    with postgres_server.fresh_database() as url:
        engine = opened(url)
        said = away(break_it)
        assert "broke the connection: what was stored is kept" in said
        assert ask(engine) == 1
        engine.dispose()


@pytest.mark.postgres
def test_a_server_that_lets_nobody_in_for_now(postgres_server: Server, opened: Callable[[str], Engine]) -> None:
    with postgres_server.fresh_database() as url:
        engine = opened(url)
        with writing(engine) as connection:
            name = connection.scalar(text("SELECT current_database()"))
            connection.exec_driver_sql(f"ALTER DATABASE {name} CONNECTION LIMIT 0")
            connection.exec_driver_sql("CREATE ROLE guest LOGIN")
        guest = opened(make_url(url).set(username="guest", password=PASSWORD).render_as_string(hide_password=False))
        away(lambda: ask(guest))
        with writing(engine) as connection:
            connection.exec_driver_sql("DROP ROLE guest")
        engine.dispose()


@pytest.mark.postgres
def test_how_connections_to_postgresql_are_made(postgres_server: Server, opened: Callable[[str], Engine]) -> None:
    with postgres_server.fresh_database() as url:
        told = make_url(url).update_query_dict({"application_name": "mine", "keepalives_idle": "77"})
        with reading(opened(told.render_as_string(hide_password=False))) as connection:
            driver: Any = connection.connection.driver_connection
            parameters = driver.info.get_parameters()
            assert parameters["application_name"] == "mine"  # what the URL says goes first
            assert (parameters["keepalives_idle"], parameters["tcp_user_timeout"]) == ("77", "30000")
            assert driver.prepare_threshold is None  # a pooler between may hand on another connection
            assert driver.info.transaction_status.name == "IDLE"
            ask_on = connection.execute(text("SELECT 1")).scalar_one()
            assert (ask_on, driver.info.transaction_status.name) == (1, "IDLE")  # no transaction between reads


def test_without_the_driver_people_are_told_what_to_install() -> None:
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from sync_daemon.store.engine import open_engine\n"
        "from sync_daemon.model.errors import StateStoreError\n"
        "try: open_engine('postgresql://me@host/name')\n"
        "except StateStoreError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "pip install 'sync-daemon[postgres]'" in done.stdout


def test_every_complaint_is_a_matter_of_configuration() -> None:
    with pytest.raises(ConfigurationError):
        open_engine("nonsense")


def test_what_was_compiled_for_one_file_serves_the_next(tmp_path: Path, opened: Callable[[str], Engine]) -> None:
    """A plan or an explanation opens a new file each time."""
    statement = text("SELECT 1 AS compiled_by_this_test_alone")
    found = []
    for name in ("one", "two"):
        with reading(opened(f"sqlite:///{tmp_path / name}.db")) as connection:
            found.append(connection.execute(statement).context.cache_hit)
    assert found == [CacheStats.CACHE_MISS, CacheStats.CACHE_HIT]

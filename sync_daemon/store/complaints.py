"""What a database's error means for the person who runs the program, without its statement or values."""

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

from sync_daemon.model.errors import StateStoreAway, StateStoreError

_MEANINGS = (
    ("database is locked", "is in use by another process for too long: stop the other one, then try again"),
    ("unable to open database file", "can't be opened: the path must be a file this user may read and write"),
    ("readonly database", "may not be written: give this user the right to write to the file and its folder"),
    ("database or disk is full", "has no room left: free space on that disk, nothing that was stored is lost"),
    ("disk i/o error", "can't be written: check that the disk has room and is in order"),
    ("no space left", "has no room left: free space on the server's disk, nothing that was stored is lost"),
    ("not a database", "isn't a SQLite database: name another file, or put the right one back"),
    ("malformed", "is damaged: put a backup back, or move the file away and let one run rebuild it"),
    ("no such table", "has no tables of this version: run `sync-daemon db upgrade`"),
    ("no such column", "has no tables of this version: run `sync-daemon db upgrade`"),
    ("password authentication failed", "refused the user or password that database_url names"),
    ("no password supplied", "asks for a password: put it into database_url"),
    ("permission denied", "doesn't let this user do that: grant it rights on the database and its tables"),
    ("no pg_hba.conf entry", "lets nobody in from here: allow this user and host in its pg_hba.conf"),
    ("read-only transaction", "may not be written: name the primary server, not a replica, in database_url"),
)
# What may be over at the next try.
_AWAY = (
    ("remaining connection slots", "has no free connection: raise max_connections, or stop other programs"),
    ("too many clients", "has no free connection: raise max_connections, or stop other programs"),
    ("connection refused", "refuses connections: start it, or correct host and port in database_url"),
    ("name or service not known", "has a host that nobody knows: correct the host in database_url"),
    ("resolve host", "has a host whose name can't be looked up: try again, or correct the host in database_url"),
    ("no such file or directory", "isn't there: start it, or correct the host in database_url"),
    ("starting up", "is starting or stopping: try again in a moment"),
    ("shutting down", "is starting or stopping: try again in a moment"),
    ("timeout expired", "doesn't answer: check that host and port in database_url are right and reachable"),
)
_MISSING_RELATION = ("42P01", "42703")
_NO_CONNECTION = "can't be reached: check that host and port in database_url are right and lead to a PostgreSQL server"
_LOST = "broke the connection: what was stored is kept, and the next run goes on from there; check that it still runs"


def shown(url: URL) -> str:
    """A database's URL as it may be printed: without its password and whatever else its query holds."""
    return url.set(query={}).render_as_string(hide_password=True)


def explain(url: URL, error: DBAPIError) -> StateStoreError:
    """One sentence: which database, what happened, what to change; `StateStoreAway` where another try may do."""
    where = shown(url)
    if (meaning := _meaning(error)) is not None:
        return StateStoreError(f"{where} {meaning}")
    if url.get_backend_name() == "postgresql" and (why := _absence(error)) is not None:
        return StateStoreAway(f"{where} {why}")
    return StateStoreError(
        f"{where} refused a statement ({_code(error.orig)}): this is a fault of the program, please report it"
    )


def _meaning(error: DBAPIError) -> str | None:
    """What a person must change; None where nothing is known to be wrong with the database itself."""
    text = str(error.orig).lower()
    if getattr(error.orig, "sqlstate", None) in _MISSING_RELATION:
        return "has no tables of this version: run `sync-daemon db upgrade`"
    if " does not exist" in text and ("database" in text or "role" in text):
        return "has no such database or user: create it, or correct database_url"
    return next((meaning for part, meaning in _MEANINGS if part in text), None)


def _absence(error: DBAPIError) -> str | None:
    """How a server is away; None where it answered."""
    text = str(error.orig).lower()
    for part, meaning in _AWAY if error.statement is None else ():
        if part in text:
            return meaning
    if error.connection_invalidated:
        return _LOST
    return _NO_CONNECTION if error.statement is None else None


def _code(original: BaseException | None) -> str:
    """The database's own stable word for an error; its text could quote a value."""
    code = getattr(original, "sqlstate", None) or getattr(original, "sqlite_errorname", None)
    return f"{type(original).__name__} {code}" if code else type(original).__name__

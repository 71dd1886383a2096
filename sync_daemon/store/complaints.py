"""What a database's error means for the person who runs the program, without its statement or values."""

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

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
    ("remaining connection slots", "has no free connection: raise max_connections, or stop other programs"),
    ("too many clients", "has no free connection: raise max_connections, or stop other programs"),
    ("connection refused", "isn't there: start it, or correct host and port in database_url"),
    ("name or service not known", "isn't there: correct the host in database_url"),
    ("no such file or directory", "isn't there: start it, or correct the host in database_url"),
    ("no pg_hba.conf entry", "lets nobody in from here: allow this user and host in its pg_hba.conf"),
    ("starting up", "is starting or stopping: try again in a moment"),
    ("shutting down", "is starting or stopping: try again in a moment"),
    ("read-only transaction", "may not be written: name the primary server, not a replica, in database_url"),
    ("timeout expired", "doesn't answer: check that host and port in database_url are right and reachable"),
)
_MISSING_RELATION = ("42P01", "42703")
_NO_CONNECTION = "can't be reached: check that host and port in database_url are right and lead to a PostgreSQL server"
_LOST = "broke the connection: check that it still runs, then try again"


def shown(url: URL) -> str:
    """A database's URL as it may be printed: without its password and whatever else its query holds."""
    return url.set(query={}).render_as_string(hide_password=True)


def explain(url: URL, error: DBAPIError) -> str:
    """One sentence: which database, what happened, what to change."""
    where = shown(url)
    original = error.orig
    text = str(original).lower()
    if getattr(original, "sqlstate", None) in _MISSING_RELATION:
        return f"{where} has no tables of this version: run `sync-daemon db upgrade`"
    if " does not exist" in text and ("database" in text or "role" in text):
        return f"{where} has no such database or user: create it, or correct database_url"
    for part, meaning in _MEANINGS:
        if part in text:
            return f"{where} {meaning}"
    if error.connection_invalidated:
        return f"{where} {_LOST}"
    if url.get_backend_name() == "postgresql" and error.statement is None:
        return f"{where} {_NO_CONNECTION}"
    return f"{where} refused a statement ({_code(original)}): this is a fault of the program, please report it"


def _code(original: BaseException | None) -> str:
    """The database's own stable word for an error; its text could quote a value."""
    code = getattr(original, "sqlstate", None) or getattr(original, "sqlite_errorname", None)
    return f"{type(original).__name__} {code}" if code else type(original).__name__

"""Templates, and how they say numbers, times and names."""

from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sync_daemon.model.system import SystemName
from sync_daemon.model.words import plural, seconds
from sync_daemon.reconcile.waiting_words import why, would_do

_HERE = Path(__file__).parent
STATIC = _HERE / "static"


def _ago(moment: datetime, now: datetime) -> str:
    """How long something is past, as people say it."""
    past = (now - moment).total_seconds()
    if past < 5:
        return "just now"
    return f"{seconds(past)} ago" if past < 48 * 3600 else f"{past // 86_400:.0f} days ago"


def _ahead(moment: datetime, now: datetime) -> str:
    """How long something is still to come."""
    ahead = (moment - now).total_seconds()
    return "at the next look" if ahead <= 0 else f"in {seconds(ahead)}"


@cache
def _asset(path: str) -> str:
    """The address of a file of `static/`, another one whenever the file is another."""
    return f"/static/{path}?{sha256((STATIC / path).read_bytes()).hexdigest()[:12]}"


def _field_name(what: str) -> str:
    """A mapping row's key, or one of the other parts of a contact, as people read it."""
    ghl, is_row, emailoctopus = what.partition("=")
    return f"{ghl} ↔ {emailoctopus}" if is_row else what.replace("_", " ")


def _label(system: str) -> str:
    return SystemName(system).label


def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        ago=_ago,
        ahead=_ahead,
        duration=seconds,
        plural=plural,
        label=_label,
        iso=lambda moment: moment.isoformat(timespec="seconds"),
        utc=lambda moment: f"{moment:%Y-%m-%d %H:%M:%S} UTC",
        number=lambda amount: f"{amount:,}",
        words=lambda text: str(text).replace("_", " "),
        capitalize_first=lambda text: text[:1].upper() + text[1:],
        field_name=_field_name,
        why=why,
        would_do=would_do,
    )
    made.globals.update(asset=_asset, systems=tuple(SystemName))
    return made


TEMPLATES = _templates()

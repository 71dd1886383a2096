"""What `oauth` tells of logins and of the locations that they open."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sync_daemon.commands.printing import iso
from sync_daemon.model.errors import SyncError
from sync_daemon.model.oauth import KeptTokens, OwnerKind, TokenOwner
from sync_daemon.settings.installation import Settings
from sync_daemon.settings.pair import PairSection
from sync_daemon.store.oauth import OAuthStore
from sync_daemon.wiring.clock import SystemClock
from sync_daemon.wiring.oauth.apps import UsedApp, apps_of
from sync_daemon.wiring.oauth.bearers import locations_of


@dataclass(frozen=True, slots=True)
class Opened:
    """A location of some pairs, and until when its token works; `problem` says why there is none."""

    location_id: str
    pairs: tuple[str, ...]
    ends_at: datetime | None = None
    problem: str = ""


def opened_locations(owner: TokenOwner, used: UsedApp, settings: Settings, store: OAuthStore) -> list[Opened]:
    """The locations that a login was for; those of an agency are asked for their first tokens."""
    clock = SystemClock()
    found = []
    for location_id, pairs in used.locations.items():
        if owner.kind is OwnerKind.AGENCY or owner.id == location_id:
            try:
                kept = locations_of(used.app, settings, clock, store, pairs[0]).bearer(location_id).current()
                found.append(Opened(location_id, tuple(pairs), kept.tokens.ends_at))
            except SyncError as error:
                found.append(Opened(location_id, tuple(pairs), problem=error.shown))
    return found


def told(owner: TokenOwner, opened: Sequence[Opened]) -> Iterator[str]:
    """The answer of a login for people."""
    yield f"Logged in for the {owner.kind} {owner.id}."
    for one in opened:
        pairs = ", ".join(one.pairs)
        if one.problem:
            yield f"Location {one.location_id} ({pairs}): {one.problem}"
        else:
            yield f"Location {one.location_id} ({pairs}): token until {_moment(one.ends_at)}, made new by itself."


def as_json(one: Opened) -> dict[str, Any]:
    """One location for programs."""
    return {
        "location_id": one.location_id,
        "pairs": list(one.pairs),
        "ends_at": iso(one.ends_at),
        "problem": one.problem or None,
    }


def rows(kept: Sequence[KeptTokens], sections: Sequence[PairSection], *, only: bool) -> list[dict[str, Any]]:
    """Every login, and the pairs without one; `only` those that the pairs use."""
    waiting: dict[str, tuple[str, list[str]]] = {}
    for client_id, used in apps_of(sections).items():
        waiting |= {location_id: (client_id, names) for location_id, names in used.locations.items()}
    agencies = {one.tokens.agency_id for one in kept if one.owner.id in waiting}
    found = []
    for one in kept:
        _, names = waiting.pop(one.owner.id, ("", []))
        if names or not only or one.owner.id in agencies:
            found.append(_row(one, names))
    return found + [_missing(location_id, *one) for location_id, one in waiting.items()]


def _row(one: KeptTokens, pairs: list[str]) -> dict[str, Any]:
    return {
        "owner": str(one.owner.kind),
        "id": one.owner.id,
        "pairs": pairs,
        "client_id": one.tokens.client_id,
        "ends_at": iso(one.tokens.ends_at),
        "state": _state(one),
    }


def _state(one: KeptTokens) -> str:
    if one.refused_at is not None:
        return f"refused by GHL since {_moment(one.refused_at)}: log in again"
    return f"from agency {one.tokens.agency_id}" if one.tokens.agency_id else "logged in"


def _missing(location_id: str, client_id: str, pairs: list[str]) -> dict[str, Any]:
    none = {"client_id": client_id, "ends_at": None, "state": "not logged in"}
    return {"owner": str(OwnerKind.LOCATION), "id": location_id, "pairs": pairs, **none}


def shown_moment(iso: str | None) -> str:
    """A time in JSON's form, for people."""
    return _moment(datetime.fromisoformat(iso)) if iso is not None else "-"


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at is not None else "-"

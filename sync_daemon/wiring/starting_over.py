"""What `adopt` and `reset` would keep of each pair, held against what is there."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sync_daemon.model.errors import ConfigurationError, IncompleteRead
from sync_daemon.model.system import SystemName
from sync_daemon.ports import System
from sync_daemon.settings.installation import Settings
from sync_daemon.settings.pair import PairSection
from sync_daemon.store.crypto import Secrets
from sync_daemon.store.starting_over import LockedStore, NewStart, StoredPair
from sync_daemon.wiring.clock import SystemClock
from sync_daemon.wiring.systems import connect


@dataclass(frozen=True, slots=True)
class Intent:
    """What is to be started over, and whether the secret behind the store is lost, so that all of it must be."""

    starts: tuple[NewStart, ...]
    secret_lost: bool


def intend(
    store: LockedStore, secrets: Secrets | None, settings: Settings, sections: Sequence[PairSection], *, adopt: bool
) -> Intent:
    """What to start over. To adopt, the contacts of both sides are listed; to reset, nothing is asked.

    Raises `ConfigurationError` where the secret is lost and not every pair was chosen, `StopSystem` and
    `IncompleteRead` where a side can't be read to its end.
    """
    lost = secrets is None or not store.opens_with(secrets)
    stored = {pair.name: pair for pair in store.pairs()}
    configured = {section.name: section for section in sections}
    if lost and (narrowed := stored.keys() & {one.name for one in settings.pairs} - configured.keys()):
        raise ConfigurationError(
            f"the secret_key belongs to the whole state store, and {', '.join(sorted(narrowed))} is in it too: "
            "leave --pair away"
        )
    starts = [
        _start(stored[name], section, settings, store, None if lost else secrets, adopt=adopt)
        for name, section in configured.items()
        if name in stored and (lost or not adopt or _has_moved(stored[name], section))
    ]
    if lost:  # pairs that the configuration names no more can't be asked about
        others = [pair for name, pair in stored.items() if name not in configured]
        starts += [NewStart(pair, pair.location_id, pair.list_id, None if adopt else ()) for pair in others]
    return Intent(tuple(starts), lost)


def _has_moved(pair: StoredPair, section: PairSection) -> bool:
    return (pair.location_id, pair.list_id) != section.accounts


def _start(
    pair: StoredPair,
    section: PairSection,
    settings: Settings,
    store: LockedStore,
    secrets: Secrets | None,
    *,
    adopt: bool,
) -> NewStart:
    """One start; `secrets` None where those behind the store are lost."""
    keep: Collection[str] = ()
    if adopt and pair.counts["links"]:
        if secrets is None and section.ghl.oauth is not None:
            raise ConfigurationError(
                f"pair {section.name} logs in with OAuth, and its tokens are lost with the secret_key: give it a "
                "private integration token as `ghl.token` for `sync-daemon adopt`, or take `sync-daemon reset`; then "
                "log in again with `sync-daemon oauth login`"
            )
        systems = connect(section, settings, SystemClock(), store.tokens(secrets) if secrets is not None else None)
        ghl, emailoctopus = (_ids_in(systems[name]) for name in SystemName)
        keep = [one for one, other in store.links(pair) if one in ghl and other in emailoctopus]
    return NewStart(pair, section.ghl.location_id, section.emailoctopus.list_id, keep)


def _ids_in(system: System) -> set[str]:
    """The id of every contact of a system. Raises `IncompleteRead` when its listing comes back short."""
    schema = system.read_schema()
    reader = system.with_schema(schema, ()).reader
    ids: set[str] = set()
    for stream in reader.streams:
        for page in (listed.whole() for listed in reader.scan(stream)):
            ids.update(snapshot.contact_id for snapshot in page.snapshots)
            ids.update(malformed.contact_id for malformed in page.malformed)
    if len(ids) < sum(schema.counts.values()):
        raise IncompleteRead(f"{system.name} listed {len(ids)} contacts and counts more: nothing was done, try again.")
    return ids

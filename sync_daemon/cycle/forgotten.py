"""Who was forgotten is passed over wherever he turns up: nothing is decided about him, and nothing of him is kept."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from sync_daemon.changes.cases import ContactKey
from sync_daemon.changes.forgotten import Sight
from sync_daemon.cycle.pair import Run, log
from sync_daemon.model.contact import Page, Snapshot
from sync_daemon.model.state import Staged, Unlinked
from sync_daemon.model.system import SystemName
from sync_daemon.model.webhook import WebhookEvent
from sync_daemon.ports import Commit


def without_forgotten(run: Run, system: SystemName, page: Page) -> tuple[Page, set[str]]:
    """A page without those who were forgotten, and their ids.

    A search hit alone proves nobody's address: whom the store knows under another one is read by id first.
    """
    if not run.forgotten.digests:
        return page, set()
    shown = [*page.snapshots, *(one.rest for one in page.malformed if one.rest is not None)]
    known = run.pair.store.contacts(system, [one.contact_id for one in shown if run.forgotten.person(one)])
    sights = {one.contact_id: run.forgotten.sight(one, known.get(one.contact_id)) for one in shown}
    forget_met(run, [one for one in shown if sights[one.contact_id] is Sight.BY_ADDRESS])
    _have_read(run, system, [one for one, sight in sights.items() if sight is Sight.PERHAPS])
    out = {one for one, sight in sights.items() if sight is not Sight.NOBODY}
    out |= {one.contact_id for one in page.malformed if run.forgotten.contact(system, one.contact_id)}
    _pass_over(run, {(system, one) for one in out if sights.get(one) is not Sight.PERHAPS})
    return _without(page, out), out


def forget_met(run: Run, snapshots: Iterable[Snapshot]) -> set[ContactKey]:
    """Those of some contacts, read from the records themselves, who are forgotten.

    Whoever came to have such an address is forgotten from here on, with whom he is linked to.
    """
    met: set[ContactKey] = set()
    for one in snapshots:
        key, person = (one.system, one.contact_id), run.forgotten.person(one)
        if run.forgotten.contact(*key):
            _erase(run, {key})
            met.add(key)
        elif person is not None:
            run.pair.lease.keep()
            run.pair.store.forget(person, [key], run.pair.lease.holds)
            run.forgotten.digests.update(run.pair.store.forgotten())
            log.info("forgotten_met", pair=run.pair.name, system=one.system)
            met.add(key)
    _pass_over(run, met)
    return met


def erase_told(run: Run, system: SystemName, told: Sequence[WebhookEvent]) -> list[WebhookEvent]:
    """What webhooks told without what is about somebody forgotten, which is erased."""
    met = {(system, one.contact_id) for one in told if run.forgotten.contact(system, one.contact_id)}
    if met:
        _erase(run, met)
    return [one for one in told if (system, one.contact_id) not in met]


def _erase(run: Run, met: Collection[ContactKey]) -> None:
    run.pair.lease.keep()
    run.pair.store.forget_contacts(met)


def _pass_over(run: Run, met: Collection[ContactKey]) -> None:
    """Count each contact once in a cycle."""
    if met:
        run.skipped.update(met)
        run.report.skipped[Unlinked.FORGOTTEN] = len(run.skipped)


def _have_read(run: Run, system: SystemName, ids: Collection[str]) -> None:
    """Stage contacts to be read by id, whatever was read of them."""
    if ids:
        waiting = run.pair.store.staged(system, ids)
        rows = [waiting.get(one) or Staged(system, one, None) for one in ids]
        run.commit(Commit(staged=[replace(row, snapshot=None) for row in rows]))


def _without(page: Page, out: Collection[str]) -> Page:
    return replace(
        page,
        snapshots=tuple(one for one in page.snapshots if one.contact_id not in out),
        malformed=tuple(one for one in page.malformed if one.contact_id not in out),
    )

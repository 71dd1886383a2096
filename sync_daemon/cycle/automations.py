"""EmailOctopus's automations, started once for each task completed and each appointment booked (contract, section 9).

What happened before an automation was first configured starts nothing, nor does anything start for who revoked.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from sync_daemon.apply.retry_times import refused
from sync_daemon.cycle.pair import EMAILOCTOPUS, GHL, Run, log
from sync_daemon.model.activity import ActivityPolicy
from sync_daemon.model.contact import Consent
from sync_daemon.model.deeds import Deed, DeedState
from sync_daemon.model.errors import SERVER_ERROR, Refused, StopSystem
from sync_daemon.model.plan import Action, Operation
from sync_daemon.model.state import Change, Link
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Commit
from sync_daemon.reconcile.automations import AUTOMATION, Start, configured

_GIVE_UP = timedelta(days=1)
"""After which an event is too old to be mailed about; EmailOctopus refuses a second start for as long (documented)."""


def active_since(run: Run, policy: ActivityPolicy) -> dict[Start, datetime]:
    """Since when each configured automation has been active, noted when it is first met."""
    names = {f"{AUTOMATION} {kind} {automation}": (kind, automation) for kind, automation in configured(policy)}
    return {names[name]: at for name, at in run.active_since(names).items()}


def new_only(run: Run, deeds: list[Deed]) -> list[Deed]:
    """The deeds that nobody has written down yet."""
    known = run.pair.store.deeds([deed.key for deed in deeds])
    return list({deed.key: deed for deed in deeds if deed.key not in known}.values())


def as_operation(deed: Deed) -> Operation:
    """A start as a plan shows it."""
    return Operation(EMAILOCTOPUS, Action.START_AUTOMATION, deed.ghl_id, deed.emailoctopus_id, deed.what)


def due_starts(run: Run) -> list[Deed]:
    """The starts that are intended, or were refused and whose time has come."""
    return [one for one in run.pair.store.open_deeds(run.pair.clock.now()) if one.key.startswith(f"{AUTOMATION}:")]


def start_due(run: Run) -> None:
    """Start what is intended, each after a look at both contacts; what came of it is written down at once."""
    for deed in due_starts(run):
        if run.stopped or run.pair.told_to_stop():
            return
        if run.following is not None and not run.following.may_do(deed.key, deed.ghl_id, deed.emailoctopus_id):
            continue
        try:
            after = _started(run, deed)
        except StopSystem as error:
            run.sender.stopped.setdefault(error.system, error)
            return
        run.commit(Commit(deeds=[after], changes=list(_told(after))))
        if run.following is not None:
            run.following.came_of(after)


def _started(run: Run, deed: Deed) -> Deed:
    """The deed after a try. One that had no answer is tried again: who entered an automation isn't let in twice."""
    now = run.pair.clock.now()
    automation = deed.key.split(":")[1]
    if now - deed.at > _GIVE_UP:
        began = deed.attempts and deed.code in ("", SERVER_ERROR)
        return replace(deed, state=DeedState.UNCERTAIN if began else DeedState.DONE, code=deed.code or "too_late")
    links = run.pair.store.links(ghl=[deed.ghl_id])
    if not links:
        return replace(deed, state=DeedState.DONE, code="no_link")
    deed = replace(deed, emailoctopus_id=links[0].emailoctopus_id)
    consent = _consent(run, links[0])
    if consent is Consent.REVOKED:
        return replace(deed, state=DeedState.DONE, code="revoked")
    if consent is not Consent.GRANTED:
        return refused(deed, "pending", "the contact hasn't confirmed yet", now)
    deed = replace(deed, attempts=deed.attempts + 1, code="")
    run.commit(Commit(deeds=[deed]))
    automations = run.systems[EMAILOCTOPUS].automations
    if automations is None:
        raise ValueError("EmailOctopus has automations")
    try:
        automations.start(automation, deed.emailoctopus_id)
    except Refused as refusal:
        return refused(replace(deed, attempts=deed.attempts - 1), refusal.code, refusal.message, now)
    return replace(deed, state=DeedState.DONE, next_try=None, message="")


def _consent(run: Run, link: Link) -> Consent | None:
    """What both contacts say now, each read by id: the narrower of the two; None where one is gone or doesn't tell."""
    told = {name: _read(run, name, link.id_in(name)) for name in SystemName}
    if Consent.REVOKED in told.values():
        return Consent.REVOKED
    return told[EMAILOCTOPUS] if told[GHL] is not None else None


def _read(run: Run, name: SystemName, contact_id: str) -> Consent | None:
    try:
        contact = run.systems[name].reader.fetch(contact_id)
    except Refused:
        return None
    return contact.consent if contact is not None else None


def _told(deed: Deed) -> Iterator[Change]:
    """What people are told of a deed, in the log and in the audit."""
    names = {"ghl_id": deed.ghl_id, "emailoctopus_id": deed.emailoctopus_id, "what": deed.what}
    if deed.state is DeedState.DONE and not deed.code:
        log.info("automation_started", **names)
        yield Change("written", EMAILOCTOPUS, deed.ghl_id, deed.emailoctopus_id, AUTOMATION, deed.what)
        return
    log.warning("automation_not_started", **names, state=deed.state, code=deed.code)
    yield Change("reported", EMAILOCTOPUS, deed.ghl_id, deed.emailoctopus_id, AUTOMATION, f"{deed.what}: {deed.code}")

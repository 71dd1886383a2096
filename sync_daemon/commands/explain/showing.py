"""An explanation in tables and sentences for people."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sync_daemon.commands.printing import console, plural, table
from sync_daemon.model.contact import Value
from sync_daemon.model.explanation import (
    ConsentNow,
    ContactNow,
    Explanation,
    FieldNow,
    Forecast,
    PersonNow,
    Seen,
    TagNow,
)
from sync_daemon.model.plan import Operation
from sync_daemon.model.report import Mode
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.explained import CAUSES
from sync_daemon.wiring.planning import what

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
_MODES = {Mode.FULL: "a full scan", Mode.INCREMENTAL: "a poll", Mode.HINTS: "webhooks"}

_CONTACTS = ("system", "id", "link", "address", "may be mailed", "changed", "written by this program")
_FIELDS = ("GHL field", "EmailOctopus field", "in GHL", "in EmailOctopus", "since last agreed", "what decides")


def show(explanation: Explanation, *, several: bool) -> None:
    """Print everybody who was found in one pair."""
    out = console()
    if several:
        out.print(f"pair {explanation.pair}")
    for number, person in enumerate(explanation.persons):
        if number:
            out.print()
        _show_person(person, explanation)
    asked = [
        plural(count, f"request to {name.label}", f"requests to {name.label}")
        for name, count in explanation.requests.items()
        if count
    ]
    out.print(f"\nRead just now with {' and '.join(asked)}." if asked else "\nRead from the state store alone.")
    if explanation.paused_since is not None:
        since = _when(explanation.paused_since)
        out.print(f"The pair is paused since {since}: no cycle does anything until `sync-daemon resume`.")
    for name, error in explanation.unread.items():
        out.print(f"{name.label} couldn't be read: {error.shown}")


def _show_person(person: PersonNow, explanation: Explanation) -> None:
    out = console()
    out.print(table(("state", "what it means"), [(one.state.replace("_", " "), one.words) for one in person.findings]))
    if person.contacts:
        out.print(table(_CONTACTS, [_contact(one) for one in person.contacts], "\ncontacts"))
    if person.fields and not any(_is_read(row) for row in person.fields):
        out.print("\nfields: their values aren't in the state store, which keeps digests alone")
    elif person.fields:
        out.print(table(_FIELDS, list(_fields(person)), "\nfields"))
    if any(has is not None for tag in person.tags for has in tag.has.values()):
        out.print(table(("tag", "GHL", "EmailOctopus", "what decides"), [_tag(one) for one in person.tags], "\ntags"))
    if person.consent is not None:
        out.print("\n" + "\n".join(_consent(person.consent)))
    if person.scope is not None and person.scope.verdict:
        out.print(f"scope: {person.scope.verdict}")
    _show_log(person)
    _show_future(person, explanation)


def _contact(contact: ContactNow) -> tuple[object, ...]:
    now, known = contact.now, contact.known
    role = known.unlinked.replace("_", " ") if known is not None and known.unlinked is not None else contact.role
    consent = (now.consent or "granted") if now is not None else known.consent if known is not None else None
    address = now.address if now is not None else None
    changed = now.updated_at if now is not None else known.updated_at if known is not None else None
    return (
        contact.system.label,
        contact.contact_id,
        role,
        address or ("none" if now is not None else contact.unread or "doesn't exist"),
        consent or "-",
        _when(changed),
        _when(known.written_at if known is not None else None),
    )


def _fields(person: PersonNow) -> Iterator[tuple[object, ...]]:
    address = person.address
    if address is not None:
        values = [_value(address.values[name], address.seen[name]) for name in SystemName]
        yield ("e-mail address", "e-mail address", *values, _since(address.seen, {}), address.verdict)
    for row in person.fields:
        yield _field(row)


def _field(row: FieldNow) -> tuple[object, ...]:
    values = [_value(row.values[name], row.seen[name]) for name in SystemName]
    return (row.rule.ghl, row.rule.emailoctopus, *values, _since(row.seen, row.changed_at), row.verdict)


def _is_read(row: FieldNow) -> bool:
    return any(seen not in (Seen.UNREAD, Seen.NO_CONTACT) for seen in row.seen.values())


def _value(value: Value, seen: Seen) -> str:
    if seen in (Seen.UNREAD, Seen.NO_CONTACT):
        return "?" if seen is Seen.UNREAD else "(no contact)"
    if value is None:
        return "-"
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _since(seen: Mapping[SystemName, Seen], changed_at: Mapping[SystemName, datetime | None]) -> str:
    """What happened since the two last agreed, side by side."""
    changed = [
        f"{name.label} {seen[name]}{_at(changed_at.get(name))}"
        for name in SystemName
        if seen[name] in (Seen.CHANGED, Seen.NEVER_MET)
    ]
    if changed:
        return ", ".join(changed)
    return "unchanged" if Seen.AGREED in seen.values() else "?" if Seen.UNREAD in seen.values() else "-"


def _at(moment: datetime | None) -> str:
    return f" {_when(moment)}" if moment is not None else ""


def _tag(tag: TagNow) -> tuple[object, ...]:
    words = {True: "yes", False: "no", None: "?"}
    return (tag.name, words[tag.has[GHL]], words[tag.has[EMAILOCTOPUS]], tag.verdict or "-")


def _consent(consent: ConsentNow) -> Iterator[str]:
    now = [f"{consent.now[name] or '?'} in {name.label}" for name in SystemName]
    agreed = [f"{consent.agreed[name] or 'never'} in {name.label}" for name in SystemName]
    yield f"consent: {', '.join(now)}; last agreed: {', '.join(agreed)}"
    if consent.verdict:
        yield f"consent: {consent.verdict}"
    if consent.cause is not None:
        yield f"consent: revoked by {CAUSES[consent.cause]}"
    if consent.remembered is not None:
        yield f"consent: remembered for the address: revoked by {CAUSES[consent.remembered]}"
    if consent.dnd_by_us:
        yield "consent: GHL's e-mail DND was set by this program, which may lift it when the person subscribes again"
    if consent.permanent:
        yield "consent: GHL's block is permanent, or for all channels: it is never lifted"
    if consent.unconfirmed:
        yield "consent: the person was asked to confirm and hasn't been seen subscribed since"


def _show_log(person: PersonNow) -> None:
    """What was refused in an API's own words, what waits, what was done once, and the newest lines of the log."""
    for title, columns, rows in _logs(person):
        if rows:
            console().print(table(columns, rows, f"\n{title}"))
    activity = person.activity
    if activity is not None and activity.written:
        read = f", notes last read {_when(activity.notes_read_at)}" if activity.notes_read_at else ""
        console().print(f"\nactivity shown in EmailOctopus: {', '.join(sorted(activity.written))}{read}")


def _logs(person: PersonNow) -> Iterator[tuple[str, Sequence[str], list[tuple[object, ...]]]]:
    words = [(f"parked {one.what}", one.message) for one in person.parked if one.message]
    yield "refused", ("what", "the API's own words"), [*words]
    events = [(one.system.label, one.kind, _when(one.occurred_at)) for one in person.events]
    yield "webhooks that no cycle has heeded yet", ("told by", "kind", "when"), [*events]
    deeds = [(one.what, one.state, _when(one.at), one.code or "-") for one in person.deeds]
    yield "automations and rules", ("done once", "state", "when", "why"), [*deeds]
    history = [(_when(one.at), one.run_id, one.change) for one in person.history]
    lines = [(when, run, one.kind, one.system or "-", one.what, one.reason) for when, run, one in history]
    yield "what happened, newest first", ("when", "run", "kind", "system", "what", "why"), [*lines]


def _show_future(person: PersonNow, explanation: Explanation) -> None:
    out = console()
    if person.next_cycle is None:
        if explanation.unread:
            missing = " and ".join(name.label for name in explanation.unread)
            out.print(f"\nWhat the next cycle does can't be told without reading {missing}.")
        return
    _show_forecast(person.next_cycle, f"the next cycle ({_MODES[person.next_cycle.mode]})")
    if person.full_scan is not None:
        _show_forecast(person.full_scan, "the next full scan, if nothing is done before")


def _show_forecast(forecast: Forecast, title: str) -> None:
    out = console()
    rows: list[tuple[Any, ...]] = [_operation(one) for one in forecast.operations]
    rows += [(GHL, one.action.replace("_", " "), "-", one.reason) for one in forecast.actions]
    out.print(f"\n{title}: " + ("nothing to write" if not rows else "writes"))
    if rows:
        out.print(table(("write to", "action", "what", "why"), rows))
    held = [(GHL, one.action.replace("_", " "), one.reason) for one in forecast.held_actions]
    if held:
        out.print(table(("would write to", "action", "why not"), held, "held until somebody approves it"))
    if forecast.changes:
        changes = [(one.kind, one.what, one.reason) for one in forecast.changes]
        out.print(table(("and logs", "about", "why"), changes))


def _operation(operation: Operation) -> tuple[Any, ...]:
    return (operation.system, operation.action.replace("_", " "), what(operation), operation.reason)


def _when(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment is not None else "-"

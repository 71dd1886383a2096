"""What is the matter with one person, in sentences: why not all of him is equal on both sides, and what helps. Pure."""

from collections.abc import Iterable, Iterator

from sync_daemon.changes.cases import Case
from sync_daemon.model.deeds import Deed, DeedState
from sync_daemon.model.explanation import ContactNow, FieldNow, Finding, Forecast, PersonNow, State
from sync_daemon.model.state import Cause, Held, Parked, Tombstone, Unlinked
from sync_daemon.reconcile.explained import CAUSES, parked_words

WHY_UNLINKED = {
    Unlinked.NO_EMAIL: "has no e-mail address; it is taken up when it gets one",
    Unlinked.INVALID_EMAIL: "has an e-mail address that can't be one; it is taken up when that is mended",
    Unlinked.OUT_OF_SCOPE: "doesn't satisfy `scope`",
    Unlinked.SUPPRESSED: "must not be mailed, and `create_suppressed` is off: it isn't created on the other side",
    Unlinked.PENDING: "has yet to confirm its subscription: until then it isn't created in GoHighLevel",
    Unlinked.CREATION_OFF: "isn't created on the other side, as the configuration says",
    Unlinked.ADDITIONAL_ADDRESS: "has what is an additional address of a GHL contact: it is linked to nobody",
    Unlinked.ORPHAN: "lost its partner, which was deleted or moved on; the delete policy was applied, or is held",
    Unlinked.KEPT: "lost its GHL contact, which was deleted; the delete policy waits while another location has it",
    Unlinked.ELSEWHERE: "is another location's, which this list has, too: it isn't created in this location",
    Unlinked.DISCARDED: "isn't created on the other side, as a person decided, until it changes",
    Unlinked.DROPPED: "was refused on the other side, and a person said to let it be until it changes",
    Unlinked.DUPLICATE: "has the address of another GHL contact: nothing but e-mail DND is ever written to it",
    Unlinked.DELETED: "didn't exist any more when it was last asked for",
}
"""What is said of a contact without a link; why others have none, what is parked and held tells."""


def findings(person: PersonNow, case: Case | None) -> tuple[Finding, ...]:
    """Everything that is the matter with somebody, or that nothing is."""
    found = [
        *(one for contact in person.contacts for one in _of_contact(contact)),
        *map(_of_parked, person.parked),
        *map(_of_held, person.held),
        *(_of_case(case) if case is not None else ()),
        *(one for row in person.fields for one in _of_field(row)),
        *map(_of_tombstone, person.tombstones),
        *map(_of_deed, (deed for deed in person.deeds if deed.state in (DeedState.UNCERTAIN, DeedState.REFUSED))),
        *_of_forecasts(person.next_cycle, person.full_scan),
    ]
    return tuple(dict.fromkeys(found)) or (_of_an_equal(person),)


def of_nobody(cause: Cause) -> PersonNow:
    """What is known of an address that nobody has: who revoked it."""
    return PersonNow((_revoked(cause),), ())


def of_forgotten(contacts: tuple[ContactNow, ...] = ()) -> PersonNow:
    """What is known of somebody who was forgotten, whichever contacts are still there."""
    return PersonNow((Finding(State.FORGOTTEN, "was to be forgotten: is skipped, revocations included"),), contacts)


def _of_an_equal(person: PersonNow) -> Finding:
    """That nothing is the matter: as both say it now, or as the store has it where one of them wasn't asked."""
    unread = [one.system.label for one in person.contacts if one.unread is not None]
    if not unread:
        return Finding(State.EQUAL, "nothing waits, and nothing differs")
    words = (
        f"nothing waited when the two last agreed; {' and '.join(dict.fromkeys(unread))} may differ by now: not read"
    )
    return Finding(State.EQUAL, words)


def _revoked(cause: Cause) -> Finding:
    return Finding(State.REVOKED, f"the address was revoked by {CAUSES[cause]}")


def _of_contact(contact: ContactNow) -> Iterator[Finding]:
    who, known = f"{contact.system.label}'s {contact.contact_id}", contact.known
    if known is None and contact.now is not None:
        yield Finding(State.NEW, f"{who} isn't known yet: the next cycle whose poll shows it takes it up")
    elif known is not None and known.unlinked is Unlinked.DUPLICATE:
        of = f" ({known.duplicate_of})" if known.duplicate_of else ""
        yield Finding(State.DUPLICATE, f"{who} {WHY_UNLINKED[Unlinked.DUPLICATE]}{of}")
    elif known is not None and known.unlinked in WHY_UNLINKED:
        yield Finding(State(known.unlinked), f"{who} {WHY_UNLINKED[known.unlinked]}")
    if contact.exists is False and (known is None or known.unlinked is not Unlinked.DELETED):
        words = f"{who} doesn't exist: a full scan or a webhook proves it, and `deletes` says what follows"
        yield Finding(State.MISSING, words)
    if known is not None and known.sent is not None:
        words = f"a write to {who} was begun and its answer isn't known: the next cycle looks what became of it"
        yield Finding(State.UNFINISHED, words)
    if contact.staged is not None:
        yield Finding(State.WAITING, f"a change of {who} waits in the inbox to be carried over")


def _of_parked(entry: Parked) -> Finding:
    if entry.let_be:
        return Finding(State.DROPPED, f"{entry.what}: a person said to let it be until its record changes")
    tried = f"tried {entry.attempts} times, again at {entry.next_try:%Y-%m-%d %H:%M} UTC or when the record changes"
    again = "dropped by the next cycle" if entry.dropped else tried
    number = f"; `parked retry {entry.id}` or `parked drop {entry.id}`" if entry.id is not None else ""
    return Finding(State.PARKED, f"{entry.what}: {parked_words(entry)}; {again}{number}")


def _of_held(entry: Held) -> Finding:
    words = entry.action.replace("_", " ")
    if entry.approved or entry.discarded:
        said = "approved" if entry.approved else "discarded"
        return Finding(State.HELD, f"{words}: {said} by a person, which the next cycle obeys")
    number = f"; `held approve {entry.id}` or `held discard {entry.id}`" if entry.id is not None else ""
    return Finding(State.HELD, f"{words}: {entry.reason}{number}")


def _of_case(case: Case) -> Iterator[Finding]:
    link = case.link
    if case.blocked_by is not None:
        words = f"the contact it belongs to is linked with GHL contact {case.blocked_by.ghl_id}: it waits for that"
        yield Finding(State.HELD, words)
    if link is not None and not link.in_scope:
        why = "as the scope was narrowed" if link.left_by_configuration else "by a change in GoHighLevel"
        yield Finding(State.OUT_OF_SCOPE, f"the link left the scope {why}: nothing but revocations travels")
    if link is not None and link.consent_held:
        yield Finding(
            State.CONSENT_HELD, "consent differs and stays so: " + _why_consent_held(link.dnd_by_us, link.cause)
        )
    if link is not None and link.diverged:
        yield Finding(State.DIVERGED, f"left different on purpose: {', '.join(sorted(link.diverged))}")
    if link is not None and link.sharing.alone:
        words = "unsubscribed from this list alone; GoHighLevel blocks once no list of the location has the person"
        yield Finding(State.THIS_LIST, words)
    if case.remembered is not None:
        yield _revoked(case.remembered)


def _why_consent_held(dnd_by_us: bool, cause: Cause | None) -> str:  # noqa: FBT001 - a flag of the link, told as it is
    who = f"revoked by {CAUSES[cause]}" if cause is not None else "nobody knows who revoked"
    return who if dnd_by_us else f"{who}; GoHighLevel's DND isn't this program's, which lifts none but its own"


def _of_field(row: FieldNow) -> Iterator[Finding]:
    if row.state is not None:
        yield Finding(row.state, f"{row.rule.key}: {row.verdict}")


def _of_tombstone(stone: Tombstone) -> Finding:
    who = f"GHL contact {stone.ghl_id or '-'} and EmailOctopus contact {stone.emailoctopus_id or '-'}"
    words = (
        f"the link of {who} ended at {stone.at:%Y-%m-%d %H:%M} UTC, deleted in {stone.deleted_in.label}: {stone.done}"
    )
    return Finding(State.TOMBSTONE, words)


def _of_deed(deed: Deed) -> Finding:
    if deed.state is DeedState.UNCERTAIN:
        return Finding(State.UNCERTAIN, f"{deed.what}: it got no answer and isn't repeated; look whether it was done")
    return Finding(State.PARKED, f"{deed.what}: refused ({deed.code})")


def _of_forecasts(*forecasts: Forecast | None) -> Iterator[Finding]:
    """That something is to be done; what it is the forecasts tell."""
    told: Iterable[Forecast] = (one for one in forecasts if one is not None and not one.does_nothing)
    for one in told:
        when = "the next cycle" if one is forecasts[0] else "the next full scan"
        yield Finding(State.WAITING, f"{when} has something to do")

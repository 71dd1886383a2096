"""What the API's writes do to contacts (facts: §7, §8, §12)."""

from collections.abc import Mapping
from typing import Any

from sync_daemon.sandbox.emailoctopus.errors import ProblemError
from sync_daemon.sandbox.emailoctopus.model import Change, Contact
from sync_daemon.sandbox.emailoctopus.patches import Reader
from sync_daemon.sandbox.emailoctopus.state import MailingList, State
from sync_daemon.sandbox.emailoctopus.statuses import status_of_known, status_of_new


def create(state: State, mailing_list: MailingList, body: Mapping[str, Any]) -> Contact:
    """Create a contact; raises 409 when the address is on the list already."""
    change = Reader(state, mailing_list, body).change(creates=True, address_required=True)
    if mailing_list.contacts.with_address(change.email_address or "") is not None:
        raise conflict(state)
    return _create(state, mailing_list, change)


def upsert(state: State, mailing_list: MailingList, body: Mapping[str, Any]) -> Contact:
    """Create a contact or update the one with this address; its own spelling of the address stays."""
    change = Reader(state, mailing_list, body).change(creates=False, address_required=True)
    known = mailing_list.contacts.with_address(change.email_address or "")
    if known is None:
        return _create(state, mailing_list, change)
    change.email_address = None
    return _update(state, mailing_list, known, change, names_fields="fields" in body)


def update(
    state: State, mailing_list: MailingList, contact: Contact, body: Mapping[str, Any], pointer: str = ""
) -> Contact:
    """Update a contact, its address too; raises 409 when another contact has that."""
    change = Reader(state, mailing_list, body, pointer).change(creates=False, address_required=False)
    if change.email_address is not None:
        holder = mailing_list.contacts.with_address(change.email_address)
        if holder is not None and holder is not contact:
            raise conflict(state)
    return _update(state, mailing_list, contact, change, names_fields="fields" in body)


def conflict(state: State) -> ProblemError:
    """Make the 409; the slug of its type is documented in two ways."""
    return ProblemError(409, slug=state.quirks.conflict_slug)


def _create(state: State, mailing_list: MailingList, change: Change) -> Contact:
    status = status_of_new(change.status, state.quirks, double_opt_in=mailing_list.double_opt_in)
    contact = state.enrol(mailing_list, change.email_address or "", status)
    state.apply(contact, Change(fields=change.fields, tags=change.tags), status_touches=False, told=False)
    state.added(contact)
    state.mail_confirmation(contact)
    return contact


def _update(
    state: State, mailing_list: MailingList, contact: Contact, change: Change, *, names_fields: bool
) -> Contact:
    quirks = state.quirks
    before = contact.status
    change.status = status_of_known(contact, change.status, quirks, double_opt_in=mailing_list.double_opt_in)
    if names_fields and not quirks.omitted_fields_kept:
        change.fields = {**dict.fromkeys(contact.fields), **change.fields}
    state.apply(contact, change, status_touches=quirks.status_change_touches, noop_touches=quirks.noop_touches)
    if contact.status != before:
        state.mail_confirmation(contact)
    return contact

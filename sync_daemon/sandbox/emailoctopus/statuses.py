"""Which status a contact gets (facts: §11). Pure: it decides from what is there, what was sent and the switches."""

from sync_daemon.sandbox.emailoctopus.errors import unprocessable
from sync_daemon.sandbox.emailoctopus.model import Contact, Status
from sync_daemon.sandbox.emailoctopus.quirks import Quirks

_REFUSAL = "This contact can't be given this status."


def status_of_new(sent: Status | None, quirks: Quirks, *, double_opt_in: bool) -> Status:
    """Decide the status of a contact that the API creates."""
    if not double_opt_in:
        return sent or "subscribed"
    if sent is None:
        return quirks.doi_omitted_status
    return quirks.doi_explicit_subscribed if sent == "subscribed" else sent


def status_of_known(contact: Contact, sent: Status | None, quirks: Quirks, *, double_opt_in: bool) -> Status:
    """Decide the status of a contact that the API updates; raises the 422 of a refusal."""
    current = contact.status
    if sent is None and not quirks.omitted_status_kept:
        sent = "subscribed"
    if sent is None or sent == current or (sent == "unsubscribed" and contact.suppressed is not None):
        return current
    if sent == "unsubscribed":
        return sent
    if contact.suppressed is not None:
        return _judged(quirks.resubscribe_suppressed, current, sent)
    if current == "unsubscribed":
        verdict = "taken" if quirks.resubscribe == "pending" else quirks.resubscribe
        return _judged(verdict, current, "pending" if quirks.resubscribe == "pending" else sent)
    if sent == "pending":
        return _judged(quirks.pending_over_subscribed, current, sent)
    return quirks.doi_explicit_subscribed if double_opt_in else sent


def _judged(verdict: str, current: Status, sent: Status) -> Status:
    if verdict == "refused":
        raise unprocessable("/status", _REFUSAL)
    return current if verdict == "ignored" else sent

"""What a GHL contact says about e-mail: DND `active` means do not send (facts: GHL, HC 48001214849)."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from msgspec import UNSET

from sync_daemon.model.contact import Consent, Source
from sync_daemon.systems.ghl.values import Unreadable
from sync_daemon.systems.ghl.wire import Contact
from sync_daemon.systems.words import shown

EMAIL = {"2021-07-28": "Email", "v3": "email"}
"""The e-mail channel's key in dndSettings, as each version writes it; both are read."""

_BLOCKING = ("active", "permanent")


class Reading(NamedTuple):
    """What one contact tells; consent None when it doesn't tell."""

    consent: Consent | None
    permanent: bool = False
    remark: str | None = None


def read(contact: Contact, source: Source) -> Reading:
    """The e-mail consent of a contact.

    Missing dndSettings mean no restriction where the record itself is told (observed): by id, and in a write's
    answer that has the global switch. Hits lacked them for a while (issue 43), so there they mean nothing.
    A status that nobody documented is taken for a block that isn't ours to lift, and remarked.
    """
    if contact.dnd:
        return Reading(Consent.REVOKED, permanent=True)
    if contact.dnd_settings is UNSET:
        told = source is Source.READ or (source is Source.WRITE and contact.dnd is not None)
        return Reading(Consent.GRANTED if told else None)
    statuses = _email_statuses(contact.dnd_settings or {})
    for status in statuses:
        if status not in (*_BLOCKING, "inactive"):
            return Reading(Consent.REVOKED, permanent=True, remark=f"unknown e-mail DND status {shown(status)}")
    if "permanent" in statuses:
        return Reading(Consent.REVOKED, permanent=True)
    return Reading(Consent.REVOKED if "active" in statuses else Consent.GRANTED)


def blocked(version: str) -> dict[str, Any]:
    """A body that blocks the e-mail channel and nothing else."""
    return {"dndSettings": {EMAIL[version]: {"status": "active"}}}


def freed(version: str) -> dict[str, Any]:
    """A body that frees the e-mail channel and nothing else."""
    return {"dndSettings": {EMAIL[version]: {"status": "inactive"}}}


def _email_statuses(settings: Mapping[str, Any]) -> list[str]:
    channels = [value for key, value in settings.items() if key.lower() == "email" and value is not None]
    return [_status(channel) for channel in channels]


def _status(channel: object) -> str:
    status = channel.get("status") if isinstance(channel, dict) else None
    if not isinstance(status, str):
        raise Unreadable("dndSettings.Email has no status")
    return status.strip().lower()

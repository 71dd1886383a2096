"""Do not disturb: statuses by channel, and the two spellings of the channels (facts: GHL §3.3)."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args

Settings = Mapping[str, Mapping[str, str]]
Channel = Literal["Call", "Email", "SMS", "WhatsApp", "GMB", "FB"]
Status = Literal["active", "inactive", "permanent"]

CHANNELS: dict[str, str] = {  # the spelling of 2021-07-28 -> the spelling of v3
    "Call": "call",
    "Email": "email",
    "SMS": "sms",
    "WhatsApp": "whatsApp",
    "GMB": "gmb",
    "FB": "fb",
}
STATUSES: tuple[Status, ...] = get_args(Status)
_FROM_V3 = {lower: name for name, lower in CHANNELS.items()}


def known_channels(*, v3: bool) -> frozenset[str]:
    """Name the channels that a write may carry in a version."""
    return frozenset(_FROM_V3 if v3 else CHANNELS)


def merged(stored: Settings, written: Mapping[str, Any], *, permanent_email_clearable: bool) -> Settings:
    """Apply a write to the stored settings: channels not named stay; a permanent SMS stays for good
    (documented: only the person can lift it); whether a permanent Email stays is a quirk.
    """
    settings = dict(stored)
    for name, setting in written.items():
        channel = _FROM_V3.get(name, name)
        permanent = stored.get(channel, {}).get("status") == "permanent"
        if permanent and (channel == "SMS" or (channel == "Email" and not permanent_email_clearable)):
            continue
        settings[channel] = dict(setting)
    return settings


def all_inactive(stored: Settings) -> Settings:
    """Lift every channel that isn't permanent."""
    return {
        channel: setting if setting["status"] == "permanent" else {**setting, "status": "inactive"}
        for channel, setting in stored.items()
    }


def spelled(settings: Settings, *, lower: bool) -> dict[str, Any]:
    """Write settings with the channel names of v3 or of the versions before."""
    return {CHANNELS.get(name, name.lower()) if lower else name: value for name, value in settings.items()}


def statuses(settings: Settings) -> Iterator[tuple[str, str]]:
    """Give each (channel, status) that stands in settings."""
    return ((channel, setting["status"]) for channel, setting in settings.items())

"""A contact as GHL stores it: one immutable version; every change makes the next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TEXT_FIELDS = (
    "firstName",
    "lastName",
    "companyName",
    "gender",
    "address1",
    "city",
    "state",
    "postalCode",
    "country",
    "website",
    "timezone",
    "source",
    "assignedTo",
)
"""Standard fields that hold plain text; `name`, `email`, `phone` and `dateOfBirth` have rules of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One version of a contact. `fields` holds the standard fields that have a value, by their API name;
    `custom` the custom field values by field id; `dnd_settings` channel -> {status, message?, code?}.
    """

    id: str
    location_id: str
    date_added: int  # milliseconds since the epoch
    date_updated: int
    email: str | None = None
    phone: str | None = None  # E.164
    fields: Mapping[str, Any] = field(default_factory=dict)
    custom: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    dnd: bool = False
    dnd_settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    inbound_dnd: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    additional_emails: tuple[str, ...] = ()
    additional_phones: tuple[str, ...] = ()
    followers: tuple[str, ...] = ()
    workflows: tuple[str, ...] = ()  # ids of the workflows it is in
    campaigns: tuple[str, ...] = ()
    type: str = "lead"

    @property
    def name(self) -> str:
        """The full name, which GHL keeps as first and last name."""
        return f"{self.fields.get('firstName', '')} {self.fields.get('lastName', '')}".strip()

    def all_emails(self) -> tuple[str, ...]:
        """Every address of the contact, lower case, the primary one first."""
        primary = (self.email.lower(),) if self.email else ()
        return primary + tuple(email.lower() for email in self.additional_emails)

    def all_phones(self) -> tuple[str, ...]:
        """Every number of the contact, the primary one first."""
        return ((self.phone,) if self.phone else ()) + self.additional_phones

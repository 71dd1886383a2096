"""A location (sub-account): its settings, and the fields, tags and other definitions that belong to it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sync_daemon.sandbox.ghl.custom_fields import CustomField, field_key
from sync_daemon.sandbox.ghl.ids import Ids
from sync_daemon.sandbox.ghl.normalise import tag as normal_tag

Identifier = Literal["email", "phone"]


@dataclass(kw_only=True)
class Location:
    """One location. `unique_identifiers` is the order in which an existing contact is looked for."""

    id: str
    company_id: str
    ids: Ids
    name: str = "Sandbox Location"
    country: str = "US"
    timezone: str = "America/New_York"
    email: str = "office@example.com"
    allow_duplicate_contact: bool = False
    unique_identifiers: tuple[Identifier, ...] = ("email", "phone")
    active: bool = True
    custom_fields: dict[str, CustomField] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)  # id -> name
    businesses: dict[str, str] = field(default_factory=dict)  # id -> name
    workflows: dict[str, dict[str, Any]] = field(default_factory=dict)
    campaigns: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._tag_names = {name: tag_id for tag_id, name in self.tags.items()}

    @property
    def zone(self) -> ZoneInfo:
        """The location's time zone."""
        return ZoneInfo(self.timezone)

    def document(self) -> dict[str, Any]:
        """The location as GET /locations/{id} tells it; contactUniqueIdentifiers is observed, not documented."""
        return {
            **self.summary(),
            "companyId": self.company_id,
            "business": {"name": self.name, "country": self.country, "timezone": self.timezone},
        }

    def summary(self) -> dict[str, Any]:
        """The location as the location search tells it."""
        return {
            "id": self.id,
            "name": self.name,
            "email": self.email,
            "country": self.country,
            "timezone": self.timezone,
            "settings": {
                "allowDuplicateContact": self.allow_duplicate_contact,
                "allowDuplicateOpportunity": False,
                "allowFacebookNameMerge": False,
                "disableContactTimezone": False,
                "contactUniqueIdentifiers": list(self.unique_identifiers),
            },
            "social": {},
        }

    def find_field(self, reference: str, *, long_keys: bool) -> CustomField | None:
        """Find a custom field by id or key; keys may come with their `contact.` in front when `long_keys`."""
        found = self.custom_fields.get(reference)
        if found is not None:
            return found
        for definition in self.custom_fields.values():
            short = definition.field_key.partition(".")[2]
            if reference == short or (long_keys and reference == definition.field_key):
                return definition
        return None

    def free_field_key(self, model: str, name: str) -> str:
        """Derive a fieldKey that no other field has."""
        taken = {definition.field_key for definition in self.custom_fields.values()}
        wanted = key = field_key(model, name)
        suffix = 0
        while key in taken:
            suffix += 1
            key = f"{wanted}_{suffix}"
        return key

    def define_tags(self, names: Iterable[str]) -> None:
        """Take up tags that the location doesn't know yet; they stay for good (observed)."""
        for name in names:
            if name not in self._tag_names:
                self.rename_tag(self.ids.record(), name)

    def tag_id(self, name: str) -> str | None:
        """Find a tag by its name, in whatever case."""
        return self._tag_names.get(normal_tag(name))

    def rename_tag(self, tag_id: str, name: str) -> None:
        """Name a tag, new or known; contacts keep the old name."""
        self.forget_tag(tag_id)
        self.tags[tag_id] = normal_tag(name)
        self._tag_names[normal_tag(name)] = tag_id

    def forget_tag(self, tag_id: str) -> None:
        """Remove a tag definition, if it is there; contacts keep the tag."""
        name = self.tags.pop(tag_id, None)
        if name is not None:
            del self._tag_names[name]

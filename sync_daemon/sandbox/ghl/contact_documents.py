"""The shapes in which a contact is told: by id, on creation, as a search hit, in the old listing (facts: GHL §3.1)."""

from typing import Any, NamedTuple

from sync_daemon.sandbox.ghl import dnd
from sync_daemon.sandbox.ghl.contact import Contact
from sync_daemon.sandbox.ghl.custom_fields import shown_value
from sync_daemon.sandbox.ghl.location import Location
from sync_daemon.sandbox.ghl.moments import iso
from sync_daemon.sandbox.ghl.normalise import looks_like_email
from sync_daemon.sandbox.ghl.quirks import GhlQuirks
from sync_daemon.sandbox.ghl.search import Hit

_READ_FIELDS = [
    "firstName",
    "lastName",
    "companyName",
    "address1",
    "city",
    "state",
    "country",
    "postalCode",
    "website",
    "timezone",
    "source",
    "assignedTo",
    "businessId",
]
_HIT_FIELDS = [
    "firstName",
    "lastName",
    "city",
    "state",
    "country",
    "postalCode",
    "companyName",
    "businessName",
    "businessId",
    "website",
    "source",
    "assignedTo",
    "timezone",
]
_LISTED_FIELDS = [
    "companyName",
    "source",
    "assignedTo",
    "city",
    "state",
    "postalCode",
    "address1",
    "country",
    "website",
    "timezone",
]


class Style(NamedTuple):
    """What the shape of an answer depends on."""

    location: Location
    quirks: GhlQuirks
    v3: bool


def by_id(contact: Contact, style: Style) -> dict[str, Any]:
    """The full contact of GET, PUT and upsert; what has no value is left out, as the spec's types want."""
    shown = _identity(contact)
    shown |= {name: contact.fields[name] for name in _READ_FIELDS if name in contact.fields}
    shown |= _lower_names(contact)
    if contact.name:
        shown |= {"name": contact.name, "fullNameLowerCase": contact.name.lower()}
    if contact.email:
        shown |= {"email": contact.email, "emailLowerCase": contact.email.lower()}
    if contact.phone:
        shown["phone"] = contact.phone
    shown |= _common(contact, style)
    shown["followers"] = list(contact.followers)
    if contact.dnd_settings:
        shown["dndSettings"] = _settings(contact, style)
    if contact.inbound_dnd:
        shown["inboundDndSettings"] = dict(contact.inbound_dnd)
    return shown | _additional(contact)


def created(contact: Contact, style: Style) -> dict[str, Any]:
    """The answer to a creation: before v3 a schema of its own, with keys that no other answer has."""
    shown = by_id(contact, style)
    if style.v3:
        return shown
    for name in ("name", "timezone", "followers", "additionalEmails", "additionalPhones"):
        shown.pop(name, None)
    shown |= {"deleted": False, "bounceEmail": False, "unsubscribeEmail": False, "offers": [], "products": []}
    birth = contact.fields.get("dateOfBirth")
    if birth:
        shown |= {"birthMonth": int(birth[5:7]), "birthDay": int(birth[8:10])}
    return shown


def hit(found: Hit, style: Style) -> dict[str, Any]:
    """A search hit: `address` for address1, null for what is empty, and the cursor behind it."""
    contact = found.contact
    fields = contact.fields
    shown = _identity(contact)
    shown |= {name: fields.get(name) for name in _HIT_FIELDS}
    shown |= {"address": fields.get("address1"), "email": contact.email, "phone": contact.phone}
    shown |= _lower_names(contact)
    shown |= {
        "contactName": contact.name.lower() or None,
        "phoneLabel": None,
        "validEmail": looks_like_email(contact.email) if contact.email else None,
        "attributionSource": None,
        "lastAttributionSource": None,
        "dateOfBirth": None,
        "followers": list(contact.followers),
        "searchAfter": found.search_after,
    }
    shown |= _common(contact, style)
    shown |= {"additionalEmails": [], "additionalPhones": []} | _additional(contact)
    if not style.quirks.hits_carry_names:
        del shown["firstName"], shown["lastName"]
    if not style.quirks.hits_carry_timezone:
        del shown["timezone"]
    carried = style.quirks.hits_carry_dnd
    if carried == "always" or (carried == "when_set" and contact.dnd_settings):
        shown["dndSettings"] = _settings(contact, style)
    if carried != "never" and contact.inbound_dnd:
        shown["inboundDndSettings"] = dict(contact.inbound_dnd)
    return shown


def listed(contact: Contact, style: Style) -> dict[str, Any]:
    """A row of the deprecated GET /contacts/: names in lower case, their real case under `…Raw` (observed)."""
    fields = contact.fields
    shown = _identity(contact)
    shown |= {name: fields.get(name) for name in _LISTED_FIELDS if fields.get(name)}
    for name in ("firstName", "lastName"):
        if name in fields:
            shown |= {name: fields[name].lower(), f"{name}Raw": fields[name]}
    if contact.email:
        shown["email"] = contact.email
    if contact.phone:
        shown["phone"] = contact.phone
    if contact.name:
        shown |= {"contactName": contact.name.lower(), "contactNameRaw": contact.name}
    shown |= _common(contact, style)
    if contact.dnd_settings:
        shown["dndSettings"] = _settings(contact, style)
    return shown | {"followers": list(contact.followers), "attributions": []} | _additional(contact)


def _identity(contact: Contact) -> dict[str, Any]:
    return {"id": contact.id, "locationId": contact.location_id}


def _lower_names(contact: Contact) -> dict[str, Any]:
    names = ("firstName", "lastName")
    return {f"{name}LowerCase": contact.fields[name].lower() for name in names if name in contact.fields}


def _common(contact: Contact, style: Style) -> dict[str, Any]:
    shown = {
        "type": contact.type,
        "dnd": contact.dnd,
        "tags": list(contact.tags),
        "customFields": _custom_fields(contact, style),
        "dateAdded": iso(contact.date_added),
        "dateUpdated": iso(contact.date_updated),
    }
    birth = contact.fields.get("dateOfBirth")
    if birth:
        instant = style.quirks.date_of_birth_form == "instant"
        shown["dateOfBirth"] = f"{birth}T00:00:00.000Z" if instant else birth
    return shown


def _custom_fields(contact: Contact, style: Style) -> list[dict[str, Any]]:
    definitions = style.location.custom_fields
    return [
        {"id": field_id, "value": shown_value(definitions[field_id], value, style.quirks)}
        for field_id, value in contact.custom.items()
        if field_id in definitions
    ]


def _settings(contact: Contact, style: Style) -> dict[str, Any]:
    return dnd.spelled(contact.dnd_settings, lower=style.v3 and style.quirks.v3_lower_dnd_on_read)


def _additional(contact: Contact) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    if contact.additional_emails:
        shown["additionalEmails"] = [{"email": email} for email in contact.additional_emails]
    if contact.additional_phones:
        shown["additionalPhones"] = [{"phone": phone} for phone in contact.additional_phones]
    return shown

"""A mapping to begin with: which field of a location and which of a list mean the same, by name and type. Pure.

Nothing that is proposed makes a field or overwrites what GHL has: what would lose something goes to EmailOctopus alone.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count

from sync_daemon.model.contact import AccountSchema, FieldSpec
from sync_daemon.model.policy import Direction, FieldRule
from sync_daemon.reconcile.conversion import Fidelity, emailoctopus_type_for, fidelity

_CUSTOM = "custom."
_TAG = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_LONGEST_TAG = 27
"""Room for a number in the thirty letters that are known to be fine."""
_ADDRESS = ("email", "emailaddress")
_STANDARD_NAMES: Mapping[str, tuple[str, ...]] = {
    "firstName": ("first name", "given name", "forename", "fname"),
    "lastName": ("last name", "surname", "family name", "lname"),
    "name": ("full name", "name"),
    "phone": ("phone", "phone number", "telephone", "tel", "mobile", "mobile number", "mobile phone", "cell phone"),
    "address1": ("address 1", "address", "street", "street address", "address line 1"),
    "city": ("city", "town"),
    "state": ("state", "region", "province", "county"),
    "postalCode": ("postal code", "post code", "zip", "zip code", "postal", "plz"),
    "country": ("country", "country code"),
    "website": ("website", "web site", "url", "homepage"),
    "dateOfBirth": ("date of birth", "birthday", "birth date", "birthdate", "dob"),
    "source": ("source", "lead source", "contact source"),
    "assignedTo": ("assigned to", "owner", "contact owner"),
    "companyName": ("company name", "company", "business name", "organisation", "organization"),
    "type": ("contact type",),
    "dateAdded": ("date added", "contact date added"),
}
"""What else GHL's standard fields are called. `timezone` isn't proposed: mapped, it has every contact read by id."""

_ONE_WAY = {
    "phone": "GHL refuses a number that another contact has",
    "name": "GHL keeps it as first and last name",
    "assignedTo": "it is the id of a user",
}
"""Standard fields that could be written in GHL, and better aren't by a beginner."""
_LOSES: Mapping[tuple[str, str], str] = {
    ("STANDARD", "number"): "what isn't a whole number would be parked",
    ("TEXT", "number"): "what isn't a whole number would be parked",
    ("LARGE_TEXT", "number"): "what isn't a whole number would be parked",
    ("STANDARD", "date"): "what isn't a date would be parked",
    ("TEXT", "date"): "what isn't a date would be parked",
    ("LARGE_TEXT", "date"): "what isn't a date would be parked",
    ("NUMERICAL", "number"): "numbers with a fraction would be parked",
    ("MONETORY", "number"): "numbers with a fraction would be parked",
    ("FLOAT", "number"): "numbers with a fraction would be parked",
    ("MULTIPLE_OPTIONS", "choice_single"): "several choices at once would be parked",
    ("CHECKBOX", "choice_single"): "several choices at once would be parked",
}
"""What a lossy conversion to EmailOctopus refuses, value by value, by GHL's type and EmailOctopus's."""


@dataclass(frozen=True, slots=True)
class ProposedRow:
    """One row that is proposed, with both fields; `remark` says why it goes one way, or what to look out for."""

    rule: FieldRule
    ghl: FieldSpec
    emailoctopus: FieldSpec
    fidelity: Fidelity
    remark: str = ""


@dataclass(frozen=True, slots=True)
class ProposedField:
    """A row for a custom field of the location that the list lacks; `emailoctopus_type` is what would be made there."""

    rule: FieldRule
    ghl: FieldSpec
    emailoctopus_type: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """`rows` are the mapping; `possible` rows would make a field; `unmapped` are the list's fields in no row."""

    rows: tuple[ProposedRow, ...]
    possible: tuple[ProposedField, ...]
    unmapped: tuple[FieldSpec, ...]


def propose(ghl: AccountSchema, emailoctopus: AccountSchema) -> Proposal:
    """A mapping of what both sides have under the same name, in the order of the location's fields."""
    emailoctopus = replace(emailoctopus, fields=dict(filter(_can_be_named, emailoctopus.fields.items())))
    partners = _partners(ghl, emailoctopus)
    rows = tuple(_row(ghl.fields[mine], emailoctopus.fields[theirs]) for mine, theirs in partners.items())
    left = [spec for spec in ghl.fields.values() if spec.name.startswith(_CUSTOM) and spec.name not in partners]
    return Proposal(
        rows,
        tuple(_possible(left, emailoctopus.fields)),
        tuple(spec for name, spec in emailoctopus.fields.items() if name not in partners.values()),
    )


def _can_be_named(field: tuple[str, FieldSpec]) -> bool:
    """Whether a mapping can name a field of the list: not the address, which always travels, nor an odd tag."""
    return bool(_TAG.fullmatch(field[0])) and field[0].lower() not in _ADDRESS


def _partners(ghl: AccountSchema, emailoctopus: AccountSchema) -> dict[str, str]:
    """GHL's field for each of the list's that has one, GHL name to tag; a standard field goes before a custom one.

    A custom field goes by its key first, then by its label; a name that several have is nobody's.
    """
    found: dict[str, str] = {}
    for names_of in (_standard_names, _key, _label):
        waiting = [spec for spec in ghl.fields.values() if spec.name not in found]
        shared = Counter(name for spec in waiting for name in names_of(spec))
        for spec in waiting:
            names = (name for name in names_of(spec) if name and shared[name] == 1)
            free = [one for tag, one in emailoctopus.fields.items() if tag not in found.values()]
            partner = next(filter(None, (_called(name, spec, free) for name in names)), None)
            if partner is not None:
                found[spec.name] = partner.name
    return {name: found[name] for name in ghl.fields if name in found}


def _called(name: str, ghl: FieldSpec, fields: Iterable[FieldSpec]) -> FieldSpec | None:
    """The one field of the list with a name that a field of GHL can be converted to: by its tag, else by its label."""
    fitting = [one for one in fields if fidelity(ghl.type, one.type) is not Fidelity.REFUSED]
    for names in (map(_plain, (one.name for one in fitting)), map(_plain, (one.label for one in fitting))):
        so_called = [one for one, own in zip(fitting, names, strict=True) if own == name]
        if len(so_called) == 1:
            return so_called[0]
    return None


def _standard_names(spec: FieldSpec) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(_plain, _STANDARD_NAMES.get(spec.name, ()))))


def _key(spec: FieldSpec) -> tuple[str, ...]:
    return (_plain(spec.name.removeprefix(_CUSTOM)),) if spec.name.startswith(_CUSTOM) else ()


def _label(spec: FieldSpec) -> tuple[str, ...]:
    return (_plain(spec.label),) if spec.name.startswith(_CUSTOM) else ()


def _plain(name: str) -> str:
    """A name without case, accents, blanks and marks: `First Name`, `firstName` and `first_name` are one."""
    letters = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in letters if letter.isalnum())


def _row(ghl: FieldSpec, emailoctopus: FieldSpec) -> ProposedRow:
    kept = fidelity(ghl.type, emailoctopus.type)
    one_way = kept is Fidelity.LOSSY or not ghl.writable or ghl.name in _ONE_WAY
    direction = Direction.TO_EMAILOCTOPUS if one_way else Direction.BOTH
    rule = FieldRule(ghl.name, emailoctopus.name, direction)
    return ProposedRow(rule, ghl, emailoctopus, kept, "; ".join(_remarks(ghl, emailoctopus, kept)))


def _remarks(ghl: FieldSpec, emailoctopus: FieldSpec, kept: Fidelity) -> Iterator[str]:
    if not ghl.writable:
        yield "GHL's API can't write it"
    elif ghl.name in _ONE_WAY:
        yield _ONE_WAY[ghl.name]
    if kept is Fidelity.LOSSY:
        yield _LOSES.get((ghl.type, emailoctopus.type), "the way back would change it")
    if ghl.choices and emailoctopus.choices:
        lacking = [choice for choice in ghl.choices if choice not in emailoctopus.choices]
        if lacking:
            yield f"the list lacks the choice {', '.join(lacking)}"


def _possible(left: Collection[FieldSpec], taken: Collection[str]) -> Iterator[ProposedField]:
    """Rows for custom fields without a partner, each with a tag that is free."""
    used = {_plain(name) for name in taken}
    for spec in left:
        type_ = emailoctopus_type_for(spec.type)
        if type_ is None or (type_.startswith("choice") and not spec.choices):
            continue
        tag = _free_tag(spec, used)
        used.add(_plain(tag))
        lossy = fidelity(spec.type, type_) is Fidelity.LOSSY or not spec.writable
        direction = Direction.TO_EMAILOCTOPUS if lossy else Direction.BOTH
        yield ProposedField(FieldRule(spec.name, tag, direction), spec, type_)


def _free_tag(spec: FieldSpec, used: Collection[str]) -> str:
    """A tag in EmailOctopus's manner, such as `LeadScore` for the label "Lead score"."""
    words = "".join(letter if letter.isascii() and letter.isalnum() else " " for letter in _bare(spec.label)).split()
    stem = "".join(word[0].upper() + word[1:] for word in words).lstrip("0123456789")[:_LONGEST_TAG] or "GhlField"
    return next(tag for number in count(1) if _plain(tag := stem if number == 1 else f"{stem}{number}") not in used)


def _bare(label: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKD", label) if not unicodedata.combining(letter))

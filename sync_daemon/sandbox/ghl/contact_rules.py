"""What the bodies of contact writes may hold (documented: contacts.json, contacts-v3.json)."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from sync_daemon.sandbox.ghl import dnd
from sync_daemon.sandbox.ghl.body_rules import (
    Rule,
    Rules,
    boolean,
    mapping,
    objects,
    one_of,
    problems,
    text,
    texts,
)
from sync_daemon.sandbox.ghl.contact import TEXT_FIELDS
from sync_daemon.sandbox.ghl.errors import unprocessable
from sync_daemon.sandbox.ghl.location import Location
from sync_daemon.sandbox.ghl.normalise import birth_date, e164, looks_like_email
from sync_daemon.sandbox.ghl.quirks import GhlQuirks
from sync_daemon.sandbox.ghl.writes import entry_value, phone_region

Kind = Literal["create", "update", "upsert"]


def _email(key: str, value: Any) -> Iterator[str]:
    if value != "" and (not isinstance(value, str) or not looks_like_email(value)):
        yield f"{key} must be an email"


def _birth_date(key: str, value: Any) -> Iterator[str]:
    if value != "" and (not isinstance(value, str) or birth_date(value) is None):
        yield f"{key} must be a date such as YYYY-MM-DD"


def _setting(key: str, value: Any, statuses: tuple[str, ...]) -> Iterator[str]:
    rules: Rules = {"status": one_of(statuses), "message": text, "code": text}
    if not isinstance(value, dict):
        yield f"{key} must be an object"
        return
    for line in problems(value, rules, ("status",)):
        yield f"{key}.{line}"


def _dnd_settings(*, v3: bool) -> Rule:
    channels = dnd.known_channels(v3=v3)

    def rule(key: str, value: Any) -> Iterator[str]:
        yield from mapping(key, value)
        for channel, setting in value.items() if isinstance(value, dict) else ():
            if channel in channels:
                yield from _setting(f"{key}.{channel}", setting, dnd.STATUSES)
            else:
                yield f"{key}.property {channel} should not exist"

    return rule


def _inbound(key: str, value: Any) -> Iterator[str]:
    yield from mapping(key, value)
    for channel, setting in value.items() if isinstance(value, dict) else ():
        if channel == "all":
            yield from _setting(f"{key}.all", setting, ("active", "inactive"))
        else:
            yield f"{key}.property {channel} should not exist"


def _rules(kind: Kind, *, v3: bool) -> Rules:
    rules: dict[str, Rule] = dict.fromkeys((*TEXT_FIELDS, "name", "phone"), text)
    rules |= {
        "email": _email,
        "dnd": boolean,
        "dndSettings": _dnd_settings(v3=v3),
        "inboundDndSettings": _inbound,
        "tags": texts,
        "customFields": objects,
        "dateOfBirth": _birth_date,
    }
    if kind == "update":
        del rules["gender"], rules["companyName"]
        return rules
    rules["locationId"] = text
    if kind == "upsert":
        rules["createNewIfDuplicateAllowed"] = boolean
    return rules


_KINDS: tuple[Kind, ...] = ("create", "update", "upsert")
_RULES = {(kind, v3): _rules(kind, v3=v3) for kind in _KINDS for v3 in (False, True)}


def check_contact(body: Mapping[str, Any], kind: Kind, location: Location, quirks: GhlQuirks, *, v3: bool) -> None:
    """Refuse a body with 422 when it holds an unknown key or a value of the wrong type."""
    rules = _RULES[kind, v3]
    if kind == "update" and quirks.put_company_name and "companyName" in body:
        rules = {**rules, "companyName": text}
    found = problems(body, rules)
    if quirks.empty_text == "refused":
        found += [f"{key} should not be empty" for key, value in body.items() if value == "" and key in rules]
    if isinstance(body.get("customFields"), list):
        found += _entries(body["customFields"], quirks, v3=v3)
    phone = body.get("phone")
    checked = quirks.invalid_phone == "refused" and isinstance(phone, str) and phone
    if checked and e164(str(phone), phone_region(body, location, quirks)) is None:
        found.append("phone must be a valid phone number")
    if found:
        raise unprocessable(found)


def _entries(entries: list[Any], quirks: GhlQuirks, *, v3: bool) -> Iterator[str]:
    known = {"id", "key", "field_value"}
    known |= {"fieldValue"} if v3 else set()
    known |= {"value"} if quirks.custom_value_key else set()
    for position, entry in enumerate(entries):
        if not isinstance(entry, dict):
            continue
        for key in sorted(entry.keys() - known):
            yield f"customFields.{position}.property {key} should not exist"
        for key in ("id", "key"):
            if not isinstance(entry.get(key) or "", str):
                yield f"customFields.{position}.{key} must be a string"
        if quirks.empty_text == "refused" and entry_value(entry) == "":
            yield f"customFields.{position}.field_value should not be empty"
        if not entry.get("id") and not entry.get("key"):
            yield f"customFields.{position}.id should not be empty"

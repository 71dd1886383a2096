"""Defining custom fields and tags in a location (locations.json)."""

import re
from typing import Any

from sync_daemon.model.errors import AnswerLost, Refused
from sync_daemon.systems.ghl import wire
from sync_daemon.systems.ghl.client import Client
from sync_daemon.systems.ghl.fields import CUSTOM, key_of


def create_field(client: Client, name: str, data_type: str, label: str, choices: tuple[str, ...]) -> None:
    """Define the custom field that the configuration calls `name` (`custom.<key>`), unless it is there.

    GHL makes the key from the field's name: a label that would get another key gives way to the key itself.
    Raises `Refused`.
    """
    key = name.removeprefix(CUSTOM)
    if _find(client, key) is not None:
        return
    body = {"name": label if _derived_key(label) == key else key, "dataType": data_type, "model": "contact"}
    try:
        made = _create(client, body, choices)
    except AnswerLost as lost:
        if _find(client, key) is None:
            raise Refused("answer_lost", f"GHL didn't answer when the field {name} was created. {lost}") from lost
        return
    if key_of(made.field_key) != key:
        raise Refused(
            "field_key",
            f"GHL calls the new field {CUSTOM}{key_of(made.field_key)}, not {name}. Name it so in the configuration.",
        )


def create_tag(client: Client, name: str) -> None:
    """Define a tag; one that is there, in whatever case, is fine. Raises `Refused`."""
    try:
        client.create_tag(name)
    except Refused:
        if name.strip().lower() not in {tag.name.strip().lower() for tag in client.tags()}:
            raise


def _find(client: Client, key: str) -> wire.CustomField | None:
    return next((one for one in client.custom_fields() if key_of(one.field_key) == key), None)


def _create(client: Client, body: dict[str, Any], choices: tuple[str, ...]) -> wire.CustomField:
    """Create with the choices under either key: `options` is what clients send, the other what the schema has."""
    if not choices:
        return client.create_custom_field(body)
    try:
        return client.create_custom_field({**body, "options": list(choices)})
    except Refused:
        boxes = [{"label": choice, "prefillValue": ""} for choice in choices]
        return client.create_custom_field({**body, "textBoxListOptions": boxes})


def _derived_key(label: str) -> str:
    """The key that GHL makes of a name: `Favourite colour` becomes `favourite_colour` (documented samples)."""
    return re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")

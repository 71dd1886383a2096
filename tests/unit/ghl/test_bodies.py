"""Operations become bodies that hold what must change and nothing else."""

from typing import Any

import pytest

from sync_daemon.model.contact import Consent
from sync_daemon.model.plan import Action, Operation
from sync_daemon.systems.ghl import bodies, wire
from sync_daemon.systems.ghl.fields import columns_of, schema_of
from sync_daemon.systems.ghl.settings import Version
from tests.unit.ghl.operations import operation

COLUMNS = columns_of(
    schema_of(
        wire.Location(),
        [
            wire.CustomField(id="f1", name="Plan", field_key="contact.plan", data_type="TEXT"),
            wire.CustomField(id="f3", name="Likes", field_key="contact.likes", data_type="CHECKBOX"),
        ],
    ),
    ("firstName", "phone", "source", "custom.plan", "custom.f3"),
)


@pytest.mark.parametrize(("version", "key"), [("2021-07-28", "field_value"), ("v3", "fieldValue")])
def test_a_creation(version: Version, key: str) -> None:
    new = operation(
        Action.CREATE,
        None,
        address="a@example.com",
        fields={"firstName": "Ada", "phone": None, "custom.plan": "gold", "custom.f3": ("x", "y")},
        tags=("vip",),
    )
    assert bodies.creation(new, COLUMNS, "loc", version) == {
        "locationId": "loc",
        "email": "a@example.com",
        "firstName": "Ada",
        "customFields": [{"id": "f1", key: "gold"}, {"id": "f3", key: ["x", "y"]}],
        "tags": ["vip"],
    }


def test_a_creation_of_somebody_who_revoked() -> None:
    new = operation(Action.CREATE, None, address="a@example.com", consent=Consent.REVOKED)
    assert bodies.creation(new, COLUMNS, "loc", "2021-07-28")["dndSettings"] == {"Email": {"status": "active"}}


def test_an_update_holds_changes_only_and_clears_with_null() -> None:
    change = operation(Action.UPDATE, fields={"firstName": None, "custom.plan": None, "custom.f3": ""})
    assert bodies.changes(change, COLUMNS, "2021-07-28") == {
        "firstName": None,
        "customFields": [{"id": "f1", "field_value": None}, {"id": "f3", "field_value": []}],
    }


def test_a_changed_address() -> None:
    change = operation(Action.UPDATE, address="new@example.com", fields={"phone": "+14155550123"})
    assert bodies.changes(change, COLUMNS, "v3") == {"email": "new@example.com", "phone": "+14155550123"}


@pytest.mark.parametrize(
    ("change", "version", "body"),
    [
        (operation(Action.SET_DND), "2021-07-28", {"dndSettings": {"Email": {"status": "active"}}}),
        (operation(Action.SET_DND), "v3", {"dndSettings": {"email": {"status": "active"}}}),
        (operation(Action.LIFT_DND), "2021-07-28", {"dndSettings": {"Email": {"status": "inactive"}}}),
        (operation(Action.LIFT_DND), "v3", {"dndSettings": {"email": {"status": "inactive"}}}),
    ],
)
def test_dnd_touches_the_email_channel_alone(change: Operation, version: Version, body: dict[str, Any]) -> None:
    assert bodies.changes(change, COLUMNS, version) == body

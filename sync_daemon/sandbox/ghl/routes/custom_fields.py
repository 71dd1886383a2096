"""/locations/{id}/customFields: the definitions of custom fields (facts: GHL §6.4)."""

from collections.abc import Mapping
from typing import Any

from sync_daemon.sandbox.ghl.body_rules import Rule, boolean, check, number, objects, one_of, text, texts
from sync_daemon.sandbox.ghl.calls import Answer, Call, Operation
from sync_daemon.sandbox.ghl.custom_fields import CHOICES, DATA_TYPES, MULTIPLE, CustomField
from sync_daemon.sandbox.ghl.errors import not_found, unprocessable

_MODELS = ("contact", "opportunity")
_RULES: dict[str, Rule] = {
    "name": text,
    "placeholder": text,
    "acceptedFormat": texts,
    "isMultipleFile": boolean,
    "maxNumberOfFiles": number,
    "textBoxListOptions": objects,
    "position": number,
    "model": one_of(_MODELS),
}
_CREATE_RULES: dict[str, Rule] = {
    **_RULES,
    "dataType": one_of(sorted(DATA_TYPES)),
    "parentId": text,  # this and the next two work though the spec lacks them (issue 300)
    "fieldKey": text,
    "description": text,
}


def list_fields(call: Call) -> Answer:
    """GET every definition, or those of one model; unpaged."""
    _refuse_location_in_query(call)
    model = call.query.get("model", "contact")
    if model not in (*_MODELS, "all"):
        raise unprocessable(["model must be one of the following values: contact, opportunity, all"])
    fields = call.location.custom_fields.values()
    return 200, {"customFields": [one.document() for one in fields if model in ("all", one.model)]}


def create_field(call: Call) -> Answer:
    """POST a definition; naming the location here is refused (observed)."""
    _refuse_location_in_query(call)
    rules = _CREATE_RULES
    if call.world.quirks.field_options_key:
        rules = {**rules, "options": texts}
    check(call.body, rules, ("name", "dataType"))
    model = call.body.get("model") or "contact"
    wanted_key = str(call.body.get("fieldKey") or call.body["name"]).removeprefix(f"{model}.")
    definition = CustomField(
        id=call.world.ids.record(),
        location_id=call.location.id,
        name=call.body["name"],
        field_key=call.location.free_field_key(model, wanted_key),
        data_type=call.body["dataType"],
        model=model,
    )
    _change(call, definition, call.body)
    call.location.custom_fields[definition.id] = definition
    return 201, {"customField": definition.document()}


def get_field(call: Call) -> Answer:
    """GET one definition."""
    return 200, {"customField": _field(call).document()}


def update_field(call: Call) -> Answer:
    """PUT what changes of a definition; its type can't."""
    definition = _field(call)
    check(call.body, _RULES, ("name",))
    if call.world.quirks.field_key_follows_name and call.body["name"] != definition.name:
        definition.field_key = call.location.free_field_key(definition.model, call.body["name"])
    definition.name = call.body["name"]
    _change(call, definition, call.body)
    return 200, {"customField": definition.document()}


def delete_field(call: Call) -> Answer:
    """DELETE a definition; the values under it are no longer told."""
    del call.location.custom_fields[_field(call).id]
    return 200, {"succeded": True}


def _field(call: Call) -> CustomField:
    definition = call.location.custom_fields.get(call.path["id"])
    if definition is None:
        raise not_found("Custom field not found")
    return definition


def _change(call: Call, definition: CustomField, body: Mapping[str, Any]) -> None:
    definition.placeholder = body.get("placeholder") or definition.placeholder
    definition.position = body.get("position") or definition.position
    definition.multiple_files = bool(body.get("isMultipleFile", definition.multiple_files))
    definition.max_files = int(body.get("maxNumberOfFiles") or definition.max_files)
    labels = [str(box.get("label", "")) for box in body.get("textBoxListOptions") or ()]
    if definition.data_type in CHOICES | MULTIPLE:
        definition.options = list(body.get("options") or labels or definition.options)
    elif labels:
        definition.text_boxes = [
            {"id": call.world.ids.record(), "label": label, "prefillValue": ""} for label in labels
        ]


def _refuse_location_in_query(call: Call) -> None:
    if "locationId" in call.query:
        raise unprocessable(["property locationId should not exist"])


_READ = "locations/customFields.readonly"
_WRITE = "locations/customFields.write"
OPERATIONS: dict[str, dict[str, Operation]] = {
    "/locations/{locationId}/customFields": {
        "GET": Operation(run=list_fields, scope=_READ),
        "POST": Operation(run=create_field, scope=_WRITE),
    },
    "/locations/{locationId}/customFields/{id}": {
        "GET": Operation(run=get_field, scope=_READ),
        "PUT": Operation(run=update_field, scope=_WRITE),
        "DELETE": Operation(run=delete_field, scope=_WRITE),
    },
}

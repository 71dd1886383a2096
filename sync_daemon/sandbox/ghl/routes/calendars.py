"""/calendars and /calendars/groups (documented: calendars.json; facts: GHL §6.3)."""

from datetime import timedelta
from typing import Any

from sync_daemon.sandbox.ghl.body_rules import Rules, anything, boolean, check, number, text
from sync_daemon.sandbox.ghl.calls import Answer, Call, Operation
from sync_daemon.sandbox.ghl.errors import bad_request, no_access_to_location

_LONGEST_SLOT_WINDOW = timedelta(days=31)
_TEXTS = [
    "groupId",
    "eventType",
    "name",
    "description",
    "slug",
    "widgetSlug",
    "calendarType",
    "widgetType",
    "eventTitle",
    "eventColor",
    "meetingLocation",
    "slotDurationUnit",
    "slotIntervalUnit",
    "slotBufferUnit",
    "preBufferUnit",
    "allowBookingAfterUnit",
    "allowBookingForUnit",
    "formId",
    "alertEmail",
    "notes",
    "pixelId",
    "formSubmitType",
    "formSubmitRedirectURL",
    "formSubmitThanksMessage",
    "guestType",
    "consentLabel",
    "calendarCoverImage",
]
_NUMBERS = [
    "slotDuration",
    "slotInterval",
    "slotBuffer",
    "preBuffer",
    "appoinmentPerSlot",
    "appoinmentPerDay",
    "allowBookingAfter",
    "allowBookingFor",
    "availabilityType",
]
_SWITCHES = [
    "isActive",
    "enableRecurring",
    "stickyContact",
    "isLivePaymentMode",
    "autoConfirm",
    "shouldSendAlertEmailsToAssignedMember",
    "googleInvitationEmails",
    "allowReschedule",
    "allowCancellation",
    "shouldAssignContactToTeamMember",
    "shouldSkipAssigningContactForExisting",
]
_NESTED = [
    "notifications",
    "teamMembers",
    "locationConfigurations",
    "openHours",
    "recurring",
    "availabilities",
    "lookBusyConfig",
]
_UPDATE: Rules = {
    **dict.fromkeys(_TEXTS, text),
    **dict.fromkeys(_NUMBERS, number),
    **dict.fromkeys(_SWITCHES, boolean),
    **dict.fromkeys(_NESTED, anything),
}
_CREATE: Rules = {**_UPDATE, "locationId": text}
_GROUP: Rules = {"name": text, "description": text, "slug": text}


def list_calendars(call: Call) -> Answer:
    """GET the calendars of a location, or of one of its groups."""
    group, drafts = call.query.get("groupId"), call.query.get("showDrafted", "true") != "false"
    found = call.world.calendars.of_location(call.location.id)
    found = [one for one in found if not group or one.get("groupId") == group]
    return 200, {"calendars": [dict(one) for one in found if drafts or one["isActive"]]}


def create_calendar(call: Call) -> Answer:
    """POST a calendar."""
    check(call.body, _CREATE, ("locationId", "name"))
    calendar = call.world.calendars.add_calendar(call.world.ids.record(), call.body)
    return 200, {"calendar": dict(calendar)}


def get_calendar(call: Call) -> Answer:
    """GET one calendar."""
    return 200, {"calendar": dict(_calendar(call))}


def update_calendar(call: Call) -> Answer:
    """PUT what changes of a calendar."""
    calendar = _calendar(call)
    check(call.body, _UPDATE)
    calendar.update(call.body)
    return 200, {"calendar": dict(calendar)}


def delete_calendar(call: Call) -> Answer:
    """DELETE a calendar with its events."""
    call.world.calendars.remove_calendar(_calendar(call)["id"])
    return 200, {"success": True}


def free_slots(call: Call) -> Answer:
    """GET the free slots between two instants, at most 31 days apart."""
    calendar = _calendar(call)
    call.required("startDate", "endDate")
    start, end = call.whole("startDate", 0), call.whole("endDate", 0)
    if not start <= end <= start + _LONGEST_SLOT_WINDOW // timedelta(milliseconds=1):
        raise bad_request("The window between startDate and endDate must be 31 days at most")
    return 200, dict(call.world.calendars.free_slots(calendar, call.location, start, end))


def _calendar(call: Call) -> dict[str, Any]:
    return _own(call, call.world.calendars.calendar(call.path["calendarId"]))


def _own(call: Call, document: dict[str, Any]) -> dict[str, Any]:
    if document["locationId"] != call.location.id:
        raise no_access_to_location()
    return document


def list_groups(call: Call) -> Answer:
    """GET the groups of a location."""
    groups = [one for one in call.world.calendars.groups.values() if one["locationId"] == call.location.id]
    return 200, {"groups": [dict(one) for one in groups]}


def create_group(call: Call) -> Answer:
    """POST a group."""
    check(
        call.body,
        {**_GROUP, "locationId": text, "isActive": boolean},
        ("locationId", "name", "description", "slug"),
    )
    if not _slug_is_free(call, call.body["slug"]):
        raise bad_request("The slug is already taken")
    group = {"id": call.world.ids.record(), "isActive": True, **call.body}
    call.world.calendars.groups[group["id"]] = group
    return 201, {"group": dict(group)}


def validate_slug(call: Call) -> Answer:
    """POST a slug to learn whether a group could have it."""
    check(call.body, {"locationId": text, "slug": text}, ("locationId", "slug"))
    return 200, {"available": _slug_is_free(call, call.body["slug"])}


def update_group(call: Call) -> Answer:
    """PUT the name, description and slug of a group."""
    group = _group(call)
    check(call.body, _GROUP, ("name", "description", "slug"))
    group.update(call.body)
    return 200, {"group": dict(group)}


def set_group_status(call: Call) -> Answer:
    """PUT whether a group is active."""
    group = _group(call)
    check(call.body, {"isActive": boolean}, ("isActive",))
    group["isActive"] = call.body["isActive"]
    return 200, {"success": True}


def delete_group(call: Call) -> Answer:
    """DELETE a group."""
    del call.world.calendars.groups[_group(call)["id"]]
    return 200, {"success": True}


def _group(call: Call) -> dict[str, Any]:
    return _own(call, call.world.calendars.group(call.path["groupId"]))


def _slug_is_free(call: Call, slug: str) -> bool:
    return all(group["slug"] != slug for group in call.world.calendars.groups.values())


def _operation(run: Any, scope: str, **more: Any) -> Operation:
    return Operation(run=run, scope=scope, version="2021-04-15", **more)


OPERATIONS: dict[str, dict[str, Operation]] = {
    "/calendars/groups": {
        "GET": _operation(list_groups, "calendars/groups.readonly", names_location="query"),
        "POST": _operation(create_group, "calendars/groups.write", names_location="body"),
    },
    "/calendars/groups/validate-slug": {
        "POST": _operation(validate_slug, "calendars/groups.write", names_location="body"),
    },
    "/calendars/groups/{groupId}": {
        "PUT": _operation(update_group, "calendars/groups.write"),
        "DELETE": _operation(delete_group, "calendars/groups.write"),
    },
    "/calendars/groups/{groupId}/status": {"PUT": _operation(set_group_status, "calendars/groups.write")},
    "/calendars/": {
        "GET": _operation(list_calendars, "calendars.readonly", names_location="query"),
        "POST": _operation(create_calendar, "calendars.write", names_location="body"),
    },
    "/calendars/{calendarId}": {
        "GET": _operation(get_calendar, "calendars.readonly"),
        "PUT": _operation(update_calendar, "calendars.write"),
        "DELETE": _operation(delete_calendar, "calendars.write"),
    },
    "/calendars/{calendarId}/free-slots": {
        "GET": _operation(free_slots, "calendars.readonly", traced=False),
    },
}

"""/locations, /users, /workflows and /campaigns: the location and its definitions (facts: GHL §6.4, §6.5)."""

from typing import Any

from sync_daemon.sandbox.ghl.body_rules import check, label
from sync_daemon.sandbox.ghl.calls import Answer, Call, Operation
from sync_daemon.sandbox.ghl.errors import bad_request, not_found, unauthorized
from sync_daemon.sandbox.ghl.location import Location


def get_location(call: Call) -> Answer:
    """GET the location: time zone, country, how duplicates are told."""
    return 200, {"location": _named(call).document()}


def search_locations(call: Call) -> Answer:
    """GET the locations that the token sees."""
    skip, limit = call.whole("skip", 0), call.whole("limit", 10, low=1)
    seen = [one for one in call.world.locations.values() if call.grant.location_id in (None, one.id)]
    email = call.query.get("email")
    seen = [one for one in seen if not email or one.email == email]
    seen.sort(key=lambda one: one.name, reverse=call.query.get("order") == "desc")
    return 200, {"locations": [one.summary() for one in seen[skip : skip + limit]]}


def _named(call: Call) -> Location:
    location = call.world.locations.get(call.path["locationId"])
    if location is None:
        raise bad_request(f"Location with id {call.path['locationId']} not found")
    return location


def list_tags(call: Call) -> Answer:
    """GET every tag that the location knows, used or not."""
    return 200, {"tags": [_tag(call, tag_id) for tag_id in call.location.tags]}


def create_tag(call: Call) -> Answer:
    """POST a tag; it must be new."""
    check(call.body, {"name": label}, ("name",))
    if call.location.tag_id(call.body["name"]) is not None:
        raise bad_request("The tag name is already exist.")
    tag_id = call.world.ids.record()
    call.location.rename_tag(tag_id, call.body["name"])
    return 200, {"tag": _tag(call, tag_id)}


def get_tag(call: Call) -> Answer:
    """GET one tag."""
    return 200, {"tag": _tag(call, call.path["tagId"])}


def update_tag(call: Call) -> Answer:
    """PUT a new name for a tag definition."""
    tag_id = _tag(call, call.path["tagId"])["id"]
    check(call.body, {"name": label}, ("name",))
    if call.location.tag_id(call.body["name"]) not in (None, tag_id):
        raise bad_request("The tag name is already exist.")
    call.location.rename_tag(tag_id, call.body["name"])
    return 200, {"tag": _tag(call, tag_id)}


def delete_tag(call: Call) -> Answer:
    """DELETE a tag definition."""
    call.location.forget_tag(_tag(call, call.path["tagId"])["id"])
    return 200, {"succeded": True}


def _tag(call: Call, tag_id: str) -> dict[str, Any]:
    if tag_id not in call.location.tags:
        raise not_found("Tag not found")
    return {"id": tag_id, "name": call.location.tags[tag_id], "locationId": call.location.id}


def list_workflows(call: Call) -> Answer:
    """GET every workflow, drafts included."""
    return 200, {"workflows": [dict(one) for one in call.location.workflows.values()]}


def list_campaigns(call: Call) -> Answer:
    """GET every campaign, or those of one status."""
    status = call.query.get("status")
    found = [one for one in call.location.campaigns.values() if not status or one["status"] == status]
    return 200, {"campaigns": [dict(one) for one in found]}


def search_users(call: Call) -> Answer:
    """GET users; without companyId this looks like an authentication failure (observed)."""
    if not call.query.get("companyId"):
        raise unauthorized("E01 - Unauthorized request")
    skip, limit = call.whole("skip", 0), call.whole("limit", 25, low=1)
    wanted = call.query.get("query", "").lower()
    ids = [one for one in call.query.get("ids", "").split(",") if one]
    found = [
        user
        for user in call.world.users.values()
        if wanted in f"{user['name']} {user['email']}".lower() and (not ids or user["id"] in ids)
    ]
    page = [call.world.user_document(user) for user in found[skip : skip + limit]]
    return 200, {"users": page, "count": len(found)}


def list_users(call: Call) -> Answer:
    """GET the users of a location; deprecated."""
    return 200, {"users": [call.world.user_document(user) for user in call.world.users.values()]}


def get_user(call: Call) -> Answer:
    """GET one user."""
    user = call.world.users.get(call.path["userId"])
    if user is None:
        raise not_found("User not found")
    return 200, call.world.user_document(user)


def _operation(run: Any, scope: str, **more: Any) -> Operation:
    return Operation(run=run, scope=scope, **more)


OPERATIONS: dict[str, dict[str, Operation]] = {
    "/locations/search": {"GET": _operation(search_locations, "locations.readonly", access="any")},
    "/locations/{locationId}": {"GET": _operation(get_location, "locations.readonly", access="any")},
    "/locations/{locationId}/tags": {
        "GET": _operation(list_tags, "locations/tags.readonly"),
        "POST": _operation(create_tag, "locations/tags.write"),
    },
    "/locations/{locationId}/tags/{tagId}": {
        "GET": _operation(get_tag, "locations/tags.readonly"),
        "PUT": _operation(update_tag, "locations/tags.write"),
        "DELETE": _operation(delete_tag, "locations/tags.write"),
    },
    "/workflows/": {"GET": _operation(list_workflows, "workflows.readonly", names_location="query")},
    "/campaigns/": {"GET": _operation(list_campaigns, "campaigns.readonly", names_location="query")},
    "/users/search": {"GET": _operation(search_users, "users.readonly", access="any")},
    "/users/": {
        "GET": _operation(list_users, "users.readonly", names_location="query", removed_in_v3=True),
    },
    "/users/{userId}": {"GET": _operation(get_user, "users.readonly", access="any")},
}

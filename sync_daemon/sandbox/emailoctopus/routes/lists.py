"""/lists: their names, and everything about their schema and counts that can be read."""

from starlette.responses import Response

from sync_daemon.sandbox.emailoctopus.calls import Call, json_response, no_content
from sync_daemon.sandbox.emailoctopus.paging import rows_page
from sync_daemon.sandbox.emailoctopus.patches import required_text
from sync_daemon.sandbox.emailoctopus.rendering import list_json


def list_lists(call: Call) -> Response:
    """GET the account's lists."""
    rows = ((each.id, list_json(each, call.world)) for each in call.world.lists.values())
    return json_response(rows_page(call, rows))


def create_list(call: Call) -> Response:
    """POST a list; nothing but its name can be given, so it is without double opt-in."""
    mailing_list = call.world.create_list(required_text(call.body, "name"))
    return json_response(list_json(mailing_list, call.world), 201)


def get_list(call: Call) -> Response:
    """GET one list."""
    return json_response(list_json(call.mailing_list(), call.world))


def update_list(call: Call) -> Response:
    """PUT a list's name."""
    mailing_list = call.mailing_list()
    mailing_list.name = required_text(call.body, "name")
    mailing_list.last_updated_at = call.world.seconds()
    return json_response(list_json(mailing_list, call.world))


def delete_list(call: Call) -> Response:
    """DELETE a list with its contacts."""
    del call.world.lists[call.mailing_list().id]
    return no_content()

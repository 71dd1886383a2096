"""/lists/{list_id}/tags: the tags that a list knows; contacts get them through the contact calls (facts: §10)."""

from starlette.responses import Response

from sync_daemon.sandbox.emailoctopus.calls import Call, json_response, no_content
from sync_daemon.sandbox.emailoctopus.errors import ProblemError
from sync_daemon.sandbox.emailoctopus.paging import rows_page
from sync_daemon.sandbox.emailoctopus.patches import required_text
from sync_daemon.sandbox.emailoctopus.state import MailingList
from sync_daemon.sandbox.emailoctopus.writes import conflict


def list_tags(call: Call) -> Response:
    """GET a list's tags."""
    return json_response(rows_page(call, ((name, {"tag": name}) for name in call.mailing_list().tags)))


def create_tag(call: Call) -> Response:
    """POST a tag; 409 when the list has it."""
    mailing_list = call.mailing_list()
    name = required_text(call.body, "tag")
    if call.world.listed_tag(mailing_list, name) is not None:
        raise conflict(call.world)
    limit = call.world.quirks.tag_limit
    if limit is not None and len(mailing_list.tags) >= limit:
        raise call.world.out_of_limits("The list's number of tags would be exceeded.")
    mailing_list.tags[name] = call.world.seconds()
    return json_response({"tag": name}, 201)


def update_tag(call: Call) -> Response:
    """PUT another name on a tag, for all its contacts."""
    mailing_list = call.mailing_list()
    old, new = _named(call, mailing_list), required_text(call.body, "tag")
    if call.world.listed_tag(mailing_list, new) not in (None, old):
        raise conflict(call.world)
    call.world.rename_tag(mailing_list.id, old, new)
    return json_response({"tag": new})


def delete_tag(call: Call) -> Response:
    """DELETE a tag and, unless a switch keeps it there, take it from all contacts."""
    mailing_list = call.mailing_list()
    call.world.delete_tag(mailing_list.id, _named(call, mailing_list))
    return no_content()


def _named(call: Call, mailing_list: MailingList) -> str:
    name = call.world.listed_tag(mailing_list, call.path["tag"])
    if name is None:
        raise ProblemError(404)
    return name

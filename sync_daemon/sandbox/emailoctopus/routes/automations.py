"""/automations/{automation_id}/queue: the one call there is about automations (facts: §13)."""

from starlette.responses import Response

from sync_daemon.sandbox.emailoctopus.calls import Call, no_content
from sync_daemon.sandbox.emailoctopus.errors import ProblemError
from sync_daemon.sandbox.emailoctopus.patches import required_text
from sync_daemon.sandbox.emailoctopus.writes import conflict


def queue_contact(call: Call) -> Response:
    """POST a contact into an automation: 403 unless that is active and started by API, 409 for no second time."""
    automation = call.world.automations.find(call.uuid("automation_id"))
    if automation is None or automation.list_id not in call.world.lists:
        raise ProblemError(404)
    if not automation.active or automation.trigger != "api":
        raise ProblemError(403)
    key = required_text(call.body, "contact_id").lower()
    contact = call.world.lists[automation.list_id].contacts.find(key)
    if contact is None:
        raise ProblemError(404)
    mailable = contact.status == "subscribed" or call.world.quirks.automation_unmailable == "accepted"
    if not mailable or not call.world.automations.start(automation, contact, call.world.seconds()):
        raise conflict(call.world)
    return no_content()

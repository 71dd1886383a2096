"""The API as an application: which operation answers which path (documented: OpenAPI, 15 paths)."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sync_daemon.sandbox import control
from sync_daemon.sandbox.context import Context
from sync_daemon.sandbox.emailoctopus.calls import Handler, endpoint, problem_response
from sync_daemon.sandbox.emailoctopus.errors import ProblemError
from sync_daemon.sandbox.emailoctopus.routes import automations, campaigns, contacts, fields, lists, tags
from sync_daemon.sandbox.emailoctopus.routes.outside import outside_routes
from sync_daemon.sandbox.emailoctopus.world import EmailOctopusWorld
from sync_daemon.sandbox.middleware import Gate

OPERATIONS: dict[str, dict[str, Handler]] = {
    "/lists/{list_id}/contacts": {
        "GET": contacts.list_contacts,
        "POST": contacts.create_contact,
        "PUT": contacts.upsert_contact,
    },
    "/lists/{list_id}/contacts/batch": {"PUT": contacts.batch_contacts},
    "/lists/{list_id}/contacts/{contact_id}": {
        "GET": contacts.get_contact,
        "PUT": contacts.update_contact,
        "DELETE": contacts.delete_contact,
    },
    "/lists": {"GET": lists.list_lists, "POST": lists.create_list},
    "/lists/": {"GET": lists.list_lists, "POST": lists.create_list},  # as the introduction writes it
    "/lists/{list_id}": {"GET": lists.get_list, "PUT": lists.update_list, "DELETE": lists.delete_list},
    "/lists/{list_id}/tags": {"GET": tags.list_tags, "POST": tags.create_tag},
    "/lists/{list_id}/tags/{tag:path}": {"PUT": tags.update_tag, "DELETE": tags.delete_tag},
    "/lists/{list_id}/fields": {"POST": fields.create_field},
    "/lists/{list_id}/fields/{tag}": {"PUT": fields.update_field, "DELETE": fields.delete_field},
    "/campaigns": {"GET": campaigns.list_campaigns},
    "/campaigns/{campaign_id}": {"GET": campaigns.get_campaign},
    "/campaigns/{campaign_id}/reports": {"GET": campaigns.contact_report},
    "/campaigns/{campaign_id}/reports/summary": {"GET": campaigns.summary_report},
    "/campaigns/{campaign_id}/reports/links": {"GET": campaigns.link_report},
    "/automations/{automation_id}/queue": {"POST": automations.queue_contact},
}


def build_app(context: Context[EmailOctopusWorld]) -> Gate:
    """Put the operations, the control routes and the outside world behind the gate of limits and weather."""
    routes: list[BaseRoute] = [control.mount(context, outside_routes(context.world))]
    for path, handlers in OPERATIONS.items():
        routes.append(Route(path, endpoint(context.world, handlers), methods=list(handlers)))
    app = Starlette(routes=routes, exception_handlers={HTTPException: _refused})
    app.router.redirect_slashes = False
    return Gate(app, context)


async def _refused(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return problem_response(ProblemError(500))
    return problem_response(ProblemError(error.status_code), error.headers)

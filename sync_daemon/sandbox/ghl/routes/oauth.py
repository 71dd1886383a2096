"""/oauth and the consent page (documented: oauth.json, oauth-v3.json; facts: GHL §1.3)."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sync_daemon.sandbox.ghl.accounts import ACCESS_TOKEN_S, Grant, Issued, invalid_grant
from sync_daemon.sandbox.ghl.body_rules import check, one_of, text
from sync_daemon.sandbox.ghl.calls import (
    V3,
    Answer,
    Call,
    Operation,
    error_response,
    form_object,
    json_object,
    json_response,
)
from sync_daemon.sandbox.ghl.errors import ApiError, bad_request, unknown_path
from sync_daemon.sandbox.ghl.location import Location
from sync_daemon.sandbox.ghl.moments import iso
from sync_daemon.sandbox.ghl.world import GhlWorld

_CAMEL = {
    "client_id": "clientId",
    "client_secret": "clientSecret",
    "grant_type": "grantType",
    "refresh_token": "refreshToken",
    "user_type": "userType",
    "redirect_uri": "redirectUri",
}
_ANSWER_CAMEL = {
    "access_token": "accessToken",
    "token_type": "tokenType",
    "expires_in": "expiresIn",
    "refresh_token": "refreshToken",
}
_TOKEN_RULES = {
    **dict.fromkeys(("client_id", "client_secret", "code", "refresh_token", "redirect_uri"), text),
    "grant_type": one_of(("authorization_code", "refresh_token", "client_credentials")),
    "user_type": one_of(("Company", "Location")),
}


def token_endpoint(world: GhlWorld) -> Callable[[Request], Awaitable[Response]]:
    """Give POST /oauth/token: no token, no Version before v3, a form (in v3 JSON as well)."""

    async def answer(request: Request) -> Response:
        try:
            if request.method != "POST":
                raise unknown_path()
            v3 = request.headers.get("version") == V3
            content = _traded(world, _token_body(request, await request.body(), v3=v3))
        except ApiError as error:
            return error_response(world, error)
        shown = {_ANSWER_CAMEL.get(key, key): value for key, value in content.items()} if v3 else content
        return json_response(world, 200, shown)

    return answer


def _token_body(request: Request, raw: bytes, *, v3: bool) -> dict[str, Any]:
    body = form_object(request, raw) or (json_object(request, raw) if v3 else {})
    if v3:
        snake = {camel: name for name, camel in _CAMEL.items()}
        body = {snake.get(key, key): value for key, value in body.items()}
    check(body, _TOKEN_RULES, ("client_id", "client_secret", "grant_type"))
    return body


def _traded(world: GhlWorld, body: Mapping[str, str]) -> dict[str, Any]:
    app = world.accounts.app_of(body["client_id"], body["client_secret"])
    if body["grant_type"] == "authorization_code":
        issued = world.accounts.trade_code(app, body.get("code", ""), body.get("redirect_uri"))
    elif body["grant_type"] == "refresh_token":
        grace = world.quirks.refresh_grace_s
        token = body.get("refresh_token", "")
        issued = world.accounts.trade_refresh_token(app, token, world.locations, grace)
    else:
        raise invalid_grant("Unsupported grant type: this app has no client credentials")
    return {**_access(issued), "refresh_token": issued.refresh_token, **_installation(world, issued.grant)}


def _access(issued: Issued) -> dict[str, Any]:
    grant = issued.grant
    shown = {
        "access_token": issued.access_token,
        "token_type": "Bearer",
        "expires_in": ACCESS_TOKEN_S,
        "scope": " ".join(sorted(grant.scopes)),
        "userId": grant.user_id,
        "planId": "sandbox-plan",
    }
    return shown | ({"locationId": grant.location_id} if grant.location_id else {})


def _installation(world: GhlWorld, grant: Grant) -> dict[str, Any]:
    agency = grant.user_type == "Company"
    return {
        "userType": grant.user_type,
        "companyId": grant.company_id,
        "approvedLocations": list(world.locations) if agency else [grant.location_id],
        "isBulkInstallation": agency,
        "installToFutureLocations": False,
        "approveAllLocations": agency,
    }


def location_token(call: Call) -> Answer:
    """POST for a location's token on an agency's; before v3 without a refresh token."""
    check(call.body, {"companyId": text, "locationId": text}, ("companyId", "locationId"))
    location = call.world.locations.get(call.body["locationId"])
    if location is None or call.body["companyId"] != call.grant.company_id:
        raise bad_request("Location not found")
    app = next(one for one in call.world.accounts.apps.values() if one.app_id == call.grant.app_id)
    issued = call.world.accounts.issue(app.client_id, _narrowed(call.grant, location))
    shown = {**_access(issued), "appId": app.app_id, "versionId": app.version_id}
    if call.v3:
        shown = {_ANSWER_CAMEL.get(key, key): value for key, value in shown.items()}
        shown["refreshToken"] = issued.refresh_token
    return 200, shown


def _narrowed(grant: Grant, location: Location) -> Grant:
    return Grant(
        user_type="Location",
        company_id=grant.company_id,
        location_id=location.id,
        scopes=grant.scopes,
        user_id=grant.user_id,
        app_id=grant.app_id,
    )


def installed_locations(call: Call) -> Answer:
    """GET where an app is installed; v3 pages by token and answers `items`."""
    if call.v3:
        return _installed_v3(call)
    call.required("companyId", "appId")
    skip, limit = call.whole("skip", 0), call.whole("limit", 20, low=1)
    found = _installed(call)
    return 200, {
        "locations": found[skip : skip + limit],
        "count": len(found),
        "installToFutureLocations": False,
    }


def _installed_v3(call: Call) -> Answer:
    missing = [name for name in ("companyId", "appId") if not call.query.get(name)]
    if missing:
        details = [f"{name} should not be empty" for name in missing]
        problem = {"code": "UNPROCESSABLE_ENTITY", "message": details[0], "details": details}
        raise ApiError(422, {"error": {**problem, "resolution": "Send the missing parameters."}})
    size, skip = call.whole("pageSize", 20, low=1), call.whole("pageToken", 0)
    found = _installed(call)
    pages: dict[str, Any] = {
        "totalRecords": len(found),
        "hasNextPage": skip + size < len(found),
        "hasPrevPage": skip > 0,
        "currentPageSize": len(found[skip : skip + size]),
    }
    if pages["hasNextPage"]:
        pages["nextPageToken"] = str(skip + size)
    return 200, {"items": found[skip : skip + size], "pagination": pages, "installToFutureLocations": False}


def _installed(call: Call) -> list[dict[str, Any]]:
    wanted, only = call.query.get("query", "").lower(), call.query.get("locationId")
    return [
        {
            "_id": location.id,
            "name": location.name,
            "address": "1 Example Street",
            "isInstalled": True,
            "installedAt": iso(call.world.now()),
        }
        for location in call.world.locations.values()
        if wanted in location.name.lower() and only in (None, location.id)
    ]


def consent_page(world: GhlWorld) -> Callable[[Request], Awaitable[Response]]:
    """Give GET /v2/oauth/chooselocation, where a person agrees at once; redirects with the code."""

    async def answer(request: Request) -> Response:
        query = request.query_params
        app = world.accounts.apps.get(query.get("client_id", ""))
        uri = query.get("redirect_uri", "")
        if app is None or query.get("response_type") != "code" or uri not in app.redirect_uris:
            return error_response(world, bad_request("No such app, or its redirect_uri is another one"))
        location = world.location if app.target == "Location" else None
        code = world.accounts.consent(app, location, world.company_id, query.get("scope", "").split(), uri)
        answered = {"code": code}
        if world.quirks.state_echoed and "state" in query:
            answered["state"] = query["state"]
        return RedirectResponse(f"{uri}{'&' if '?' in uri else '?'}{urlencode(answered)}", 302)

    return answer


_TOKEN = Operation(run=location_token, scope="oauth.write", access="app", form=True, removed_in_v3=True)
_INSTALLED = Operation(run=installed_locations, scope="oauth.readonly", access="app", removed_in_v3=True)
OPERATIONS: dict[str, dict[str, Operation]] = {
    "/oauth/locationToken": {"POST": _TOKEN},
    "/oauth/location-token": {"POST": replace(_TOKEN, removed_in_v3=False, since_v3=True)},
    "/oauth/installedLocations": {"GET": _INSTALLED},
    "/oauth/installed-locations": {"GET": replace(_INSTALLED, removed_in_v3=False, since_v3=True)},
}

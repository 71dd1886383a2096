"""Who may come in, and what with: every route of the dashboard is made here, so that none is without a guard."""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from urllib.parse import parse_qs, quote

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sync_daemon.model.errors import SyncError
from sync_daemon.web.dashboard.given import Given
from sync_daemon.web.dashboard.headers import SafeHeaders
from sync_daemon.web.dashboard.sessions import Cookies, Sessions, is_csrf_token
from sync_daemon.web.dashboard.visit import Missing, Visit, Who

Handler = Callable[[Visit], Response]
_Form = Mapping[str, Sequence[str]]
_MOST_BYTES = 256 * 1024
"""A form that names some thousand changes, or a whole mapping, stays below it."""
_LOCAL_NAMES = {"localhost", "127.0.0.1", "::1"}
_NOT_LOCAL = "Without a login, the dashboard answers to localhost and 127.0.0.1 alone: no other site can use it."
_log = structlog.get_logger(__name__)


class Doors:
    """Makes routes. Handlers run in the thread pool: they may ask the store, and wait."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self.users = {user.name: user for user in given.http.users}
        self.sessions = Sessions(self.users)
        # A key of each start: no cookie from before outlives a logout, nor a password that was changed since.
        self.guards = [Middleware(SafeHeaders), Middleware(Cookies, key=secrets.token_hex(32))]

    def page(self, path: str, handler: Handler) -> Route:
        """What everybody who is signed in may see."""
        return self._route(path, "GET", self._signed_in(handler))

    def action(self, path: str, handler: Handler) -> Route:
        """What only those may do who aren't readers, with a form of their own session."""
        return self._route(path, "POST", self._signed_in(_acting(handler)))

    def question(self, path: str, handler: Handler) -> Route:
        """What everybody who is signed in may ask, with a form of his own session: nothing changes by it."""
        return self._route(path, "POST", self._signed_in(_with_token(handler)))

    def open_page(self, path: str, handler: Handler) -> Route:
        """What anybody may see."""
        return self._route(path, "GET", handler)

    def open_action(self, path: str, handler: Handler) -> Route:
        """What anybody may do, with a form of his own session."""
        return self._route(path, "POST", _with_token(handler))

    def who(self, request: Request) -> Who | None:
        """Who makes a request, if that is known."""
        if self.given.http.dashboard_without_login:
            return Who("", may_act=True)
        user = self.sessions.user(request.session)
        return Who(user.name, user.role == "admin") if user is not None else None

    def _signed_in(self, handler: Handler) -> Handler:
        def guarded(visit: Visit) -> Response:
            return handler(visit) if visit.who is not None else _to_login(visit)

        return guarded

    def _route(self, path: str, method: str, handler: Handler) -> Route:
        async def endpoint(request: Request) -> Response:
            form = await _form(request) if method == "POST" else {}
            return await run_in_threadpool(self._answer, request, form, handler)

        made: Callable[[Request], Awaitable[Response]] = endpoint
        return Route(path, made, methods=[method], middleware=self.guards)

    def _answer(self, request: Request, form: _Form | None, handler: Handler) -> Response:
        visit = Visit(request, self.who(request), self.given.by_slug(), self.given.now(), form or {})
        if form is None:
            return told(visit, 413, "That is too much", f"A form may have {_MOST_BYTES:,} bytes at most.")
        if not self.given.http.users and not self.given.http.dashboard_without_login:
            return visit.page("closed.html", 503)
        if self.given.http.dashboard_without_login and request.url.hostname not in _LOCAL_NAMES:
            return told(visit, 403, "Not under this name", _NOT_LOCAL)
        return _handled(visit, handler)


def told(visit: Visit, status: int, title: str, words: str) -> Response:
    """A page that says something and does nothing."""
    return visit.page("told.html", status, title=title, words=words)


def _handled(visit: Visit, handler: Handler) -> Response:
    """The handler's answer; what went wrong is said in words, and logged when nobody foresaw it."""
    try:
        return handler(visit)
    except Missing as missing:
        return told(visit, 404, "Not there", str(missing))
    except SyncError as error:
        return told(visit, 503, "That didn't work", error.shown)
    except Exception:  # noqa: BLE001 - whoever looks at a page is told that it failed; the log tells why
        _log.exception("page_failed", path=visit.request.url.path)
        return told(visit, 500, "This should not have happened", "The service's log tells what went wrong.")


def _acting(handler: Handler) -> Handler:
    def guarded(visit: Visit) -> Response:
        if visit.who is None or not visit.who.may_act:
            return told(visit, 403, "Only looking", "Your role is reader: you see everything, and order nothing.")
        return _with_token(handler)(visit)

    return guarded


def _with_token(handler: Handler) -> Handler:
    def guarded(visit: Visit) -> Response:
        if not is_csrf_token(visit.request.session, visit.given("csrf")):
            why = "The form was made for another session, or too long ago. Go back, load the page anew and try again."
            return told(visit, 403, "Not from this page", why)
        return handler(visit)

    return guarded


def _to_login(visit: Visit) -> Response:
    request = visit.request
    wanted = request.url.path if request.method == "GET" else "/"
    login = "/login" if wanted == "/" else f"/login?next={quote(wanted)}"
    if "hx-request" in request.headers:
        return Response(status_code=401, headers={"HX-Redirect": login})
    return visit.back_to(login)


async def _form(request: Request) -> _Form | None:
    """The fields of a form, None when it is too large: no more than that is taken in."""
    parts = bytearray()
    async for part in request.stream():
        parts += part
        if len(parts) > _MOST_BYTES:
            return None
    try:
        return parse_qs(parts.decode(), keep_blank_values=True, max_num_fields=10_000)
    except ValueError:  # no form at all; no token is in it either
        return {}

"""Where GHL sends a person's browser after a login. Whoever comes without the `state` of one is told so, no more."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sync_daemon.model.errors import StateStoreError
from sync_daemon.model.oauth import LoginEnd
from sync_daemon.systems.ghl.oauth.consent import CALLBACK

_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
_NO_CODE = "This is where GHL sends a browser after a login. Begin one with: sync-daemon oauth login"
_NO_STATE = (
    "GHL handed back no `state`, so that nobody can tell whose login this is. Copy the address of this page into the "
    "command that waits (sync-daemon oauth login)."
)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Callback:
    """`/oauth/ghl/callback`. `finish` is given a state and a code, `refuse` a state and GHL's error."""

    finish: Callable[[str, str], LoginEnd]
    refuse: Callable[[str, str], LoginEnd]

    def routes(self) -> list[Route]:
        """The address."""
        return [Route(CALLBACK, self.answer, methods=["GET"])]

    async def answer(self, request: Request) -> Response:
        """Finish the login that waits for this answer; 400 where none does, or nothing came of it."""
        code, state, error = (request.query_params.get(name, "") for name in ("code", "state", "error"))
        if not (code or error):
            return _page(_NO_CODE, 400)
        if not state:
            return _page(_NO_STATE, 400)
        try:
            end = await run_in_threadpool(self.refuse if error else self.finish, state, error or code)
        except StateStoreError as failure:
            _log.error("login_not_stored", why=str(failure))
            return _page("The state store doesn't answer, so nothing was stored. Begin again in a moment.", 503)
        if end.owner is None:
            return _page(end.problem, 400)
        return _page(f"Logged in for the {end.owner.kind} {end.owner.id}. You can close this page.", 200)


def _page(text: str, status: int) -> Response:
    return PlainTextResponse(f"{text}\n", status, headers=_HEADERS)

"""Who is signed in: a signed cookie, which ends with a logout, with the service, and by itself."""

import hmac
import secrets
import threading
import time
from collections.abc import Mapping
from typing import Any, Literal

from starlette.middleware.sessions import SessionMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from sync_daemon.settings.installation import UserSection

LASTS_S = 12 * 3600
_NAME, _ID, _SINCE, _CSRF = "user", "id", "since", "csrf"


class Cookies:
    """ASGI middleware: `request.session` from a cookie that only this host reads, over https only where there is."""

    def __init__(self, app: ASGIApp, key: str) -> None:
        same_site: Literal["lax"] = "lax"
        self._plain = SessionMiddleware(app, key, "sync_daemon", LASTS_S, same_site=same_site)
        self._secure = SessionMiddleware(app, key, "__Host-sync_daemon", LASTS_S, same_site=same_site, https_only=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, with a session."""
        await (self._secure if scope.get("scheme") == "https" else self._plain)(scope, receive, send)


class Sessions:
    """Begins, knows and ends sessions. Those that were ended are remembered until they would have ended themselves."""

    def __init__(self, users: Mapping[str, UserSection]) -> None:
        self._users = users
        self._ended: dict[str, float] = {}
        self._lock = threading.Lock()

    def begin(self, session: dict[str, Any], user: UserSection) -> None:
        """Sign somebody in; nothing of the session before stays."""
        session.clear()
        session.update({_NAME: user.name, _ID: secrets.token_urlsafe(16), _SINCE: int(time.time())})

    def user(self, session: Mapping[str, Any]) -> UserSection | None:
        """Who is signed in, if anybody is."""
        user = self._users.get(session.get(_NAME, ""))
        with self._lock:
            ended = session.get(_ID) in self._ended
        return None if ended or time.time() - session.get(_SINCE, 0) > LASTS_S else user

    def end(self, session: dict[str, Any]) -> None:
        """Sign somebody out, whoever else may have the cookie."""
        now = time.time()
        with self._lock:
            self._ended = {one: until for one, until in self._ended.items() if until > now}
            if session.get(_ID):
                self._ended[session[_ID]] = now + LASTS_S
        session.clear()


def csrf_token(session: dict[str, Any]) -> str:
    """What forms of this session carry."""
    token = session.get(_CSRF)
    if not isinstance(token, str):
        token = session[_CSRF] = secrets.token_urlsafe(24)
    return token


def is_csrf_token(session: Mapping[str, Any], given: str) -> bool:
    """Whether a form is this session's own."""
    token = session.get(_CSRF)
    return isinstance(token, str) and hmac.compare_digest(token.encode(), given.encode())

"""How `oauth login` waits: for GHL's answer at the redirect address, or for somebody who pastes it."""

import select
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from sync_daemon.model.errors import ConfigurationError
from sync_daemon.model.oauth import LoginEnd
from sync_daemon.settings.consistency import is_loopback
from sync_daemon.settings.installation import HttpSection
from sync_daemon.systems.ghl.oauth.consent import CALLBACK, answer_in
from sync_daemon.web.oauth import Callback
from sync_daemon.web.server import serving
from sync_daemon.wiring.oauth.logins import Begun, Logins

_LOOK_EVERY_S = 0.2
_NOT_UNDERSTOOD = "That is neither the address that the browser ended at nor a code. Paste it again:\n"
_ANOTHER = "That is the answer to another login. Paste the one to this:\n"


@dataclass(frozen=True, slots=True)
class Redirect:
    """Where GHL sends the browser; `host` and `port` are those to listen on, None where that is another computer."""

    uri: str
    host: str | None
    port: int


def redirect_of(given: str | None, http: HttpSection) -> Redirect:
    """The redirect address: the one given, or the service's on this computer. Raises `ConfigurationError`."""
    host = http.host if is_loopback(http.host) and http.host != "localhost" else "127.0.0.1"
    shown = f"[{host}]" if ":" in host else host
    uri = given if given is not None else f"http://{shown}:{http.port}{CALLBACK}"
    parts = urlsplit(uri)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        port = 0
    if parts.scheme not in ("http", "https") or not parts.hostname or not port or parts.query or parts.fragment:
        raise ConfigurationError(
            f"The redirect address {uri} can't be one; give the one that the app has, such as "
            f"--redirect-uri https://sync.example.com{CALLBACK}"
        )
    own = parts.scheme == "http" and is_loopback(parts.hostname) and parts.path == CALLBACK
    return Redirect(uri, parts.hostname if own else None, port)


def await_end(logins: Logins, begun: Begun, redirect: Redirect, timeout: float) -> LoginEnd | None:
    """Show what to open, and wait for what comes of it; None when nobody answers in time."""
    with _listening(logins, redirect) as where:
        sys.stderr.write(
            f"Open this address in a browser, log in, and choose:\n\n  {begun.url}\n\n{where} Or paste here the "
            "address that the browser ends at:\n"
        )
        sys.stderr.flush()
        pasting, until = _Pasting(), logins.clock.monotonic() + timeout
        while logins.clock.monotonic() < until:
            if (end := logins.store.end_of(begun.state)) is not None:
                return end
            if (line := pasting.line(logins)) and (end := _pasted(logins, begun, line)) is not None:
                return end
    return None


@contextmanager
def _listening(logins: Logins, redirect: Redirect) -> Iterator[str]:
    """Listen at a redirect address of this computer, unless the service does; yields how the answer comes back."""
    if redirect.host is None:
        yield f"The service at {redirect.uri} takes the answer."
        return
    routes = Callback(logins.finish, logins.refuse).routes()
    with ExitStack() as listening:
        try:
            listening.enter_context(serving(routes, redirect.host, redirect.port))
        except ConfigurationError:
            yield f"Something listens at {redirect.uri} already; if it is the service, it takes the answer."
        else:
            yield f"The answer comes back to {redirect.uri} by itself."


def _pasted(logins: Logins, begun: Begun, line: str) -> LoginEnd | None:
    """Finish with what somebody pasted; None when it can't be the answer, which is said."""
    answer = answer_in(line)
    if answer is None:
        sys.stderr.write(_NOT_UNDERSTOOD)
        return None
    if answer.state and answer.state != begun.state:
        sys.stderr.write(_ANOTHER)
        return None
    # Without a state it is this login's all the same: who pastes is who began it.
    if answer.error:
        return logins.refuse(begun.state, answer.error)
    return logins.finish(begun.state, answer.code)


class _Pasting:
    """Lines of standard input, as far as there are any."""

    def __init__(self) -> None:
        self._open = True

    def line(self, logins: Logins) -> str:
        """The next line, within a moment; empty when there is none."""
        if self._open:
            try:
                ready, _, _ = select.select([sys.stdin], [], [], _LOOK_EVERY_S)
            except (OSError, ValueError):  # no standard input that can be waited for
                self._open = False
            else:
                line = sys.stdin.readline() if ready else "\n"
                self._open = bool(line)
                return line.strip()
        logins.clock.sleep(_LOOK_EVERY_S)
        return ""

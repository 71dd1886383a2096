"""Signing in and out."""

import threading
from collections.abc import Mapping

import structlog
from starlette.responses import Response
from starlette.routing import Route

from sync_daemon.settings.installation import UserSection
from sync_daemon.settings.passwords import Hash
from sync_daemon.web.dashboard.attempts import Attempts
from sync_daemon.web.dashboard.doors import Doors
from sync_daemon.web.dashboard.visit import Visit

_AT_A_TIME = 2
"""Checks of passwords side by side: each takes memory and a processor."""
_LONGEST = 1024
_log = structlog.get_logger(__name__)


class Login:
    """The page with the form; a wrong name takes as long as a wrong password."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._users: Mapping[str, UserSection] = doors.users
        self._attempts = Attempts()
        self._checking = threading.BoundedSemaphore(_AT_A_TIME)
        self._nobodys = Hash.of_nobody()

    def routes(self) -> list[Route]:
        """The addresses."""
        return [
            self._doors.open_page("/login", self.show),
            self._doors.open_action("/login", self.sign_in),
            self._doors.open_action("/logout", self.sign_out),
        ]

    def show(self, visit: Visit) -> Response:
        """The form; whoever needs none goes on."""
        if visit.who is not None:
            return visit.back_to(_wanted(visit))
        return self._form(visit)

    def sign_in(self, visit: Visit) -> Response:
        """Believe a name and a password, or not; whoever tries too often waits."""
        name, password = visit.given("name"), visit.given("password")
        user = self._users.get(name)
        client = visit.request.client
        address = client.host if client is not None else ""
        if wait := self._attempts.wait(address, user.name if user else None):
            _log.warning("login_refused", why="too many attempts", address=address)
            answer = self._form(visit, 429, f"Too many attempts. Try again in {wait} seconds.")
            answer.headers["Retry-After"] = str(wait)
            return answer
        if not self._fits(user, password):
            _log.warning("login_refused", why="wrong name or password", address=address)
            return self._form(visit, 401, "The name or the password is wrong.")
        assert user is not None  # noqa: S101 - nobody's password fits no one
        self._doors.sessions.begin(visit.request.session, user)
        _log.info("signed_in", user=user.name)
        return visit.back_to(_wanted(visit))

    def sign_out(self, visit: Visit) -> Response:
        """End the session, on this device and for whoever copied its cookie."""
        self._doors.sessions.end(visit.request.session)
        return visit.back_to("/login", "You have signed out.")

    def _form(self, visit: Visit, status: int = 200, problem: str = "") -> Response:
        return visit.page("login.html", status, problem=problem, name=visit.given("name"), wanted=_wanted(visit))

    def _fits(self, user: UserSection | None, password: str) -> bool:
        hashed = Hash.parse(user.password.get_secret_value()) if user else self._nobodys
        with self._checking:
            fits = hashed.fits(password[:_LONGEST])
        return fits and user is not None


def _wanted(visit: Visit) -> str:
    """Where somebody wanted to go; only ever a page of this place."""
    path = visit.given("next", "/")
    return path if path.startswith("/") and not path.startswith(("//", "/\\", "/login")) else "/"

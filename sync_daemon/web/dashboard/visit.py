"""One request, with who makes it; and the answers that pages are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from sync_daemon.web.dashboard.given import OnePair
from sync_daemon.web.dashboard.rendering import TEMPLATES
from sync_daemon.web.dashboard.sessions import csrf_token

Tone = Literal["good", "waits", "bad"]
_NOTICE = "notice"


class Missing(Exception):
    """There is no such page; the text says what isn't there."""


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody who may see everything; `may_act` says whether he may order something, too. `name` "": no login."""

    name: str
    may_act: bool


@dataclass(frozen=True, slots=True)
class Visit:
    """A request: by whom, about which pairs, with which form fields; each may come several times."""

    request: Request
    who: Who | None
    pairs: Mapping[str, OnePair]
    now: datetime
    form: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def pair(self) -> tuple[str, OnePair]:
        """The pair that the address names, and what stands for it there. Raises `Missing`."""
        slug = self.request.path_params["pair"]
        if slug not in self.pairs:
            raise Missing(f"There is no pair {slug}.")
        return slug, self.pairs[slug]

    def own(self, pair: str) -> str:
        """What stands for this session's own work about a pair: two who ask at the same time don't see each other's."""
        return f"{pair} {csrf_token(self.request.session)}"

    def given(self, name: str, default: str = "") -> str:
        """A field of the form, or a parameter of the address."""
        values = self.form.get(name)
        return values[0] if values else self.request.query_params.get(name, default)

    def number(self, name: str) -> int:
        """A parameter that is a whole number from 0 on; 0 when it isn't there or is nothing of the kind."""
        text = self.given(name)
        return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0

    def page(self, template: str, status: int = 200, **context: Any) -> Response:
        """A page; what was to be told since the last one is on it."""
        session = self.request.session
        shown = {
            "csrf": csrf_token(session),
            "who": self.who,
            "pairs": self.pairs,
            "now": self.now,
            "path": self.request.url.path,
            "notice": session.pop(_NOTICE) if _NOTICE in session else None,
        }
        html = TEMPLATES.get_template(template).render({**shown, **context})
        return HTMLResponse(html, status_code=status)

    def back_to(self, path: str, told: str = "", tone: Tone = "good") -> Response:
        """Send the browser to a page, which tells what was done."""
        if told:
            self.request.session[_NOTICE] = [tone, told]
        return RedirectResponse(path, status_code=303)


def query(**parameters: object) -> str:
    """Parameters as an address has them; those that are empty are left out."""
    pairs = [f"{name}={quote(str(value), safe='')}" for name, value in parameters.items() if value not in ("", None)]
    return "?" + "&".join(pairs) if pairs else ""

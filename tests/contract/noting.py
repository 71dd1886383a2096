"""A server that stands in for GHL where the sandbox has no route."""

from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

FILE = b"RIFF\x00\xff no JSON"


@dataclass
class Noting:
    """Notes each request, answers `words` with a status or, where GHL does, a file."""

    words: bytes = b"{}"
    status: int = 200
    requests: list[tuple[Request, bytes]] = field(default_factory=list)

    async def answer(self, request: Request) -> Response:
        self.requests.append((request, await request.body()))
        is_file = request.url.path.endswith(("/recording", "/download"))
        if is_file:
            return Response(FILE, media_type="audio/x-wav")
        return Response(self.words, self.status, media_type="application/json")

    @property
    def app(self) -> Starlette:
        app = Starlette(routes=[Route("/{path:path}", self.answer, methods=["GET", "POST", "PUT", "DELETE"])])
        app.router.redirect_slashes = False
        return app

"""How the service is: for whoever restarts it, whoever sends it traffic, and Prometheus."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sync_daemon.model.errors import StateStoreError
from sync_daemon.model.health import PairHealth


@dataclass(frozen=True, slots=True)
class Health:
    """`/healthz`, `/readyz`, `/metrics`. `health` raises `StateStoreError` when the database doesn't answer."""

    health: Callable[[], Sequence[PairHealth]]
    is_alive: Callable[[], bool]
    silent_after: timedelta
    registry: CollectorRegistry
    now: Callable[[], datetime]

    def routes(self) -> list[Route]:
        """The addresses."""
        return [
            Route("/healthz", self.healthz),
            Route("/readyz", self.readyz),
            Route("/metrics", self.metrics),
        ]

    async def healthz(self, _request: Request) -> Response:
        """200 while every thread that must live does; else a restart helps."""
        alive = self.is_alive()
        return JSONResponse({"status": "ok" if alive else "a thread has died"}, status_code=200 if alive else 503)

    async def readyz(self, _request: Request) -> Response:
        """200 when the database answers and every pair's last cycle was fine; else 503, and what is the matter."""
        try:
            health = await run_in_threadpool(self.health)
        except StateStoreError as error:
            return JSONResponse({"ready": False, "database": str(error)}, status_code=503)
        now = self.now()
        troubles = {one.pair: one.trouble(now, self.silent_after) for one in health}
        ready = not any(troubles.values())
        answer = {"ready": ready, "pairs": {pair: why or "ok" for pair, why in troubles.items()}}
        return JSONResponse(answer, status_code=200 if ready else 503)

    async def metrics(self, _request: Request) -> Response:
        """Every figure."""
        try:
            figures = await run_in_threadpool(generate_latest, self.registry)
        except StateStoreError as error:
            return JSONResponse({"database": str(error)}, status_code=503)
        return Response(figures, media_type=CONTENT_TYPE_LATEST)

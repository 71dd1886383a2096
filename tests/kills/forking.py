"""A process that forks a real `sync-daemon` for every line it is given, and lets it be killed at a point of its run.

A point is the moment before or after a request is sent and answered, or before or after the database commits. It has
a name that says which kind of request or commit it is about, and a number: the second, say, of that name in the run.
Threads make the order of requests one of many; counting each name by itself finds the same points in every order.

Forking after everything is imported makes one run cost a tenth of what a new interpreter costs; what is forked has
no thread and no connection yet, calls the program's own `main`, and dies by SIGKILL like any other process.
"""

import gc
import json
import os
import re
import signal
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import httpx
from sqlalchemy import Engine, event
from sqlalchemy.pool import Pool

import tests.preloaded  # noqa: F401 - before anything is forked
from sync_daemon.__main__ import main
from sync_daemon.systems import registry

Point = tuple[str, int]
KEY = "key"
"""The file without which no process passes the closed point of its order."""
DEATH = "death"
"""The file by which one process of a race tells the others that it dies."""
ID = re.compile(r"(?<=/)[0-9A-Za-z-]{20,36}(?=/|$)")


class Points:
    """Counts the points of this process by name, and ends it at the one it is told, as a power cut would."""

    def __init__(self, fatal: Point | None, closed: str | None, key: Path, death: Path | None = None) -> None:
        self.seen: Counter[str] = Counter()
        self._fatal, self._death = fatal, death
        self._closed, self._key = closed, key
        self._lock = Lock()

    def reach(self, name: str) -> None:
        """Count one; what is after the fatal one doesn't happen, and before the closed one nothing without its key."""
        while name == self._closed and not self._key.exists():
            time.sleep(0.01)
        with self._lock:
            self.seen[name] += 1
            if (name, self.seen[name]) == self._fatal and self._is_first():
                os.kill(os.getpid(), signal.SIGKILL)

    def _is_first(self) -> bool:
        """Whether no other process of a race has died; always, where there is none."""
        if self._death is None:
            return True
        try:
            self._death.touch(exist_ok=False)
        except FileExistsError:
            return False
        return True


class Watched(httpx.BaseTransport):
    """The real transport, with a point before a request is sent and one when its answer is here and nobody knows."""

    def __init__(self, points: Points, system: str) -> None:
        self._points, self._system, self._real = points, system, httpx.HTTPTransport(verify=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        shown = f"{self._system} {request.method} {ID.sub('*', request.url.path)}"
        self._points.reach(f"before {shown}")
        response = self._real.handle_request(request)
        response.read()
        self._points.reach(f"after {shown}")
        return response


def watch(points: Points) -> None:
    """Put the points into the program: at the seams that httpx and SQLAlchemy offer."""
    connect: Any = registry.CONNECT
    connect.update({name: partial(plain, transport=Watched(points, name)) for name, plain in connect.items()})

    @event.listens_for(Engine, "commit")
    def _about_to_commit(connection: Any) -> None:
        points.reach("before commit")
        connection.info["committed"] = True

    @event.listens_for(Pool, "checkin")
    def _given_back(_connection: object, record: Any) -> None:
        if record.info.pop("committed", False):
            points.reach("after commit")


def run(order: dict[str, Any]) -> None:
    """Be `sync-daemon` with the arguments of an order, in its folder; never return."""
    folder = Path(order["folder"])
    os.chdir(folder)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    death = folder / DEATH if order["processes"] > 1 else None
    points = Points(tuple(order["at"]) if order["at"] else None, order["closed"], folder / KEY, death)
    watch(points)
    sys.argv = ["sync-daemon", *order["arguments"]]
    status: object = 1
    try:
        main()
    except SystemExit as done:
        status = done.code
    sys.stdout.flush()
    (folder / "points").write_text(json.dumps(points.seen), encoding="utf-8")
    os._exit(status if isinstance(status, int) else 1)


def serve() -> None:
    """Fork for each line of standard input, as often as it says; answer each end by its status, signals negative."""
    gc.freeze()  # what is never looked at again is never copied
    for line in sys.stdin:
        order = json.loads(line)
        for _ in range(order["processes"]):
            if os.fork() == 0:
                run(order)
        for _ in range(order["processes"]):
            _, ended = os.wait()
            sys.stdout.write(f"{os.waitstatus_to_exitcode(ended)}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    serve()

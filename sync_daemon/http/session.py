"""Requests to one system, with the manners it asks for: its limits, patience, and care about what may be repeated.

The only module that knows the HTTP client.
"""

import functools
import logging
import random
import re
import ssl
import threading
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

import httpx
import msgspec
import structlog

from sync_daemon.http.answers import Classify, Response, fault_of
from sync_daemon.http.backoff import backoff
from sync_daemon.http.bearer import Bearer, TokenExpired
from sync_daemon.http.headers import read_headers
from sync_daemon.http.limits import Limiter
from sync_daemon.http.streak import Streak
from sync_daemon.model.errors import SERVER_ERROR, AnswerLost, QuotaExhausted, Refused, SyncError, Unreachable
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Clock, Usage

Transport = httpx.BaseTransport
"""What carries requests; tests may give their own."""

Query = Mapping[str, str | int | list[str] | None]
"""Query parameters; None leaves one out, a list repeats it."""

Observe = Callable[[int | None, float], None]
"""Told of each request that was sent: the answer's status, None where there was none, and the seconds it took."""

TIMEOUT_S = 8.0
_DOWNLOAD_S = 300.0
"""How long a file may take; no part of it longer than `TIMEOUT_S`."""
_CONNECT_TIMEOUT_S = 2.0
_ATTEMPTS = 4
_MD5 = re.compile(r"[0-9a-f]{32}")

_log = structlog.get_logger(__name__)
for _client_logger in ("httpx", "httpcore"):  # they log whole URLs, which can hold addresses
    logging.getLogger(_client_logger).setLevel(logging.WARNING)


@functools.cache
def trusted() -> ssl.SSLContext:
    """The authorities that every session trusts: reading them takes 30 ms, and a pair has two sessions."""
    return httpx.create_ssl_context()


class Retry(Enum):
    """What may be done with a request whose answer is lost."""

    SAFE = auto()
    """Send it again: doing it twice is doing it once."""
    LOOK_FIRST = auto()
    """Raise `AnswerLost`: it may have been applied, and another would be one too many."""


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    query: Query = field(default_factory=dict)
    content: bytes | None = None
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    retry: Retry = Retry.SAFE
    revokes: bool = False
    file: bool = False

    @property
    def shown(self) -> str:
        """What logs and errors may show: no query, and no digest of an address."""
        return f"{self.method} {_MD5.sub('<md5>', self.path)}"


@dataclass(frozen=True, slots=True)
class _Fault:
    """A request without a usable answer."""

    why: str
    maybe_applied: bool = True
    retry_after: float | None = None
    cause: Exception | None = None


class Session:
    """Requests to one system and account. Safe for threads; at most `at_once` of them send at the same time.

    `probe` is the path of a cheap read that always works when the system does: it tells a system that is
    down from a request that it can't digest. `patience_s` bounds how long one request is tried; `before_each` is
    called when a request's turn has come, and may raise instead of letting it go out; `observe` when it has ended.
    `bearer` gives the token of each request; without one, none is sent.
    """

    def __init__(
        self,
        system: SystemName,
        base_url: str,
        headers: Mapping[str, str],
        limiter: Limiter,
        clock: Clock,
        *,
        classify: Classify,
        probe: str,
        bearer: Bearer | None = None,
        patience_s: float = 60.0,
        at_once: int = 8,
        transport: Transport | None = None,
        before_each: Callable[[], None] = lambda: None,
        observe: Observe = lambda _status, _seconds: None,
    ) -> None:
        self._system = system
        self._limiter = limiter
        self._clock = clock
        self._classify = classify
        self._probe = _Request("GET", probe)
        self._patience_s = patience_s
        self.at_once = at_once
        self._turns = threading.BoundedSemaphore(at_once)
        self._streak = Streak()
        self._bearer = bearer
        self._before_each = before_each
        self._observe = observe
        self._client = httpx.Client(
            base_url=base_url,
            headers=dict(headers),
            timeout=httpx.Timeout(TIMEOUT_S, connect=_CONNECT_TIMEOUT_S),
            limits=httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once),
            transport=transport,
            verify=trusted(),
        )
        weakref.finalize(self, self._client.close)

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        retry: Retry = Retry.SAFE,
        revokes: bool = False,
        file: bool = False,
    ) -> Response:
        """Send a request, again where that is safe, and hand back the answer: a 2xx, or what `classify` let through.

        `body` is sent as JSON, `form` as a form, `headers` beside or instead of the session's own; `revokes` may use
        the part of a daily quota kept for revocations; a `file` need not be JSON, and may take longer. Raises what
        `classify` says; `QuotaExhausted`; `Unreachable` after five failures in a row or when patience ends; `Stopped`
        where the process is told to stop instead of waiting; `AnswerLost` for what must not be repeated; `Refused`
        with the code `server_error` when the system fails at this request alone.
        """
        content = None if body is None else msgspec.json.encode(body)
        with self._turns:
            return self._try(_Request(method, path, query or {}, content, form, headers or {}, retry, revokes, file))

    def usage(self) -> Usage:
        """Requests sent since the start, those throttled, and quotas as far as known."""
        return self._limiter.usage()

    def seconds_for(self, requests: int) -> float:
        """The least time that many requests take under the limits known now."""
        return self._limiter.seconds_for(requests)

    def _try(self, request: _Request) -> Response:
        deadline = self._clock.monotonic() + self._patience_s
        failures = 0
        renewed = False
        while True:
            token = self._token()
            answer = self._send(request, token)
            if isinstance(answer, TokenExpired) and not renewed and self._bearer is not None:
                renewed = self._bearer.renew(token)
                if renewed:
                    continue
            if isinstance(answer, SyncError):
                raise answer
            if isinstance(answer, Response):
                if answer.status != 429:
                    return answer
                self._keep_within_quota(request, deadline)
                continue
            failures += 1
            self._stop_if_down(request, answer)
            if answer.maybe_applied and request.retry is Retry.LOOK_FIRST:
                raise AnswerLost(f"{request.shown} got no usable answer: {answer.why}.") from answer.cause
            wait = backoff(failures, random.random()) if answer.retry_after is None else answer.retry_after
            if failures == _ATTEMPTS or self._clock.monotonic() + wait > deadline:
                raise self._given_up(request, answer) from answer.cause
            self._limiter.pause(wait)

    def _token(self) -> str:
        return self._bearer.token() if self._bearer is not None else ""

    def _keep_within_quota(self, request: _Request, deadline: float) -> None:
        _log.warning("http.throttled", system=self._system, request=request.shown)
        if self._clock.monotonic() >= deadline:
            raise QuotaExhausted(
                self._system,
                f"{self._system} kept refusing requests as too many for {self._patience_s:.0f} s. What was read is "
                "stored; run it again later, or lower `share` if other tools use the same account.",
            )

    def _stop_if_down(self, request: _Request, fault: _Fault) -> None:
        if self._streak.is_broken:
            raise self._unreachable(request, fault) from fault.cause

    def _given_up(self, request: _Request, fault: _Fault) -> SyncError:
        """Whose fault it is: the request's if the system still answers a cheap read, else the system's."""
        if isinstance(self._send(self._probe, self._token()), _Fault):
            return self._unreachable(request, fault)
        return Refused(SERVER_ERROR, f"{self._system} answers, but failed at {request.shown}: {fault.why}.")

    def _unreachable(self, request: _Request, fault: _Fault) -> Unreachable:
        return Unreachable(
            self._system,
            f"{self._system} can't be reached at {self._client.base_url.host}: {request.shown} failed with "
            f"{fault.why}. Nothing is lost; changes wait until it answers. Check the network, the vendor's status "
            f"page and `{self._system}.base_url`.",
            maybe_applied=fault.maybe_applied,
        )

    def _send(self, request: _Request, token: str) -> Response | SyncError | _Fault:
        """One attempt, in its turn: an answer, what it refuses, or a fault, which counts in the streak."""
        sent_at = self._limiter.wait_turn(revokes=request.revokes)
        self._before_each()
        outcome = self._exchange(request, sent_at, token)
        if isinstance(outcome, _Fault):
            self._streak.failed(sent_at, self._clock.monotonic())
            _log.info("http.failed", system=self._system, request=request.shown, why=outcome.why)
        else:
            self._streak.ended()
        return outcome

    def _exchange(self, request: _Request, sent_at: float, token: str) -> Response | SyncError | _Fault:
        status: int | None = None
        try:
            response = self._over_the_wire(request, sent_at, token)
            status = response.status
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            return _Fault(f"no connection ({error})", maybe_applied=False, cause=error)
        except httpx.RequestError as error:  # its text could repeat a header
            return _Fault(f"a lost answer ({type(error).__name__})", cause=error)
        finally:
            self._observe(status, self._clock.monotonic() - sent_at)
        self._limiter.answered(sent_at, response.status, response.headers)
        _log.debug("http.answered", system=self._system, request=request.shown, status=response.status)
        why = fault_of(response, json=not request.file)
        refusal = None if why or response.ok or response.status == 429 else self._classify(response)
        if isinstance(refusal, Unreachable):
            why = str(refusal)
        if why is None:
            return refusal or response
        return _Fault(why, retry_after=read_headers(response.headers, self._clock.now()).retry_after)

    def _over_the_wire(self, request: _Request, sent_at: float, token: str) -> Response:
        headers = {} if request.content is None else {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        with self._client.stream(
            request.method,
            request.path,
            params={name: value for name, value in request.query.items() if value is not None},
            content=request.content,
            data=request.form,
            headers={**headers, **request.headers},
        ) as answer:
            parts = []
            longest = _DOWNLOAD_S if request.file else TIMEOUT_S
            for part in answer.iter_bytes():
                parts.append(part)
                if self._clock.monotonic() - sent_at > longest:
                    raise httpx.ReadTimeout("the answer drips")
            return Response(answer.status_code, dict(answer.headers), _without(token, b"".join(parts)))


def _without(token: str, data: bytes) -> bytes:
    """A body without the token that was sent, should an error repeat it."""
    return data.replace(token.encode(), b"[secret]") if token else data

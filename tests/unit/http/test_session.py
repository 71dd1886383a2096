"""The session over a real socket, against a server that follows a script."""

import asyncio
import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx
import pytest
import structlog
from starlette.types import Receive, Scope, Send

from sync_daemon.http.allowance import SlidingWindow
from sync_daemon.http.answers import Response
from sync_daemon.http.bearer import Bearer, FixedToken, TokenExpired
from sync_daemon.http.limits import Limiter
from sync_daemon.http.session import Retry, Session, Transport
from sync_daemon.model.errors import (
    AnswerLost,
    CredentialsRefused,
    NotFound,
    PairBusy,
    QuotaExhausted,
    Refused,
    SyncError,
    Unreachable,
)
from sync_daemon.model.system import SystemName
from sync_daemon.sandbox.middleware import CONNECTION
from sync_daemon.sandbox.server import serve
from tests.plain import PLAIN
from tests.unit.http.virtual_clock import VirtualClock

SECRET = "pit-0f2e8a-secret"
ADDRESS = "ada@example.com"

Answer = tuple[int, dict[str, str], bytes] | str
"""A status, headers and body; or "drop" (no answer), "cut" (half a body), "drip" (a body that takes for ever)."""

OK: Answer = (200, {}, b'{"fine": true}')


def failure(status: int) -> Answer:
    return status, {}, b'{"message": "no"}'


@dataclass
class Server:
    """Answers what the script says, in turn, then `always`; keeps what it was asked.

    It answers nobody before `at_once` requests are there.
    """

    clock: VirtualClock
    script: list[Answer] = field(default_factory=list)
    always: Answer = OK
    by_path: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, str, str, bytes, dict[str, str]]] = field(default_factory=list)
    at_once: int = 1
    _are_there: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.asked.append((scope["method"], scope["path"], scope["query_string"].decode(), body, headers))
        if len(self.asked) >= self.at_once:
            self._are_there.set()
        await self._are_there.wait()
        answer = self.by_path.get(scope["path"]) or (self.script.pop(0) if self.script else self.always)
        if answer == "drop":
            scope["state"][CONNECTION].close()
        elif answer == "cut":
            await self._begin(send, 200, {"content-length": "99"})
            await send({"type": "http.response.body", "body": b'{"a":', "more_body": True})
            scope["state"][CONNECTION].close()
        elif answer == "drip":
            await self._begin(send, 200, {})
            for _ in range(3):
                self.clock.advance(5)
                await send({"type": "http.response.body", "body": b"    ", "more_body": True})
            await send({"type": "http.response.body", "body": b"{}"})
        elif isinstance(answer, tuple):
            status, extra, content = answer
            await self._begin(send, status, extra)
            await send({"type": "http.response.body", "body": content})

    async def _begin(self, send: Send, status: int, headers: dict[str, str]) -> None:
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})

    @property
    def paths(self) -> list[str]:
        return [f"{method} {path}" for method, path, *_ in self.asked]


def classify(response: Response) -> SyncError | None:
    if response.status == 401:
        if b"timed out" in response.data:
            return Unreachable(SystemName.GHL, "a time-out in disguise")
        if b"expired" in response.data:
            return TokenExpired(SystemName.GHL, "no more")
        return CredentialsRefused(SystemName.GHL, "no")
    return NotFound("not_found", "no such thing") if response.status == 404 else None


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def server(clock: VirtualClock) -> Server:
    return Server(clock)


@pytest.fixture
def base_url(server: Server) -> Iterator[str]:
    with serve(server) as url:
        yield url


@pytest.fixture
def session(base_url: str, clock: VirtualClock) -> Session:
    return connect(base_url, clock)


EXPIRED: Answer = (401, {}, b'{"message": "expired"}')


@dataclass
class Numbered:
    """A bearer whose tokens are numbered; it can be renewed so often."""

    renewals: int
    number: int = 0

    def token(self) -> str:
        return f"token-{self.number}"

    def renew(self, refused: str) -> bool:
        assert refused == self.token()
        if self.renewals:
            self.renewals, self.number = self.renewals - 1, self.number + 1
            return True
        return False


def connect(
    base_url: str, clock: VirtualClock, transport: Transport | None = None, bearer: Bearer | None = None
) -> Session:
    limiter = Limiter(SystemName.GHL, SlidingWindow(100, 10.0), clock, refill_s=10.0)
    return Session(
        SystemName.GHL,
        base_url,
        {},
        limiter,
        clock,
        classify=classify,
        probe="/probe",
        bearer=bearer or FixedToken(SECRET),
        transport=transport,
    )


def test_sends_json_with_the_headers_and_the_query(session: Session, server: Server) -> None:
    response = session.request("POST", "/contacts/search", query={"a.gte": "x+y", "b": 2, "c": None}, body={"n": [1]})
    assert response.decode(dict[str, bool]) == {"fine": True}
    method, path, query, body, headers = server.asked[0]
    assert (method, path, query) == ("POST", "/contacts/search", "a.gte=x%2By&b=2")
    assert json.loads(body) == {"n": [1]}
    assert headers["authorization"] == f"Bearer {SECRET}"
    assert headers["content-type"] == "application/json"


def test_headers_of_one_request_stand_beside_the_sessions_own(session: Session, server: Server) -> None:
    session.request("GET", "/a", query={"id": ["1", "2"]}, headers={"Version": "2021-04-15"})
    session.request("POST", "/a", body={}, headers={"Version": "2021-04-15"})
    session.request("GET", "/a")
    (_, _, query, _, first), (*_, second), (*_, third) = server.asked
    assert query == "id=1&id=2"
    assert (first["version"], second["version"]) == ("2021-04-15", "2021-04-15")
    assert second["content-type"] == "application/json"
    assert third.get("version") != "2021-04-15"


def test_a_file_need_not_be_json_and_may_take_longer(session: Session, server: Server) -> None:
    server.script = [(200, {}, b"RIFF\xff"), "drip"]
    assert session.request("GET", "/recording", file=True).data == b"RIFF\xff"
    assert session.request("GET", "/recording", file=True).data.strip() == b"{}"
    assert len(server.asked) == 2


def test_sends_forms(session: Session, server: Server) -> None:
    session.request("POST", "/oauth/token", form={"grant_type": "refresh_token"})
    assert server.asked[0][3] == b"grant_type=refresh_token"
    assert server.asked[0][4]["content-type"] == "application/x-www-form-urlencoded"


def test_asks_before_each_attempt_whether_it_may_go_out(base_url: str, server: Server, clock: VirtualClock) -> None:
    allowed = iter([True, True, False])

    def ask() -> None:
        if not next(allowed):
            raise PairBusy("another process took over")

    limiter = Limiter(SystemName.GHL, SlidingWindow(100, 10.0), clock, refill_s=10.0)
    session = Session(SystemName.GHL, base_url, {}, limiter, clock, classify=classify, probe="/probe", before_each=ask)
    server.script = [failure(503), failure(503)]
    with pytest.raises(PairBusy):
        session.request("PUT", "/x")
    assert len(server.asked) == 2


def test_hands_back_what_classify_lets_through_and_an_answer_without_a_body(session: Session, server: Server) -> None:
    server.script = [(204, {}, b""), failure(418)]
    assert session.request("DELETE", "/x").data == b""
    assert session.request("GET", "/x").status == 418


@pytest.mark.parametrize("fault", [failure(500), failure(502), failure(503), "drop", "cut", (200, {}, b"<html>")])
def test_a_fault_is_tried_again(session: Session, server: Server, clock: VirtualClock, fault: Answer) -> None:
    server.script = [fault, fault, OK]
    assert session.request("PUT", "/x").ok
    assert len(server.asked) == 3
    assert [0.25 <= wait <= 1.0 for wait in clock.slept] == [True, True]


def test_a_refusal_is_not_tried_again(session: Session, server: Server) -> None:
    server.always = failure(404)
    with pytest.raises(NotFound):
        session.request("GET", "/x")
    server.always = failure(401)
    with pytest.raises(CredentialsRefused):
        session.request("GET", "/x")
    assert len(server.asked) == 2


def test_a_time_out_in_disguise_is_tried_again(session: Session, server: Server) -> None:
    server.script = [(401, {}, b'{"message": "Command timed out"}'), OK]
    assert session.request("GET", "/x").ok


@pytest.mark.parametrize("fault", [failure(500), "drop", "cut", (201, {}, b"<html>")])
def test_what_may_have_been_applied_is_not_sent_twice(session: Session, server: Server, fault: Answer) -> None:
    server.script = [fault]
    with pytest.raises(AnswerLost):
        session.request("POST", "/contacts", retry=Retry.LOOK_FIRST)
    assert len(server.asked) == 1


def test_what_was_throttled_was_not_applied_and_goes_again(session: Session, server: Server) -> None:
    server.script = [failure(429), OK]
    assert session.request("POST", "/contacts", retry=Retry.LOOK_FIRST).ok


def test_what_never_left_goes_again(clock: VirtualClock) -> None:
    with serve(Server(clock)) as url:
        pass
    with pytest.raises(Unreachable) as stop:
        connect(url, clock).request("POST", "/contacts", retry=Retry.LOOK_FIRST)
    assert "no connection" in str(stop.value)
    assert len(clock.slept) == 3


def test_five_failures_in_a_row_are_the_systems_fault(session: Session, server: Server, clock: VirtualClock) -> None:
    server.always = failure(503)
    with pytest.raises(Unreachable, match="HTTP 503"):
        session.request("GET", "/x")
    assert server.paths == ["GET /x"] * 4 + ["GET /probe"]
    assert clock.monotonic() < 60
    with pytest.raises(Unreachable):
        session.request("GET", "/y")
    assert server.paths[5:] == ["GET /y"], "while the system is down, one failure is enough"
    server.always = OK
    assert session.request("GET", "/z").ok


def test_a_request_that_the_system_fails_at_is_the_requests_fault(session: Session, server: Server) -> None:
    server.by_path = {"/poison": failure(500)}
    with pytest.raises(Refused) as refusal:
        session.request("PUT", "/poison")
    assert refusal.value.code == "server_error"
    assert session.request("GET", "/x").ok


def test_failures_of_one_moment_over_many_threads_are_one(session: Session, server: Server) -> None:
    server.script = [failure(502)] * 8
    server.at_once = 8

    def ask(_: int) -> bool:
        return session.request("GET", "/x").ok

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [True] * 8


def test_it_waits_as_long_as_a_429_says(session: Session, server: Server, clock: VirtualClock) -> None:
    server.script = [(429, {"retry-after": "30"}, b"{}"), OK]
    session.request("GET", "/x")
    assert sum(clock.slept) == pytest.approx(30)
    assert (session.usage().requests, session.usage().throttled) == (2, 1)


def test_it_waits_as_long_as_a_503_says(session: Session, server: Server, clock: VirtualClock) -> None:
    server.script = [(503, {"retry-after": "20"}, b"{}"), OK]
    session.request("GET", "/x")
    assert clock.slept == [20.0]


def test_patience_with_429_ends(session: Session, server: Server, clock: VirtualClock) -> None:
    server.always = failure(429)
    with pytest.raises(QuotaExhausted, match="share"):
        session.request("GET", "/x")
    assert 60 <= clock.monotonic() <= 75


def test_an_answer_that_drips_is_a_time_out(session: Session, server: Server) -> None:
    server.script = ["drip", OK]
    assert session.request("GET", "/x").data == b'{"fine": true}'
    assert len(server.asked) == 2


class Silent(httpx.BaseTransport):
    """Fails in one way a few times, then passes requests on."""

    def __init__(self, *errors: httpx.TransportError) -> None:
        self._errors = list(errors)
        self._wire = httpx.HTTPTransport(verify=PLAIN)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._errors:
            raise self._errors.pop()
        return self._wire.handle_request(request)

    def close(self) -> None:
        self._wire.close()


def test_a_time_out_may_hide_that_it_was_applied_unless_it_never_connected(base_url: str, clock: VirtualClock) -> None:
    session = connect(base_url, clock, Silent(httpx.ReadTimeout(""), httpx.ConnectTimeout("")))
    with pytest.raises(AnswerLost, match="ReadTimeout"):
        session.request("POST", "/contacts", retry=Retry.LOOK_FIRST)
    session = connect(base_url, clock, Silent(httpx.ReadTimeout(""), httpx.WriteTimeout("")))
    assert session.request("PUT", "/contacts/1").ok


def test_no_secret_address_or_query_in_logs_or_errors(
    session: Session, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.always = failure(500)
    texts = []
    with structlog.testing.capture_logs() as logs:
        for path in ("/contacts/duplicate", "/lists/1/contacts/fe5406045b18b2d2377f81bcfed84cf7"):
            with pytest.raises((Unreachable, Refused, AnswerLost)) as stop:
                session.request("POST", path, query={"email": ADDRESS}, body={"email": ADDRESS}, retry=Retry.LOOK_FIRST)
            texts.append(str(stop.value))
    everything = "\n".join([*texts, *map(str, logs), *(record.getMessage() for record in caplog.records)])
    assert logs
    for secret in (SECRET, "ada", "example.com", "fe5406045b18b2d2377f81bcfed84cf7"):
        assert secret not in everything


@pytest.mark.parametrize(
    "body", [b'{"fine": "yes"}', b"[]", b""], ids=["another type", "another shape", "nothing at all"]
)
def test_an_answer_of_another_form_is_malformed(session: Session, server: Server, body: bytes) -> None:
    server.always = (200, {}, body)
    with pytest.raises(Refused) as refusal:
        session.request("GET", "/x").decode(dict[str, bool])
    assert refusal.value.code == "malformed"


def test_the_connections_are_closed_with_the_session(base_url: str, clock: VirtualClock) -> None:
    for _ in range(3):
        assert connect(base_url, clock).request("GET", "/x").ok  # an open socket left behind would be a warning


@dataclass
class Busy:
    """Counts the requests under way; each takes long enough for others to come."""

    now: int = 0
    most: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.01)
        self.now -= 1
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def test_no_more_at_once_than_allowed(clock: VirtualClock) -> None:
    limiter = Limiter(SystemName.GHL, SlidingWindow(100, 10.0), clock, refill_s=10.0)
    busy = Busy()
    with serve(busy) as url:
        session = Session(SystemName.GHL, url, {}, limiter, clock, classify=classify, probe="/probe", at_once=2)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: session.request("GET", "/x"), range(24)))
    assert busy.most <= 2


def test_an_error_that_repeats_the_credential_is_read_without_it(session: Session, server: Server) -> None:
    server.script = [(418, {}, f'{{"message": "no: Bearer {SECRET}"}}'.encode())]
    answer = session.request("GET", "/teapot")
    assert answer.data == b'{"message": "no: Bearer [secret]"}'


def test_an_expired_token_is_renewed_and_the_request_sent_again(
    base_url: str, server: Server, clock: VirtualClock
) -> None:
    server.script = [EXPIRED, OK]
    assert connect(base_url, clock, bearer=Numbered(9)).request("POST", "/contacts", retry=Retry.LOOK_FIRST).ok
    assert [headers["authorization"] for *_, headers in server.asked] == ["Bearer token-0", "Bearer token-1"]


def test_a_token_is_renewed_once_for_a_request(base_url: str, server: Server, clock: VirtualClock) -> None:
    server.script = [EXPIRED, EXPIRED, OK]
    with pytest.raises(TokenExpired):
        connect(base_url, clock, bearer=Numbered(9)).request("GET", "/contacts")
    assert len(server.asked) == 2


def test_a_token_that_can_not_be_renewed_isnt_sent_again(base_url: str, server: Server, clock: VirtualClock) -> None:
    server.script = [EXPIRED, OK]
    with pytest.raises(TokenExpired):
        connect(base_url, clock, bearer=Numbered(0)).request("GET", "/contacts")
    assert len(server.asked) == 1


def test_another_401_renews_nothing(base_url: str, server: Server, clock: VirtualClock) -> None:
    server.script = [failure(401), OK]
    bearer = Numbered(9)
    with pytest.raises(CredentialsRefused):
        connect(base_url, clock, bearer=bearer).request("GET", "/contacts")
    assert bearer.number == 0


def test_the_token_that_was_sent_is_cut_out_of_what_repeats_it(
    base_url: str, server: Server, clock: VirtualClock
) -> None:
    server.script = [EXPIRED, (200, {}, b'{"you sent": "token-1"}')]
    answer = connect(base_url, clock, bearer=Numbered(9)).request("GET", "/contacts")
    assert answer.data == b'{"you sent": "[secret]"}'

"""The addresses that both vendors call. Answered with 2xx only once the events are stored for good.

Who isn't meant is told nothing: a signature that doesn't fit gets 401, a wrong secret in a path 404.
"""

import asyncio
import hmac
import uuid
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sync_daemon.model.engagement import OPT_OUTS, Kind, Occasion
from sync_daemon.model.system import SystemName
from sync_daemon.model.webhook import Delivery, WebhookEvent
from sync_daemon.systems.emailoctopus import webhooks as emailoctopus
from sync_daemon.systems.ghl import webhooks as ghl
from sync_daemon.web.intake import Intake

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
_MEBIBYTE = 1024 * 1024
MOST_BYTES = {GHL: _MEBIBYTE, EMAILOCTOPUS: 8 * _MEBIBYTE}
"""One event of GHL, or a thousand of EmailOctopus with every field full, stay far below it."""
Count = Callable[[SystemName, str, int], None]
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Receiver:
    """A pair that events are for. `secret` signs EmailOctopus's webhooks to it; empty: none is believed.

    `listens_to` are the kinds of engagement that its rules ask about; the others aren't kept.
    """

    pair: str
    location_id: str
    list_id: str
    secret: str
    listens_to: AbstractSet[Kind] = frozenset()


@dataclass(frozen=True, slots=True)
class Webhooks:
    """What is accepted from whom. `workflow_secret` is the last part of the workflow address; empty: there is none.

    Events older than `remembered` are dropped: their ids may be forgotten, so that they could be repeated.
    """

    receivers: Callable[[], Sequence[Receiver]]
    ghl_key: Ed25519PublicKey
    workflow_secret: str
    remembered: timedelta
    intake: Intake
    count: Count
    now: Callable[[], datetime]

    def routes(self) -> list[Route]:
        """The addresses."""
        return [
            Route("/webhooks/ghl", self.from_ghl, methods=["POST"]),
            Route("/webhooks/emailoctopus", self.from_emailoctopus, methods=["POST"]),
            Route("/webhooks/ghl/workflow/{secret}", self.from_workflow, methods=["POST"]),
        ]

    async def from_ghl(self, request: Request) -> Response:
        """An event of GHL, signed with its key."""
        body = await _body(request, GHL)
        if body is None:
            return self._too_large(GHL)
        if not ghl.is_signed(body, request.headers.get(ghl.SIGNATURE_HEADER), self.ghl_key):
            return self._refuse(GHL, "its signature isn't GHL's")
        return await self._accept(GHL, ghl.events_of(body), self.receivers())

    async def from_emailoctopus(self, request: Request) -> Response:
        """Events of EmailOctopus, signed with a secret of one or several pairs: only theirs are believed."""
        body = await _body(request, EMAILOCTOPUS)
        if body is None:
            return self._too_large(EMAILOCTOPUS)
        signature = request.headers.get(emailoctopus.SIGNATURE_HEADER)
        receivers = self.receivers()
        secrets = {one.secret for one in receivers}
        good = {secret for secret in secrets if emailoctopus.is_signed(body, signature, secret)}
        if not good:
            why = "it has another signature" if any(secrets) else "no emailoctopus.webhook_secret is configured"
            return self._refuse(EMAILOCTOPUS, why)
        meant = [one for one in receivers if one.secret in good]
        return await self._accept(EMAILOCTOPUS, emailoctopus.events_of(body), meant)

    async def from_workflow(self, request: Request) -> Response:
        """A contact that a GHL workflow tells, unsigned, to an address that only that workflow knows."""
        given = str(request.path_params["secret"])
        if not self.workflow_secret or not hmac.compare_digest(given.encode(), self.workflow_secret.encode()):
            self.count(GHL, "refused", 1)
            return PlainTextResponse("Not Found", status_code=404)
        body = await _body(request, GHL)
        if body is None:
            return self._too_large(GHL)
        told = ghl.event_of_workflow(body, f"workflow {uuid.uuid4()}")
        receivers = self.receivers()
        locations = {one.location_id for one in receivers}
        only = next(iter(locations)) if len(locations) == 1 else ""
        told = Delivery(tuple((account or only, event) for account, event in told.events), malformed=told.malformed)
        return await self._accept(GHL, told, receivers)

    async def _accept(self, system: SystemName, told: Delivery, meant: Sequence[Receiver]) -> Response:
        """Store the events for the pairs that are meant; one that nobody can use is counted, and never sent again."""
        fresh = [(account, event) for account, event in told.events if not self._is_too_old(event)]
        by_pair = {one.pair: [event for account, event in fresh if account == _account(one, system)] for one in meant}
        occasions = {one.pair: list(self._asked_for(one, told)) for one in meant}
        taken: dict[str, list[WebhookEvent | Occasion]] = {
            pair: [*events, *occasions[pair]] for pair, events in by_pair.items()
        }
        waiting = [self.intake.take(pair, some) for pair, some in taken.items() if some]
        accounts = {_account(one, system) for one in meant}
        asked = {one.event_id for some in occasions.values() for one in some}
        unasked = sum(one.kind not in OPT_OUTS and one.event_id not in asked for _, one in told.engagement)
        nobodys = sum(account not in accounts for account, _ in fresh)
        self._tally(system, replace(told, ignored=told.ignored + unasked), fresh, nobodys=nobodys)
        stored = await asyncio.gather(*map(asyncio.wrap_future, waiting), return_exceptions=True)
        if any(isinstance(one, BaseException) for one in stored):  # the intake has logged it
            return PlainTextResponse("The event can't be stored now. Send it again later.", status_code=503)
        return PlainTextResponse("")

    def _asked_for(self, receiver: Receiver, told: Delivery) -> Iterator[Occasion]:
        """What a pair's rules ask about."""
        for account, one in told.engagement:
            if account == receiver.list_id and one.kind in receiver.listens_to and not self._is_too_old(one):
                yield one

    def _tally(
        self, system: SystemName, told: Delivery, fresh: Sequence[tuple[str, WebhookEvent]], nobodys: int
    ) -> None:
        results = {
            "accepted": len(fresh) - nobodys,
            "nobodys": nobodys,
            "too_old": len(told.events) - len(fresh),
            "ignored": told.ignored,
            "malformed": told.malformed,
        }
        for result, events in results.items():
            if events:
                self.count(system, result, events)
        if told.malformed or nobodys:
            _log.warning("webhook_events_dropped", system=system, malformed=told.malformed, of_no_pair=nobodys)

    def _is_too_old(self, event: WebhookEvent | Occasion) -> bool:
        return event.occurred_at is not None and self.now() - event.occurred_at > self.remembered

    def _refuse(self, system: SystemName, why: str) -> Response:
        self.count(system, "refused", 1)
        _log.warning("webhook_refused", system=system, why=why)
        return PlainTextResponse("The signature is missing or wrong.", status_code=401)

    def _too_large(self, system: SystemName) -> Response:
        self.count(system, "refused", 1)
        _log.warning("webhook_too_large", system=system, most_bytes=MOST_BYTES[system])
        return PlainTextResponse(f"More than {MOST_BYTES[system]} bytes.", status_code=413)


def _account(receiver: Receiver, system: SystemName) -> str:
    return receiver.location_id if system is GHL else receiver.list_id


async def _body(request: Request, system: SystemName) -> bytes | None:
    """The bytes of a request, None when they are too many: no more than that are taken in."""
    declared = request.headers.get("content-length", "")
    most = MOST_BYTES[system]
    if declared.isdigit() and int(declared) > most:
        return None
    parts = bytearray()
    async for part in request.stream():
        parts += part
        if len(parts) > most:
            return None
    return bytes(parts)

"""Webhooks and health on a real socket, over a real store."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync_daemon.model.engagement import Occasion
from sync_daemon.model.system import SystemName
from sync_daemon.model.webhook import WebhookEvent
from sync_daemon.store.crypto import Secrets
from sync_daemon.store.engine import open_engine
from sync_daemon.store.installation import StateStore
from sync_daemon.web.intake import Intake
from sync_daemon.web.server import serving
from sync_daemon.web.webhooks import Receiver, Webhooks
from sync_daemon.wiring.clock import SystemClock
from tests.plain import PLAIN

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SECRET, OWN_SECRET, WORKFLOW_SECRET = "the secret of all", "a secret of its own", "only-the-workflow-knows"
RECEIVERS = (
    Receiver("main", "l1", "m1", SECRET),
    Receiver("twin", "l1", "m2", SECRET),
    Receiver("apart", "l2", "m3", OWN_SECRET),
)


@dataclass
class Listening:
    """A service that listens, and what came of it."""

    url: str
    store: StateStore
    client: httpx.Client
    woken: list[str] = field(default_factory=list)
    counted: dict[tuple[SystemName, str], int] = field(default_factory=dict)

    def waiting(self, pair: str, system: SystemName = SystemName.GHL) -> list[WebhookEvent]:
        one = next(one for one in RECEIVERS if one.pair == pair)
        return self.store.open_pair(pair, one.location_id, one.list_id).waiting_events(system, 100)

    def post(self, path: str, body: bytes, **headers: str) -> httpx.Response:
        return self.client.post(f"{self.url}{path}", content=body, headers=headers)


@contextmanager
def listening(
    database_url: str, receivers: Sequence[Receiver] = RECEIVERS, workflow_secret: str = WORKFLOW_SECRET
) -> Iterator[Listening]:
    clock = SystemClock()
    secrets = Secrets("a secret of this installation, long enough")
    with StateStore(open_engine(database_url), secrets, clock) as store, httpx.Client(verify=PLAIN) as client:
        pairs = {one.pair: store.open_pair(one.pair, one.location_id, one.list_id) for one in receivers}
        here = Listening("", store, client)

        def count(system: SystemName, result: str, events: int) -> None:
            here.counted[system, result] = here.counted.get((system, result), 0) + events

        def save(pair: str, told: Sequence[WebhookEvent | Occasion]) -> None:
            pairs[pair].save_events([one for one in told if isinstance(one, WebhookEvent)])
            pairs[pair].save_occasions([one for one in told if isinstance(one, Occasion)])

        intake = Intake(save, here.woken.append)
        webhooks = Webhooks(
            lambda: receivers, KEY.public_key(), workflow_secret, timedelta(days=30), intake, count, clock.now
        )
        intake.start()
        try:
            with serving(webhooks.routes(), "127.0.0.1", 0) as here.url:
                yield here
        finally:
            intake.stop()

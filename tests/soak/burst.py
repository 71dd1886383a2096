"""Webhooks at fifty requests a second: how long each waits for its acknowledgement."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx
import msgspec

from sync_daemon.sandbox.ghl.webhooks import GhlWebhooks

_A_SECOND, _SECONDS = 50, 20


def burst(url: str, webhooks: GhlWebhooks, location_id: str) -> list[float]:
    """Send signed events about nobody's contacts at a steady rate; the seconds to each acknowledgement."""
    bodies = [_body(location_id) for _ in range(_A_SECOND * _SECONDS)]
    began = time.monotonic()
    with httpx.Client(timeout=10) as client, ThreadPoolExecutor(32) as threads:

        def send(number: int, body: bytes) -> float:
            time.sleep(max(0.0, began + number / _A_SECOND - time.monotonic()))
            sent = time.monotonic()
            client.post(f"{url}/webhooks/ghl", content=body, headers=webhooks.sign(body)).raise_for_status()
            return time.monotonic() - sent

        return list(threads.map(send, range(len(bodies)), bodies))


def _body(location_id: str) -> bytes:
    """An event about somebody whom nobody knows."""
    told = {
        "type": "ContactUpdate",
        "locationId": location_id,
        "id": f"nobody{uuid.uuid4()}",
        "webhookId": uuid.uuid4(),
    }
    return msgspec.json.encode(told)

"""What tests of webhooks share: what is told, taken from a receiver on a real socket once an API went quiet."""

from collections.abc import Callable
from typing import Any

from sync_daemon.sandbox.webhooks.webhooks import Webhooks
from tests.sandbox.receiver import receiver

END = 3600.0
"""Seconds that nothing waits for: it is sent when it is flushed."""


def told(webhooks: Webhooks[Any], act: Callable[[], object], **settings: Any) -> list[dict[str, Any]]:
    """The events that something raises, oldest first, whichever requests they came in."""
    with receiver() as box:
        webhooks.set(url=f"{box.url}/hook", weather={"delay_s": END}, **settings)
        try:
            act()
            _, deliveries = webhooks.deliveries()
            webhooks.flush()
            return box.events(sum(len(delivery["events"]) for delivery in deliveries))
        finally:
            webhooks.stop()


def types(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]

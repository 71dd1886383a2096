"""Where an API's webhooks go, how they are repeated, and what can befall them on the way."""

from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from sync_daemon.sandbox.weather import Seconds, Share

EVENTS = "events"
"""The destination that every API has."""


class WebhookWeather(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What befalls webhooks. Shares lie between 0 and 1; they are drawn once, when an event happens."""

    delay_s: Seconds = 0.0  # how much later each is sent
    drop: Share = 0.0  # the share of events that are never sent
    repeat: Share = 0.0  # the share of deliveries that are sent once more after they were acknowledged
    shuffle: Share = 0.0  # the share of deliveries that others overtake; within an array, events change places
    shuffle_s: Seconds = 2.0  # how long those are held back at most


class WebhookSettings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Nothing is sent while `url` is empty. Anything but 2xx within `timeout_s` is repeated with the same ids after
    `retry_base_s`, then after twice that time, and so on, `attempts` times altogether.
    """

    url: str = ""
    retry_base_s: Seconds = 1.0
    attempts: Annotated[int, Meta(ge=1)] = 10
    timeout_s: Annotated[float, Meta(gt=0)] = 10.0
    weather: WebhookWeather = msgspec.field(default_factory=WebhookWeather)

    def __post_init__(self) -> None:
        """Refuse what is no address. Raises ValueError."""
        for url in filter(None, self.urls().values()):
            check_url(url)

    def urls(self) -> dict[str, str]:
        """Tell the address of each destination; an empty one gets nothing."""
        return {EVENTS: self.url}


def check_url(url: str) -> None:
    """Refuse what can't be posted to. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0 or not url.isascii():
        raise ValueError(f"{url!r} is no address to post to; give one like http://127.0.0.1:8080/webhooks/ghl.")

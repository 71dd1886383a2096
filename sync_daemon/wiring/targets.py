"""The targets of alerts, as apprise reaches them: mail, chats, webhooks.

An address of a target holds its credentials: it stands in no message and no log, the target's place in the
configuration and its kind do.
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Thread
from typing import TYPE_CHECKING

import structlog
from pydantic import SecretStr

from sync_daemon.model.errors import ConfigurationError

if TYPE_CHECKING:
    from apprise import Apprise

_SCHEME = re.compile(r"([a-z][a-z0-9]{1,30})://", re.IGNORECASE)
_TALKATIVE = ("apprise", "urllib3", "requests")
"""Loggers whose lines can hold a part of a target's address."""
_log = structlog.get_logger(__name__)


class Tone(StrEnum):
    """What a message is, in apprise's words; some targets show it by a colour."""

    BAD = "failure"
    GOOD = "success"
    PLAIN = "info"


@dataclass(frozen=True, slots=True)
class Message:
    """What a target gets, in plain text."""

    title: str
    body: str
    tone: Tone = Tone.PLAIN


@dataclass(slots=True)
class Target:
    """One target; `name` is how people and logs call it: `alerts.urls[0] (json)`."""

    name: str
    apprise: "Apprise"
    _hanging: Thread | None = field(default=None, init=False)

    def takes(self, message: Message, within_s: float) -> bool:
        """Send once, and say whether it was taken within some seconds; one that still hangs isn't asked again.

        Not every kind of target has a time limit of its own, so each attempt has a thread that can be left behind.
        """
        if self._hanging is not None and self._hanging.is_alive():
            return self._failed("an earlier message still hangs")
        taken: list[bool] = []
        thread = Thread(target=lambda: taken.append(self._send(message)), name=self.name, daemon=True)
        thread.start()
        thread.join(within_s)
        if thread.is_alive():
            self._hanging = thread
            return self._failed(f"no answer within {within_s:g} s")
        return taken == [True]

    def _send(self, message: Message) -> bool:
        try:
            answer = self.apprise.notify(
                body=message.body, title=message.title, notify_type=message.tone, body_format="text"
            )
        except Exception as error:  # noqa: BLE001 - 250 kinds of target, each with failures of its own
            return self._failed(type(error).__name__)
        return bool(answer) or self._failed("it was refused, or can't be reached")

    def _failed(self, why: str) -> bool:
        _log.warning("alert_not_taken", target=self.name, why=why)
        return False


def read_targets(urls: Sequence[SecretStr]) -> list[Target]:
    """The targets that `alerts.urls` names. Raises `ConfigurationError` for one that apprise can't read."""
    return [_read(f"alerts.urls[{index}]", url.get_secret_value()) for index, url in enumerate(urls)]


def _read(place: str, url: str) -> Target:
    _silence()
    from apprise import Apprise, AppriseAsset  # noqa: PLC0415 - it takes a third of a second, and most runs alert nobody

    found = _SCHEME.match(url)
    scheme = found[1].lower() if found else None
    asset = AppriseAsset(app_id="sync-daemon", app_desc="sync-daemon", async_mode=False, storage_mode="memory")
    service = Apprise.instantiate(url, asset=asset) if scheme else None
    if service is None:
        kind = (
            f"one of the kind `{scheme}`" if scheme else "one that begins with its kind, such as mailto:// or json://"
        )
        raise ConfigurationError(
            f"{place}: apprise can't read this address as {kind}. How each kind is written: https://appriseit.com/"
        )
    target = Apprise(asset=asset)
    target.add(service)
    return Target(f"{place} ({scheme})", target)


def _silence() -> None:
    """Keep what the libraries below log to themselves: what became of a message is logged here."""
    for name in _TALKATIVE:
        logger = logging.getLogger(name)
        logger.propagate = False
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())

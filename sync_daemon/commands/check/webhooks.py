"""The examination of what webhooks need: keys and secrets, and a service that listens."""

import http.client
from collections.abc import Iterator
from dataclasses import dataclass, field

from sync_daemon.commands.exits import BAD_USAGE, DONE
from sync_daemon.model.errors import ConfigurationError
from sync_daemon.settings.installation import HttpSection, Settings
from sync_daemon.settings.pair import PairSection
from sync_daemon.systems.ghl.webhooks import load_key

_ANSWERS_WITHIN_S = 2.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - listening there means answering here


@dataclass(slots=True)
class WebhookFindings:
    """`answers` says whether a service answers at the `address` that the configuration names."""

    address: str
    answers: bool
    problems: list[str] = field(default_factory=list)
    advice: list[str] = field(default_factory=list)
    status: int = DONE


def examine_webhooks(settings: Settings, pairs: tuple[PairSection, ...]) -> WebhookFindings:
    """What keeps webhooks from being believed, and whether the service is there for them."""
    where = settings.service.http
    findings = WebhookFindings(f"http://{where.host}:{where.port}", _answers(where))
    try:
        load_key(settings.ghl.webhook_public_key)
    except ConfigurationError as error:
        findings.problems.append(error.shown)
        findings.status = BAD_USAGE
    findings.advice.extend(_advice(settings, pairs, findings))
    return findings


def _advice(settings: Settings, pairs: tuple[PairSection, ...], findings: WebhookFindings) -> Iterator[str]:
    common = settings.emailoctopus.webhook_secret.get_secret_value()
    without = [one.name for one in pairs if not (common or one.emailoctopus.webhook_secret.get_secret_value())]
    if without:
        yield (
            f"EmailOctopus's webhooks are refused for {', '.join(without)}: without emailoctopus.webhook_secret, polls "
            "alone find what changes there."
        )
    if findings.answers:
        yield (
            f"The service answers at {findings.address}. Whether its webhooks can be reached shows from outside alone: "
            "curl -X POST https://YOUR.ADDRESS/webhooks/emailoctopus must answer 401."
        )
    else:
        yield (
            f"No service answers at {findings.address}; sync-daemon run is one. Webhooks, if there are any, are sent "
            "again later."
        )


def _answers(where: HttpSection) -> bool:
    host = _EVERYWHERE.get(where.host, where.host)
    connection = http.client.HTTPConnection(host, where.port, timeout=_ANSWERS_WITHIN_S)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status in (200, 503)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()

"""EmailOctopus's webhooks: arrays of events, buffered and signed (facts: EmailOctopus §15)."""

import hashlib
import hmac
from random import Random
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from sync_daemon.sandbox.emailoctopus.model import Contact, EventKind, Status
from sync_daemon.sandbox.emailoctopus.rendering import contact_json, iso
from sync_daemon.sandbox.emailoctopus.watching import Effect
from sync_daemon.sandbox.emailoctopus.world import EmailOctopusWorld
from sync_daemon.sandbox.webhooks.deliveries import Event, Parcel, Told
from sync_daemon.sandbox.webhooks.settings import EVENTS, WebhookSettings
from sync_daemon.sandbox.webhooks.webhooks import Webhooks

MOST_EVENTS = 1000
_OPT_OUTS: dict[Status, str] = {status: f"contact.{status}" for status in ("unsubscribed", "bounced", "complained")}


class EmailOctopusWebhookSettings(WebhookSettings, kw_only=True, forbid_unknown_fields=True):
    """Events of `buffer_s` seconds are sent together; the vendor takes up to a minute. The two tick-boxes of an
    endpoint leave out what the API or an import caused. The first attempt and nine more are documented.
    """

    buffer_s: Annotated[float, Meta(ge=0, le=60)] = 1.0
    exclude_api: bool = False
    exclude_imports: bool = False


class EmailOctopusWebhooks(Webhooks[EmailOctopusWebhookSettings]):
    """The one endpoint of an account, for all its lists. Ids and the secret are drawn from the seed."""

    def __init__(self, world: EmailOctopusWorld, seed: int) -> None:
        super().__init__(f"{seed} emailoctopus webhooks", EmailOctopusWebhookSettings())
        self._world = world
        self._ids = Random(f"{seed} emailoctopus webhook ids")
        self._secret = hashlib.sha256(f"{seed} emailoctopus webhook secret".encode()).hexdigest()

    @property
    def key(self) -> str:
        """The secret that the dashboard shows."""
        return self._secret

    def watch(self, *, on: bool) -> None:
        """Let the world tell its changes, or not."""
        self._world.watcher = self if on else None

    def created(self, contact: Contact) -> None:
        """A contact is new."""
        self._tell("contact.created", contact)

    def changed(self, contact: Contact, effect: Effect) -> None:
        """Something was written to a contact; what changed nothing isn't told."""
        quirks = self._world.quirks
        opt_out = _OPT_OUTS.get(contact.status) if effect.old_status is not None else None
        if opt_out is not None and quirks.webhook_unsubscribed_by_anyone:
            self._tell(opt_out, contact)
            updated = quirks.webhook_opt_out_updates
        else:
            updated = effect.old_status is not None and (
                quirks.webhook_confirm_updates or (effect.old_status, contact.status) != ("pending", "subscribed")
            )
        if updated or effect.values or (effect.address and quirks.webhook_address_updates):
            self._tell("contact.updated", contact)

    def deleted(self, contact: Contact) -> None:
        """A contact is gone."""
        self._tell("contact.deleted", contact)

    def mailed(self, contact: Contact, kind: EventKind, campaign_id: str, *, hard: bool) -> None:
        """Something happened with a contact's mail; that one was sent isn't told."""
        quirks = self._world.quirks
        if kind == "sent" or (kind == "bounced" and not hard and not quirks.webhook_soft_bounces):
            return
        self._tell(f"contact.{kind}", contact, campaign_id)
        if quirks.webhook_opt_out_updates and hard and kind not in ("opened", "clicked"):
            self._tell("contact.updated", contact)

    def write(self, parcel: Parcel) -> tuple[bytes, dict[str, str]]:
        """Write the array and sign its bytes."""
        body = msgspec.json.encode(parcel.contents)
        return body, {"EmailOctopus-Signature": signature(body, self._secret)}

    def _tell(self, kind: str, contact: Contact, campaign_id: str = "") -> None:
        settings = self.settings
        left_out = {"api": settings.exclude_api, "import": settings.exclude_imports}
        if left_out.get(self._world.cause):
            return
        told = Told(id=str(UUID(int=self._ids.getrandbits(128), version=4)), type=kind, contact_id=contact.id)
        event = Event(told, self._content(told, contact, campaign_id))
        self.tell(event, EVENTS, buffer_s=settings.buffer_s, most=MOST_EVENTS)

    def _content(self, told: Told, contact: Contact, campaign_id: str) -> dict[str, Any]:
        content: dict[str, Any] = {
            "id": told.id,
            "type": told.type,
            "list_id": contact.list_id,
            "contact_id": contact.id,
            "contact_email_address": contact.email_address,
            "occurred_at": iso(self._world.seconds()),
        }
        if campaign_id:
            content["campaign_id"] = campaign_id
        tells_all = told.type in ("contact.created", "contact.updated", "contact.deleted")
        if tells_all and self._world.quirks.webhook_optional_keys:
            shown = contact_json(contact, self._world.lists[contact.list_id], self._world.quirks)
            content |= {"contact_fields": shown["fields"], "contact_tags": shown["tags"]}
            content["contact_status"] = contact.status.upper()
        return content


def signature(body: bytes, secret: str) -> str:
    """Write the header: the HMAC-SHA256 of the raw body."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"

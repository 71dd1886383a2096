"""GHL's webhooks: signed events for an app, and the unsigned webhook of a workflow (facts: GHL §8)."""

from base64 import b64encode
from hashlib import sha256
from random import Random
from typing import Any
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sync_daemon.sandbox.ghl.activity_payloads import activity_payload, activity_type
from sync_daemon.sandbox.ghl.contact import Contact
from sync_daemon.sandbox.ghl.contact_documents import Style
from sync_daemon.sandbox.ghl.moments import iso
from sync_daemon.sandbox.ghl.notes import Note
from sync_daemon.sandbox.ghl.state import Activity
from sync_daemon.sandbox.ghl.webhook_payloads import event_payload, event_types, workflow_payload
from sync_daemon.sandbox.ghl.world import GhlWorld
from sync_daemon.sandbox.webhooks.deliveries import Event, Parcel, Told
from sync_daemon.sandbox.webhooks.settings import EVENTS, WebhookSettings
from sync_daemon.sandbox.webhooks.webhooks import Webhooks

WORKFLOW = "workflow"


class GhlWebhookSettings(WebhookSettings, kw_only=True, forbid_unknown_fields=True):
    """An app's events go to `url`, a workflow that any change of a contact triggers posts to `workflow_url`, with
    `workflow_custom_data` as its author's own keys. Twelve attempts are what was announced for 2026.
    """

    attempts: int = 12
    workflow_url: str = ""
    workflow_custom_data: dict[str, str] = msgspec.field(default_factory=dict)

    def urls(self) -> dict[str, str]:
        """Tell the address of each destination; an empty one gets nothing."""
        return {**super().urls(), WORKFLOW: self.workflow_url}


class GhlWebhooks(Webhooks[GhlWebhookSettings]):
    """The webhooks of one agency, of every location. Ids and the key pair are drawn from the seed."""

    def __init__(self, world: GhlWorld, seed: int) -> None:
        super().__init__(f"{seed} ghl webhooks", GhlWebhookSettings())
        self._world = world
        self._seed = sha256(f"{seed} ghl webhook key".encode()).digest()
        self._ids = Random(f"{seed} ghl webhook ids")
        self._app = {"versionId": f"{self._ids.getrandbits(96):024x}", "appId": f"{self._ids.getrandbits(96):024x}"}
        self._workflow = {"id": self._uuid(), "name": "Tell of every change"}

    @property
    def key(self) -> str:
        """The Ed25519 key as SPKI in base64, as GHL publishes its own."""
        spki = self._private_key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return b64encode(spki).decode()

    def watch(self, *, on: bool) -> None:
        """Let the world tell its changes, or not."""
        self._world.contacts.watcher = self.changed if on else None
        self._world.activity_watcher = self.happened if on else None

    def changed(self, before: Contact | None, after: Contact | None) -> None:
        """Tell what a change raises; None before is a creation, None after a deletion."""
        contact = after or before
        if contact is None:
            return
        location = self._world.locations[contact.location_id]
        style = Style(location, self._world.quirks, v3=False)
        kinds = list(event_types(before, after, style))
        for kind in kinds:
            self._tell_app(kind, contact.id, event_payload(kind, contact, style))
        if kinds and after is not None and self.settings.workflow_url:
            custom = dict(self.settings.workflow_custom_data)
            payload = workflow_payload(after, location, self._workflow, custom, self._world.quirks)
            self.tell(Event(Told(id="", type="", contact_id=contact.id), payload), WORKFLOW)

    def happened(self, before: Activity | None, after: Activity | None) -> None:
        """Tell what a change of a task, note or appointment raises; None before is a creation, None after a deletion.

        What goes with a deleted contact, or to the one it is merged into, raises nothing (assumed).
        """
        record, kind = after or before, activity_type(before, after)
        if record is None or kind is None:
            return
        location = self._world.locations[
            self._world.contacts.get(record.contact_id).location_id if isinstance(record, Note) else record.location_id
        ]
        payload = activity_payload(kind, record, location, self._world.quirks)
        self._tell_app(kind, record.contact_id or "", payload)

    def _tell_app(self, kind: str, contact_id: str, payload: dict[str, Any]) -> None:
        told = Told(id=self._uuid(), type=kind, contact_id=contact_id)
        added = {**self._app, "timestamp": iso(self._world.now()), "webhookId": told.id}
        self.tell(Event(told, {**payload, **added}), EVENTS)

    def write(self, parcel: Parcel) -> tuple[bytes, dict[str, str]]:
        """Write one event and sign its bytes; a workflow signs nothing."""
        (content,) = parcel.contents
        if parcel.delivery.to == WORKFLOW:
            return msgspec.json.encode(content), {"User-Agent": "axios/1.7.7"}
        if self._world.quirks.webhook_timestamp_renewed:
            content = {**content, "timestamp": iso(self._world.now())}
        body = msgspec.json.encode(content)
        return body, self.sign(body)

    def sign(self, body: bytes) -> dict[str, str]:
        """Give the header with the signature of these very bytes."""
        return {"X-GHL-Signature": b64encode(self._private_key().sign(body)).decode()}

    def _private_key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self._seed)

    def _uuid(self) -> str:
        return str(UUID(int=self._ids.getrandbits(128), version=4))

"""Keyed digests: how values are compared without being kept (contract, section 2, "What is stored")."""

import hashlib
import hmac

from sync_daemon.changes.addresses import normalise
from sync_daemon.model.contact import Snapshot, Value
from sync_daemon.model.system import SystemName

_SIZE = 12
_SEPARATOR = "\x1f"
_UNCUT = 200
"""So many characters of a text every system keeps: GHL cuts at 256 (observed), EmailOctopus at 600 or so."""


def canonical(value: Value) -> str:
    """One text for one value: numbers without a needless fraction, choices in order, blank empty."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return "l" + _SEPARATOR.join(sorted(value))
    if isinstance(value, str):
        return "s" + value
    return "n" + str(int(value) if isinstance(value, float) and value.is_integer() else value)


def wrapped(digest: bytes, key: bytes) -> bytes:
    """A digest made under a former secret as it is under the one that took its place: no value is needed for it."""
    return hmac.digest(key, digest, hashlib.sha256)[:_SIZE]


class Digester:
    """Digests under a key derived from the installation's secret; 12 bytes each.

    After a change of the secret a digest is that of the first key, wrapped under each later one: so all that was
    stored can be carried over, and who has but a former secret can't try values on a database of today.
    """

    def __init__(self, key: bytes, *later: bytes) -> None:
        self._key = key
        self._later = later

    def address(self, address: str) -> bytes:
        """The digest of a normalised address: the same for both systems and every contact."""
        return self._digest("address", normalise(address))

    def contact(self, system: SystemName, contact_id: str) -> bytes:
        """The digest of a contact's id, by which somebody who was forgotten is known again."""
        return self._digest("contact", system, contact_id)

    def field(self, system: SystemName, contact_id: str, key: str, value: Value) -> bytes:
        """The digest of one field of one contact: worthless for another contact that has the same value."""
        return self._digest("field", system, contact_id, key, canonical(value))

    def sent_field(self, system: SystemName, contact_id: str, key: str, value: Value) -> bytes:
        """The digest by which a value that was about to be written is known again, though it be trimmed or cut."""
        if isinstance(value, str):
            value = " ".join(value.split())[:_UNCUT].rstrip() or None
        return self.field(system, contact_id, key, value)

    def tag(self, system: SystemName, contact_id: str, name: str) -> bytes:
        """The digest of a tag's name on one contact, whatever its case."""
        return self._digest("tag", system, contact_id, name.strip().lower())

    def snapshot(self, snapshot: Snapshot) -> bytes:
        """The digest of everything a snapshot says but its timestamp, its source and its consent.

        Consent is compared beside it, because a search hit may leave it untold.
        """
        fields = [f"{name}={canonical(snapshot.fields[name])}" for name in sorted(snapshot.fields)]
        tags = sorted(tag.lower() for tag in snapshot.tags)
        return self._digest(
            "snapshot",
            snapshot.system,
            snapshot.contact_id,
            snapshot.address or "",
            snapshot.contact_type or "",
            # Each kind on its own: what leaves one place for another is a change.
            *(_SEPARATOR.join(kind) for kind in (fields, tags, snapshot.additional_addresses)),
        )

    def record(self, reading: bytes, body: bytes) -> bytes:
        """The digest of a record as it came; `reading` is that of all that it depends on what the record says."""
        return self._of(b"\x00".join((b"record", reading, body)))

    def configuration(self, *parts: object) -> bytes:
        """The digest of settings, to notice that they changed."""
        return self._digest("configuration", *(repr(part) for part in parts))

    def _digest(self, *parts: str) -> bytes:
        return self._of("\x00".join(parts).encode(errors="surrogatepass"))

    def _of(self, message: bytes) -> bytes:
        digest = hmac.digest(self._key, message, hashlib.sha256)[:_SIZE]
        for key in self._later:
            digest = wrapped(digest, key)
        return digest

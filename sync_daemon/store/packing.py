"""Baselines and writes under way as compact msgpack: mapping rows by their number, digests as bytes."""

from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from sync_daemon.model.contact import Consent
from sync_daemon.model.sharing import Sharing
from sync_daemon.model.state import Baseline, Sent


class _PackedBaseline(msgspec.Struct, array_like=True, frozen=True):
    fields: dict[int, bytes]
    tags: list[bytes] | None
    consent: Consent | None
    address: bytes | None
    generation: int
    unconfirmed: bool = False


class _PackedSent(msgspec.Struct, array_like=True, frozen=True):
    fields: dict[int, bytes]
    tags: list[bytes]
    consent: Consent | None
    address: bytes | None
    creation: bool
    at: datetime | None = None
    since: datetime | None = None
    deletion: bool = False
    counted: list[str] = []
    namesake: bool = False


class _PackedSharing(msgspec.Struct, array_like=True, frozen=True):
    alone: bool
    lifted: bool
    left: bool
    yielded: list[str]
    given: list[bytes]


_encode = msgspec.msgpack.Encoder().encode
_decode_baseline = msgspec.msgpack.Decoder(_PackedBaseline).decode
_decode_sent = msgspec.msgpack.Decoder(_PackedSent).decode
_decode_sharing = msgspec.msgpack.Decoder(_PackedSharing).decode
_decode_digests = msgspec.msgpack.Decoder(dict[str, bytes]).decode


def pack_baseline(baseline: Baseline | None, numbers: Mapping[str, int]) -> bytes | None:
    """A baseline as it is stored; `numbers` has the number of each mapping row's key."""
    if baseline is None:
        return None
    fields = {numbers[key]: digest for key, digest in baseline.fields.items()}
    tags = None if baseline.tags is None else sorted(baseline.tags)
    return _encode(
        _PackedBaseline(fields, tags, baseline.consent, baseline.address, baseline.generation, baseline.unconfirmed)
    )


def unpack_baseline(packed: bytes | None, key_of: Callable[[int], str]) -> Baseline | None:
    """The inverse of `pack_baseline`; `key_of` tells the key behind a number."""
    if packed is None:
        return None
    stored = _decode_baseline(packed)
    return Baseline(
        fields={key_of(number): digest for number, digest in stored.fields.items()},
        tags=None if stored.tags is None else frozenset(stored.tags),
        consent=stored.consent,
        address=stored.address,
        generation=stored.generation,
        unconfirmed=stored.unconfirmed,
    )


def pack_sent(sent: Sent | None, numbers: Mapping[str, int]) -> bytes | None:
    """A write under way as it is stored."""
    if sent is None:
        return None
    fields = {numbers[key]: digest for key, digest in sent.fields.items()}
    return _encode(
        _PackedSent(
            fields,
            sorted(sent.tags),
            sent.consent,
            sent.address,
            sent.creation,
            sent.at,
            sent.since,
            sent.deletion,
            sorted(sent.counted),
            sent.namesake,
        )
    )


def unpack_sent(packed: bytes | None, key_of: Callable[[int], str]) -> Sent | None:
    """The inverse of `pack_sent`."""
    if packed is None:
        return None
    stored = _decode_sent(packed)
    return Sent(
        fields={key_of(number): digest for number, digest in stored.fields.items()},
        tags=frozenset(stored.tags),
        consent=stored.consent,
        address=stored.address,
        creation=stored.creation,
        deletion=stored.deletion,
        counted=frozenset(stored.counted),
        at=stored.at,
        since=stored.since,
        namesake=stored.namesake,
    )


def pack_sharing(sharing: Sharing) -> bytes:
    """What a link remembers for the sake of other pairs, as it is stored."""
    yielded, given = sorted(sharing.yielded), sorted(sharing.given)
    return _encode(_PackedSharing(sharing.alone, sharing.lifted, sharing.left, yielded, given))


def unpack_sharing(packed: bytes) -> Sharing:
    """The inverse of `pack_sharing`."""
    stored = _decode_sharing(packed)
    return Sharing(stored.alone, stored.lifted, stored.left, frozenset(stored.yielded), frozenset(stored.given))


def rewrap_sharing(packed: bytes, wrap: Callable[[bytes], bytes]) -> bytes:
    """A link's packed memory of other pairs with each of its digests wrapped."""
    stored = _decode_sharing(packed)
    return _encode(msgspec.structs.replace(stored, given=sorted(map(wrap, stored.given))))


def pack_digests(digests: Mapping[str, bytes]) -> bytes:
    """Digests by name as they are stored."""
    return _encode(dict(digests))


def unpack_digests(packed: bytes) -> dict[str, bytes]:
    """The inverse of `pack_digests`."""
    return _decode_digests(packed)


def rewrap_digests(packed: bytes, wrap: Callable[[bytes], bytes]) -> bytes:
    """Packed digests with each of them wrapped."""
    return _encode({name: wrap(digest) for name, digest in _decode_digests(packed).items()})


def rewrap_baseline(packed: bytes, wrap: Callable[[bytes], bytes]) -> bytes:
    """A packed baseline with each of its digests wrapped."""
    stored = _decode_baseline(packed)
    return _encode(
        msgspec.structs.replace(
            stored,
            fields={number: wrap(digest) for number, digest in stored.fields.items()},
            tags=None if stored.tags is None else sorted(map(wrap, stored.tags)),
            address=None if stored.address is None else wrap(stored.address),
        )
    )


def rewrap_sent(packed: bytes, wrap: Callable[[bytes], bytes]) -> bytes:
    """A packed write under way with each of its digests wrapped."""
    stored = _decode_sent(packed)
    return _encode(
        msgspec.structs.replace(
            stored,
            fields={number: wrap(digest) for number, digest in stored.fields.items()},
            tags=sorted(map(wrap, stored.tags)),
            address=None if stored.address is None else wrap(stored.address),
        )
    )

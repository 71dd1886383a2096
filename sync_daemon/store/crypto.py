"""Keys derived from the installation's `secret_key`: values at rest, digests, and the check of the key itself."""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sync_daemon.model.errors import ConfigurationError, StateStoreError

MINIMUM_LENGTH = 32
_KEY_SIZE = 32
_CHECK_SIZE = 16
_FERNET_KEY_SIZE = 32


def checked(secret: str, setting: str = "secret_key") -> str:
    """The secret itself; `ConfigurationError` when it is too short to keep anything secret."""
    if len(secret) < MINIMUM_LENGTH:
        raise ConfigurationError(
            f"{setting} must be at least {MINIMUM_LENGTH} characters long and has {len(secret)}: "
            "make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
    return secret


@dataclass(frozen=True, slots=True, repr=False)
class DerivedKeys:
    """What one secret gives by HKDF: each purpose a key of its own. `check` may be stored in the clear."""

    values: bytes
    digests: bytes
    tag_names: bytes
    check: bytes


def derive(secret: str) -> DerivedKeys:
    """The keys of one secret."""

    def key(purpose: str, size: int) -> bytes:
        return HKDF(SHA256(), size, salt=None, info=f"sync-daemon {purpose}".encode()).derive(secret.encode())

    return DerivedKeys(
        values=key("values at rest", _FERNET_KEY_SIZE),
        digests=key("digests", _KEY_SIZE),
        tag_names=key("tag names", _KEY_SIZE),
        check=key("check", _CHECK_SIZE),
    )


class Secrets:
    """The installation's secrets, the current one first: it encrypts, all of them decrypt."""

    def __init__(self, secret_key: str, previous_secret_keys: Sequence[str] = ()) -> None:
        checked(secret_key)
        for secret in previous_secret_keys:
            checked(secret, "each of previous_secret_keys")
        self._keys = [derive(secret) for secret in (secret_key, *previous_secret_keys)]

    @property
    def check(self) -> bytes:
        """The current secret's check value, which a new store writes down."""
        return self.current.check

    @property
    def current(self) -> DerivedKeys:
        """The current secret's keys."""
        return self._keys[0]

    def behind(self, check: bytes) -> DerivedKeys | None:
        """The keys that a store with this check value was made with, None when none of the secrets is behind it."""
        return next((keys for keys in self._keys if keys.check == check), None)

    def encrypt(self, plain: bytes) -> bytes:
        """A value as it may rest in the database."""
        return self._cipher.encrypt(plain)

    def decrypt(self, token: bytes) -> bytes:
        """What `encrypt` was given; `StateStoreError` when none of the secrets fits."""
        try:
            return self._cipher.decrypt(token)
        except InvalidToken as error:
            raise StateStoreError(
                "a stored value can't be decrypted with secret_key: add the secret it was stored with to "
                "previous_secret_keys"
            ) from error

    @cached_property
    def _cipher(self) -> MultiFernet:
        return MultiFernet([Fernet(urlsafe_b64encode(keys.values)) for keys in self._keys])


def split_keys(keys: bytes) -> tuple[bytes, ...]:
    """Digest keys that were stored one after the other."""
    return tuple(keys[start : start + _KEY_SIZE] for start in range(0, len(keys), _KEY_SIZE))

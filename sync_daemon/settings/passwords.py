"""Passwords of the dashboard's users, as the configuration holds them: salted and hashed with scrypt."""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from typing import NamedTuple, Self

_SCHEME = "scrypt"
_FORM = "expected a hash as `sync-daemon password` prints it, scrypt:14:8:5:…"
_ADVISED = 14, 8, 5
_SALT_SIZE, _DIGEST_SIZE = 16, 32
_MEMORY = 1 << 28
"""What one check may take at most, in bytes; the parameters below take a sixteenth of it."""


class Hash(NamedTuple):
    """One hashed password: scrypt's cost as a power of two, its block size and parallelism, salt and digest."""

    cost: int
    block: int
    lanes: int
    salt: bytes
    digest: bytes

    @classmethod
    def of(cls, password: str) -> Self:
        """Hash a password with a new salt, as expensively as is advised today: some 16 MiB and a tenth of a second."""
        made = cls(*_ADVISED, secrets.token_bytes(_SALT_SIZE), b"")
        return made._replace(digest=made._digest(password))

    @classmethod
    def of_nobody(cls) -> Self:
        """One that no password fits, and that is as expensive to try as any other."""
        return cls(*_ADVISED, secrets.token_bytes(_SALT_SIZE), secrets.token_bytes(_DIGEST_SIZE))

    @classmethod
    def parse(cls, text: str) -> Self:
        """What `str` gives. Raises `ValueError` for anything else."""
        try:
            scheme, cost, block, lanes, salt, digest = text.split(":")
            read = cls(int(cost), int(block), int(lanes), _decoded(salt), _decoded(digest))
        except (ValueError, NotBase64):
            raise ValueError(_FORM) from None
        affordable = 10 <= read.cost <= 20 and 1 <= read.block <= 32 and 1 <= read.lanes <= 16
        if scheme != _SCHEME or not affordable or len(read.salt) < _SALT_SIZE or len(read.digest) != _DIGEST_SIZE:
            raise ValueError(_FORM)
        return read

    def __str__(self) -> str:
        return ":".join((_SCHEME, *map(str, self[:3]), _encoded(self.salt), _encoded(self.digest)))

    def fits(self, password: str) -> bool:
        """Whether it is that of a password; takes the same time whatever the answer."""
        return hmac.compare_digest(self._digest(password), self.digest)

    def _digest(self, password: str) -> bytes:
        return hashlib.scrypt(
            password.encode(),
            salt=self.salt,
            n=1 << self.cost,
            r=self.block,
            p=self.lanes,
            maxmem=_MEMORY,
            dklen=_DIGEST_SIZE,
        )


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))

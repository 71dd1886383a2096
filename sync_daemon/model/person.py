"""One person, as far as the state store has rows of him: by ids and digests of addresses."""

from dataclasses import dataclass

from sync_daemon.model.system import SystemName


@dataclass(frozen=True, slots=True)
class Person:
    """The contacts of both systems that are, or may become, one person's; and the digests of their addresses."""

    ghl: frozenset[str] = frozenset()
    emailoctopus: frozenset[str] = frozenset()
    addresses: frozenset[bytes] = frozenset()

    def ids(self, system: SystemName) -> frozenset[str]:
        """The ids in one system."""
        return self.ghl if system is SystemName.GHL else self.emailoctopus

    def __bool__(self) -> bool:
        """Whether there is anybody."""
        return bool(self.ghl or self.emailoctopus or self.addresses)

    def __or__(self, other: "Person") -> "Person":
        return Person(self.ghl | other.ghl, self.emailoctopus | other.emailoctopus, self.addresses | other.addresses)


NOBODY = Person()

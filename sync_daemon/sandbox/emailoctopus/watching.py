"""What somebody who watches an account is told of its contacts."""

from typing import Literal, NamedTuple, Protocol

from sync_daemon.sandbox.emailoctopus.model import Contact, EventKind, Status

Cause = Literal["outside", "api", "import"]
"""Who acts: people, subscribers and mail servers; a client of the API; a CSV file."""


class Effect(NamedTuple):
    """What a change did. `values` are fields and tags; `old_status` is None where the status stayed."""

    values: bool
    address: bool
    old_status: Status | None


class Watcher(Protocol):
    """Is told of a contact once it is as it is now."""

    def created(self, contact: Contact) -> None:
        """It is new."""
        ...

    def changed(self, contact: Contact, effect: Effect) -> None:
        """Something was written to it, perhaps only what was there."""
        ...

    def deleted(self, contact: Contact) -> None:
        """It is gone."""
        ...

    def mailed(self, contact: Contact, kind: EventKind, campaign_id: str, *, hard: bool) -> None:
        """Something happened with its mail, of a campaign if one is named."""
        ...

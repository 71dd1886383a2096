"""What the other pairs of a location or list know of the person of a case; values, read from the state store."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sync_daemon.changes.digests import Digester
from sync_daemon.model.contact import Consent, Value
from sync_daemon.model.policy import FieldRule
from sync_daemon.model.sharing import UnsubscribeMeans
from sync_daemon.model.state import Baseline, Cause, KnownContact, Link, Sent, Unlinked
from sync_daemon.model.system import SystemName

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
_NOT_THERE = {
    Unlinked.DELETED,
    Unlinked.ORPHAN,
    Unlinked.KEPT,
    Unlinked.OUT_OF_SCOPE,
    Unlinked.DROPPED,
    Unlinked.DISCARDED,
}
"""Why a list's contact without a link is none that the pair has anything to do with."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another pair of the same location or of the same list, as the file has it.

    `earlier` says that it stands before this one in the file; `rows` are the rows of its mapping.
    """

    name: str
    earlier: bool = False
    rows: tuple[FieldRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Other:
    """What another pair knows of the person: its link with both contacts, as far as it has one.

    `holders` are contacts without a link that have the address in the system that the pairs don't share; `remembered`
    is the cause of the address's revocation there. `loaded` says that the pair has read both its sides once. `wrote`
    are digests of the values and tags that it gave the EmailOctopus contact, or is giving it now.
    """

    neighbour: Neighbour
    link: Link | None = None
    ghl: KnownContact | None = None
    emailoctopus: KnownContact | None = None
    holders: tuple[KnownContact, ...] = ()
    remembered: Cause | None = None
    loaded: bool = True
    wrote: frozenset[bytes] = frozenset()

    @property
    def takes_part(self) -> bool:
        """Whether its location has the person, in scope."""
        return self.link is not None and self.link.in_scope

    @property
    def subscribed(self) -> bool:
        """Whether its list has the person and may mail him; a pair that wasn't read yet may be one of those."""
        if not self.loaded:
            return True
        if self.link is not None:
            return self.takes_part and self.emailoctopus is not None and _mailable(self.emailoctopus)
        return any(one.unlinked not in _NOT_THERE and _mailable(one) for one in self.holders)

    @property
    def blocked(self) -> bool:
        """Whether its location blocks the person."""
        return self.ghl is not None and self.link is not None and self.ghl.consent is Consent.REVOKED

    @property
    def blocks_by_program(self) -> bool:
        """Whether the block in the location that both pairs have is this program's, or is being set by it."""
        if self.link is None or self.ghl is None:
            return False
        return self.link.dnd_by_us or (self.ghl.sent or Sent()).consent is Consent.REVOKED

    @property
    def lifted(self) -> bool:
        """Whether this program lifted the block, or is doing so, as the person subscribed to that list again."""
        if self.link is None or self.ghl is None:
            return False
        return self.link.sharing.lifted or (self.ghl.sent or Sent()).consent is Consent.GRANTED

    @property
    def revoked_by_policy(self) -> bool:
        """Whether it is a policy of that pair, and no person, that revoked the contact that both pairs have."""
        if self.remembered is not None:
            return self.remembered is Cause.POLICY
        if self.link is not None and self.link.cause is not None:
            return self.link.cause is Cause.POLICY
        sent = (self.emailoctopus.sent or Sent()) if self.emailoctopus is not None else Sent()
        return sent.consent is Consent.REVOKED and bool(sent.counted)

    def gives(self, emailoctopus_field: str, digester: Digester) -> bool:
        """Whether its location has a value for a field of the list, and the mapping lets it travel there."""
        if not self.takes_part or self.ghl is None:
            return False
        agreed = (self.ghl.baseline or Baseline()).fields
        return any(
            digest is not None and digest != digester.field(GHL, self.ghl.contact_id, rule.key, None)
            for rule in self.neighbour.rows
            if rule.emailoctopus == emailoctopus_field and rule.direction.leader is not EMAILOCTOPUS
            for digest in (agreed.get(rule.key),)
        )

    def gave(self, emailoctopus_field: str, emailoctopus_id: str, value: Value, digester: Digester) -> bool:
        """Whether a value of the list's contact is one that its location gave."""
        keys = [rule.key for rule in self.neighbour.rows if rule.emailoctopus == emailoctopus_field]
        return any(
            of(EMAILOCTOPUS, emailoctopus_id, key, value) in self.wrote
            for key in keys
            for of in (digester.field, digester.sent_field)
        )

    def has_tag(self, names: Iterable[str], digester: Digester) -> bool:
        """Whether its location's contact has a tag, by any of some names, as it was last agreed."""
        if not self.takes_part or self.ghl is None or self.ghl.baseline is None:
            return False
        there, ghl_id = self.ghl.baseline.tags or frozenset(), self.ghl.contact_id
        return any(digester.tag(GHL, ghl_id, name) in there for name in names)

    def gave_tag(self, names: Iterable[str], emailoctopus_id: str, digester: Digester) -> bool:
        """Whether a tag of the list's contact is one that its location gave."""
        return any(digester.tag(EMAILOCTOPUS, emailoctopus_id, name) in self.wrote for name in names)


@dataclass(frozen=True, slots=True)
class Others:
    """The other pairs of a case's location, each with another list, and of its list, each with another location."""

    lists: tuple[Other, ...] = ()
    locations: tuple[Other, ...] = ()
    unsubscribe_means: UnsubscribeMeans = UnsubscribeMeans.THIS_LIST

    @property
    def subscribed_elsewhere(self) -> str | None:
        """The pair on whose list the person is subscribed still, so that this list's revocation is of it alone."""
        if self.unsubscribe_means is UnsubscribeMeans.EVERYTHING:
            return None
        return next((one.neighbour.name for one in self.lists if one.subscribed), None)

    @property
    def at_another_location(self) -> str | None:
        """The pair whose location has the person, in scope: no policy takes him from the list."""
        return next((one.neighbour.name for one in self.locations if one.takes_part), None)

    @property
    def blocked_elsewhere(self) -> str | None:
        """The pair whose location blocks the person."""
        return next((one.neighbour.name for one in self.locations if one.blocked), None)

    @property
    def revoked_elsewhere(self) -> bool:
        """Whether a person revoked the address on this list by another location, as that pair remembers."""
        return any(one.remembered is not None and one.remembered.by_person for one in self.locations)

    def with_former(self, former: "Others") -> "Others":
        """The same, with what was known to be given when others were asked before: a contact was read in between."""
        before = {one.neighbour.name: one.wrote for one in former.locations}
        locations = tuple(_with_wrote(one, before.get(one.neighbour.name, frozenset())) for one in self.locations)
        return replace(self, locations=locations)


NOBODY_ELSE = Others()


def wrote(link: Link | None, emailoctopus: KnownContact | None) -> frozenset[bytes]:
    """The digests of what a pair gave the EmailOctopus contact of its link, or is about to give it."""
    sent = (emailoctopus.sent or Sent()) if emailoctopus is not None else Sent()
    given = link.sharing.given if link is not None else frozenset[bytes]()
    return given | sent.tags | frozenset(sent.fields.values())


def _with_wrote(one: Other, more: frozenset[bytes]) -> Other:
    return replace(one, wrote=one.wrote | more)


def _mailable(contact: KnownContact) -> bool:
    return contact.consent is not Consent.REVOKED

"""What entitles this program to let somebody be mailed: evidence that can't be made without what it rests on.

Consent is a ratchet (contract, section 4). Revoking needs nothing; whatever widens consent is expressed by one of the
three types below and by nothing else, and none of them can be made unless its conditions hold:

    OptedInAgain   the person subscribed again in EmailOctopus  ->  GHL's e-mail DND may be lifted
    LiftedInGhl    somebody lifted the DND in GHL, and `resubscribe` says what follows  ->  a status may be set
    NotRevoked     nobody with the address is revoked  ->  an EmailOctopus contact may be created with a status
"""

from dataclasses import dataclass
from typing import Literal

from sync_daemon.model.contact import Consent, Snapshot, Source
from sync_daemon.model.policy import Resubscribe
from sync_daemon.model.state import Cause
from sync_daemon.model.system import SystemName

ContactKey = tuple[SystemName, str]
Mailable = Literal[Consent.GRANTED, Consent.PENDING]
"""What may be said of somebody who may be mailed, now or once he confirms."""


class WithoutEvidence(ValueError):
    """Somebody would have been subscribed, or a block lifted, without a right to it: a fault of this program.

    Nothing was sent.
    """


@dataclass(frozen=True, slots=True)
class ConsentHistory:
    """What is remembered of an address: who revoked, and whether the DND in GHL is this program's own."""

    cause: Cause | None = None
    dnd_by_us: bool = False
    held: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OptedInAgain:
    """The person subscribed again in EmailOctopus, and the block in GHL is this program's own and can be lifted."""

    ghl: Snapshot
    emailoctopus: Snapshot
    history: ConsentHistory

    def __post_init__(self) -> None:
        _demand(_is_read(self.ghl, SystemName.GHL), "the GHL contact wasn't read by id")
        _demand(_is_read(self.emailoctopus, SystemName.EMAILOCTOPUS), "the EmailOctopus contact wasn't read by id")
        _demand(self.emailoctopus.consent is Consent.GRANTED, "EmailOctopus doesn't show the address subscribed")
        _demand(self.ghl.consent is Consent.REVOKED, "GHL doesn't block the address")
        _demand(not self.ghl.permanent, "the block in GHL is permanent")
        _demand(self.history.dnd_by_us, "the block in GHL wasn't set by this program")

    @property
    def consent(self) -> Consent:
        """What GHL says afterwards."""
        return Consent.GRANTED

    @property
    def read(self) -> frozenset[ContactKey]:
        """The contacts that must have been read in this cycle."""
        return _keys(self.ghl, self.emailoctopus)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftedInGhl:
    """Somebody lifted GHL's block while EmailOctopus is unsubscribed, and the pair's policy lets that count.

    `agreed` is what GHL said when the two last agreed. Two that meet have no such past: then the revocation in
    EmailOctopus must be a policy's. Of somebody `unconfirmed`, who was asked to confirm and never did, no policy makes
    more than one who is asked again.
    """

    ghl: Snapshot
    emailoctopus: Snapshot
    agreed: Consent | None
    history: ConsentHistory
    resubscribe: Resubscribe
    double_opt_in: bool
    unconfirmed: bool = False

    def __post_init__(self) -> None:
        _demand(_is_read(self.ghl, SystemName.GHL), "the GHL contact wasn't read by id")
        _demand(_is_read(self.emailoctopus, SystemName.EMAILOCTOPUS), "the EmailOctopus contact wasn't read by id")
        _demand(self.ghl.consent is not Consent.REVOKED, "GHL blocks the address")
        _demand(self.emailoctopus.consent is Consent.REVOKED, "EmailOctopus doesn't show the address unsubscribed")
        lifted = self.agreed is Consent.REVOKED
        _demand(lifted or self.history.cause is Cause.POLICY, "GHL hadn't blocked the address")
        _demand(self.resubscribe is not Resubscribe.NEVER, "`resubscribe` is never")
        asks = self.resubscribe is Resubscribe.PENDING
        _demand(self.double_opt_in or not asks, "`resubscribe` is pending, and the list has no double opt-in")
        _demand(self.double_opt_in or not self.unconfirmed, "the person never confirmed, and the list doesn't ask")

    @property
    def consent(self) -> Consent:
        """What EmailOctopus says afterwards."""
        allowed = self.resubscribe is Resubscribe.ALLOW and not self.unconfirmed
        return Consent.GRANTED if allowed else Consent.PENDING

    @property
    def read(self) -> frozenset[ContactKey]:
        """The contacts that must have been read in this cycle."""
        return _keys(self.ghl, self.emailoctopus)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRevoked:
    """Nobody with the address is revoked: `ghl`, who is to be created in EmailOctopus, nor the `others` who have it.

    `remembered` is who revoked the address once. What a person revoked in GHL ends when the block is `lifted` there,
    what a policy revoked as `resubscribe` says.
    """

    consent: Mailable
    ghl: Snapshot
    others: tuple[Consent, ...] = ()
    remembered: Cause | None = None
    lifted: Snapshot | None = None
    resubscribe: Resubscribe = Resubscribe.NEVER
    double_opt_in: bool = False

    def __post_init__(self) -> None:
        _demand(self.consent in (Consent.GRANTED, Consent.PENDING), "that is no status of somebody who may be mailed")
        _demand(Consent.REVOKED not in (self.ghl.consent, *self.others), "GHL blocks the address")
        if self.remembered is Cause.POLICY:
            asks = self.resubscribe is Resubscribe.PENDING and self.double_opt_in and self.consent is Consent.PENDING
            _demand(self.resubscribe is Resubscribe.ALLOW or asks, "a policy unsubscribed the address")
        if self.remembered is None or not self.remembered.by_person:
            return
        _demand(self.remembered is Cause.PERSON_GHL, "the person unsubscribed in EmailOctopus")
        freed = self.lifted is not None and _is_read(self.lifted, SystemName.GHL)
        _demand(freed, "the address was blocked in GHL, and no read by id shows that lifted")

    @property
    def read(self) -> frozenset[ContactKey]:
        """The contacts that must have been read in this cycle."""
        return _keys(self.lifted) if self.lifted is not None else frozenset()


Grant = OptedInAgain | LiftedInGhl | NotRevoked
"""Whatever entitles to a wider consent."""


def _demand(holds: bool, otherwise: str) -> None:  # noqa: FBT001  # a condition
    if not holds:
        raise WithoutEvidence(f"No right to widen consent: {otherwise}.")


def _is_read(snapshot: Snapshot, system: SystemName) -> bool:
    return snapshot.system is system and snapshot.source is Source.READ


def _keys(*snapshots: Snapshot) -> frozenset[ContactKey]:
    return frozenset((one.system, one.contact_id) for one in snapshots)

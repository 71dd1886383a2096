"""The consent that one contact shows."""

from sync_daemon.changes.cases import CaseSide
from sync_daemon.model.contact import Consent


def consent_now(side: CaseSide) -> Consent:
    """What a contact says now: as read; unread as last agreed, unless it was seen revoked since.

    An untold consent in a search hit is none revoked.
    """
    if side.snapshot is not None:
        return side.snapshot.consent or Consent.GRANTED
    if side.known.consent is Consent.REVOKED:
        return Consent.REVOKED
    agreed = side.known.baseline.consent if side.known.baseline else None
    return agreed or side.known.consent or Consent.GRANTED


def newly_revoked(side: CaseSide) -> bool:
    """Whether a contact became revoked since its consent was last agreed."""
    agreed = side.known.baseline.consent if side.known.baseline else None
    return consent_now(side) is Consent.REVOKED and agreed is not Consent.REVOKED

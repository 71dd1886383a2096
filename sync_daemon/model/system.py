"""The two systems of a pair, by name."""

from enum import StrEnum


class SystemName(StrEnum):
    """Which of the two systems something belongs to."""

    GHL = "ghl"
    EMAILOCTOPUS = "emailoctopus"

    @property
    def label(self) -> str:
        """The vendor's name, for sentences."""
        return "GoHighLevel" if self is SystemName.GHL else "EmailOctopus"

    @property
    def other(self) -> "SystemName":
        """The system at the other end of the pair."""
        return SystemName.EMAILOCTOPUS if self is SystemName.GHL else SystemName.GHL

"""What somebody is alerted to: conditions of a pair that begin, last and are over."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Condition(StrEnum):
    """What can be wrong with a pair, as the state store, metrics and alerts name it."""

    CREDENTIALS = "credentials"
    """A system refuses the credentials, a scope, or the location or list they ask for."""
    DOWN = "down"
    """A system can't be reached for long."""
    SILENT = "silent"
    """Nothing was read, or proven fresh, for longer than `alerts.silent_after`."""
    HELD = "held"
    """Changes wait for a person's word."""
    PLAN_LIMIT = "plan_limit"
    """EmailOctopus's plan has no room: nobody is created there."""
    PARKED = "parked"
    """More contacts are parked than `alerts.parked_above`."""
    SHORT_READ = "short_read"
    """A full scan came back short, or not to its end: nothing is taken for deleted."""
    CONSENT_MISSED = "consent_missed"
    """A full scan found changes of consent that polls had not told."""
    FIELD_GONE = "field_gone"
    """A mapped field is gone from its system: suspended."""
    CONFIGURATION = "configuration"
    """The pair can't run as it is configured."""
    FAILING = "failing"
    """Something failed that nobody foresaw."""
    QUOTA = "quota"
    """A daily quota is used up."""
    DATABASE = "database"
    """The state store's database is away."""


@dataclass(frozen=True, slots=True)
class Noticed:
    """What one look at a pair told: what is `so`, with a sentence that names systems, fields and counts, no person.

    Of `judged` the look could tell whether it is so: what isn't among `so` is not, or no more. About all others it
    says nothing. `since` is when what is so began, where the look knows; otherwise that is when it was noticed.
    """

    so: Mapping[Condition, str] = field(default_factory=dict)
    judged: frozenset[Condition] = frozenset()
    since: datetime | None = None

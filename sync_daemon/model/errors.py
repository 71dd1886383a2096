"""What can go wrong, by what the caller does next.

SyncError
├── ConfigurationError      refuse to start: a person must change something (exit 2)
│   └── StateStoreError     the database can't be opened, is newer, or was made for something else
│       └── StateStoreAway  its server is away or broke the connection: another try may be all it takes (exit 7)
├── PairBusy                another process holds the pair; leave (exit 6)
│   └── PairPaused          a person said that nothing of the pair is to be read or written (exit 6)
├── StopSystem              stop asking this system in this cycle; what is staged stays staged
│   ├── Stopped             this process was told to stop: the record in hand is finished (exit 0)
│   ├── CredentialsRefused  401/403 (exit 4)
│   ├── Unreachable         time-outs, connection loss, 5xx, beyond the patience for them (exit 7)
│   └── QuotaExhausted      a daily quota is used up, or only the reserve for revocations is left (exit 3)
├── ToldToStop              a wait ended early, because this process was told to stop
├── AnswerLost              a request that must not be repeated blindly may have been applied: look, then decide
├── NotShown                activity can't be read or shown; contacts are reconciled all the same (exit 3)
├── IncompleteRead          a listing broke off, repeated a cursor or came back short: proves nothing (exit 3)
└── Refused                 the API refused one request: park what it was about
    ├── NotFound            the record named in the path doesn't exist
    ├── AlreadyExists       creating (or moving an address) met another record
    ├── PlanLimitReached    creation stops for this run, everything else goes on
    └── BatchRefused        a batch was refused as a whole: send it again in parts
"""

from datetime import datetime

from sync_daemon.model.system import SystemName


class SyncError(Exception):
    """Anything this program raises on purpose; its text is for the person who runs it."""

    @property
    def shown(self) -> str:
        """The text as it may be shown where anybody may read it: no value, no credential."""
        return str(self)


class ConfigurationError(SyncError):
    """Something a person must change before anything can run."""


class StateStoreError(ConfigurationError):
    """The state store can't be used as it is."""


class StateStoreAway(StateStoreError):
    """The database's server can't be reached, or broke the connection: what was to be stored isn't, the rest is."""


class PairBusy(SyncError):
    """Another process holds the pair's lease."""


class PairPaused(PairBusy):
    """A person paused the pair."""

    def __init__(self, pair: str, since: datetime) -> None:
        super().__init__(
            f"paused since {since:%Y-%m-%d %H:%M} UTC: nothing was read or written; "
            f"`sync-daemon resume --pair {pair}` lets it go on"
        )


class StopSystem(SyncError):
    """Nothing more can be asked of one system in this cycle."""

    def __init__(self, system: SystemName, message: str) -> None:
        super().__init__(message)
        self.system = system


STOPPED = "stopped as told: what was done is stored, the next run goes on from there"


class Stopped(StopSystem):
    """This process was told to stop: nothing more is begun with either system."""

    def __init__(self, system: SystemName) -> None:
        super().__init__(system, STOPPED)


class ToldToStop(SyncError):
    """A wait ended early, because this process was told to stop."""


class CredentialsRefused(StopSystem):
    """The system refused the credentials, a scope, or the location or list they ask for."""


class Unreachable(StopSystem):
    """The system can't be reached, or fails at everything; `maybe_applied`: the last request may have got there."""

    def __init__(self, system: SystemName, message: str, *, maybe_applied: bool = True) -> None:
        super().__init__(system, message)
        self.maybe_applied = maybe_applied


class QuotaExhausted(StopSystem):
    """A daily quota is used up; `reset_in` is the seconds until it returns, if known."""

    def __init__(self, system: SystemName, message: str, reset_in: float | None = None) -> None:
        super().__init__(system, message)
        self.reset_in = reset_in


ANSWER_LOST = "answer_lost"
"""The code of a refusal that is none: nobody knows what became of the request."""


SERVER_ERROR = "server_error"
"""The code of a request at which the system fails again and again, though it answers others."""


class AnswerLost(SyncError):
    """A request that must not be repeated blindly got no usable answer: it may have been applied or not."""


class NotShown(SyncError):
    """Activity can't be read or shown as it is configured: a person must change something."""


class IncompleteRead(SyncError):
    """A listing ended in a way that proves nothing about what it lacks."""


class Refused(SyncError):
    """One request was refused for a reason that sending it again at once can't heal.

    `code` is a stable word for logs and the store; `message` is the API's own text, which can hold a
    person's data and is therefore stored encrypted and never logged; `fields` are the configuration
    names of the fields it points at; `other_id` is the id of a record that stands in the way.
    """

    def __init__(self, code: str, message: str, *, fields: tuple[str, ...] = (), other_id: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fields = fields
        self.other_id = other_id

    @property
    def shown(self) -> str:
        """The code alone: an API's words may repeat what was sent. That a system fails is told in our own words."""
        return self.message if self.code == SERVER_ERROR else f"a request was refused ({self.code})"


class NotFound(Refused):
    """The record doesn't exist."""


class AlreadyExists(Refused):
    """Another record has that address or phone; `fields` says which ("address" or "phone")."""


class PlanLimitReached(Refused):
    """The account's plan has no room for another contact or field (EmailOctopus `out-of-limits`)."""


class BatchRefused(Refused):
    """A batch was refused as a whole; `index` is the item it points at, if it does."""

    def __init__(self, code: str, message: str, index: int | None = None) -> None:
        super().__init__(code, message)
        self.index = index

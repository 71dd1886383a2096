"""What a cycle has read, planned and sent so far, for whoever looks on."""

from collections import Counter

from sync_daemon.model.system import SystemName
from sync_daemon.ports import SecondsFor


def _of_none() -> Counter[SystemName]:
    """Both systems are there from the first, so that another thread may walk through it at any time."""
    return Counter(dict.fromkeys(SystemName, 0))


class Tally:
    """What was read, planned and sent so far."""

    def __init__(self) -> None:
        self.begin("", lambda _system, _requests: 0.0)

    def begin(self, pair: str, seconds_for: SecondsFor) -> None:
        """Start over with another pair."""
        self.pair = pair
        self._seconds_for = seconds_for
        self.read = _of_none()
        self.pages = _of_none()
        self.records = 0
        self.to_send = _of_none()
        self.ahead = _of_none()
        self.answered = _of_none()
        self.written = _of_none()

    def pages_read(self, system: SystemName, records: int) -> None:
        """A page came in."""
        self.read[system] += records
        self.pages[system] += 1

    def records_planned(self, records: int) -> None:
        """So many more records are to be written."""
        self.records += records

    def planned(self, system: SystemName, requests: int) -> None:
        """So many more requests are to be sent."""
        self.to_send[system] += requests

    def foreseen(self, system: SystemName, requests: int) -> None:
        """So many requests are likely to follow those planned; the newest estimate counts."""
        self.ahead[system] = requests

    def sent(self, system: SystemName, requests: int) -> None:
        """So many requests were answered."""
        self.answered[system] += requests

    def writes_done(self, system: SystemName, writes: int) -> None:
        """So many more writes were taken by the system."""
        self.written[system] += writes

    @property
    def expected(self) -> Counter[SystemName]:
        """The requests of the whole cycle as far as can be told: planned ones, and those likely to follow."""
        return self.to_send + self.ahead

    @property
    def seconds_left(self) -> float:
        """The least time that what is still to be sent takes; both systems are written at the same time."""
        open_requests = self.expected - self.answered
        return max((self._seconds_for(system, count) for system, count in open_requests.items()), default=0.0)

"""What a cycle tells of its progress: pages, records, writes, and all the requests that are still to come."""

from dataclasses import replace
from datetime import timedelta

from sync_daemon.cycle import Timing
from sync_daemon.model.system import SystemName
from sync_daemon.sandbox.weather import Fault
from sync_daemon.wiring.tally import Tally
from tests.worlds import EMAILOCTOPUS, GHL, world


class FirstLook(Tally):
    """A tally that keeps how many requests were expected when the first write was answered."""

    def __init__(self) -> None:
        super().__init__()
        self.looked: dict[SystemName, int] = {}

    def sent(self, system: SystemName, requests: int) -> None:
        super().sent(system, requests)
        self.looked = self.looked or dict(self.expected)


def test_pages_records_and_writes_are_told(database_url: str) -> None:
    tally = Tally()
    with world(database_url, progress=tally) as here:
        here.person("both@example.com", "Ada")
        here.subscriber("both@example.com", "Somebody")
        here.person("new@example.com")
        here.subscriber("known@example.com")
        here.person("same@example.com")
        here.subscriber("same@example.com")

        here.plan()
        assert (tally.records, tally.written.total(), tally.to_send.total()) == (3, 0, 0)

        tally.begin("main", lambda _system, requests: float(requests))
        report = here.reconcile()

        assert (dict(tally.read), dict(tally.pages)) == (report.read, {GHL: 1, EMAILOCTOPUS: 3})
        assert tally.records == 3
        assert tally.written == {GHL: 1, EMAILOCTOPUS: 2}
        assert tally.seconds_left == 0


def test_a_refused_write_is_not_told_as_done(database_url: str) -> None:
    tally = Tally()
    with world(database_url, progress=tally) as here:
        refusal = Fault(kind="error", status=422, method="POST", path="/contacts$", times=1)
        here.sandbox.emailoctopus.weather.faults.append(refusal)
        here.person("no@example.com")
        here.person("yes@example.com")
        assert here.reconcile().parked == 1
        assert (tally.records, tally.written[EMAILOCTOPUS], tally.seconds_left) == (2, 1, 0)


def test_what_does_not_fit_between_two_polls_counts_as_still_to_come(database_url: str) -> None:
    tally = FirstLook()
    with world(database_url, limits=True, progress=tally) as here:
        here.pair = replace(here.pair, timing=Timing(poll_every=timedelta(seconds=10)))
        for number in range(210):
            here.ghl.create(email=f"g{number}@example.com", firstName="Ada")
        here.reconcile()
        assert tally.looked == {EMAILOCTOPUS: 210}
        assert tally.expected == {EMAILOCTOPUS: 210}

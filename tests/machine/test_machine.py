"""Lives of two accounts: Hypothesis plays the outside, the program runs its cycles, then every law must hold.

Everything runs in this process on a virtual clock, through the real clients, both sandboxes and a real SQLite
store. A failure prints the steps of the life and the blob that replays it.
"""

import logging
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule

from sync_daemon.model.policy import ConflictRule, FieldRule, TagRule
from sync_daemon.model.system import SystemName
from sync_daemon.sandbox.weather import Fault
from tests import databases
from tests.machine.laws import Outside, check_all, reads_of, writes_of
from tests.worlds import World, world

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
EXCLUDED = "private-*"
ADDRESSES = st.sampled_from([f"{name}@example.com" for name in ("ada", "bob", "eve", "Zoë", "kim")])
TAGS = st.sampled_from(["vip", "News", "Web Inar", "private-x"])
FIELDS = (
    FieldRule("firstName", "FirstName"),
    FieldRule("lastName", "LastName", conflict=ConflictRule.NEWEST),
)
NAMES = {"firstName": "FirstName", "lastName": "LastName"}


class Lives(RuleBasedStateMachine):
    """One life: outside actions in any order, cycles now and then, faults; at the end quiet, and the laws."""

    people = Bundle("people")
    subscribers = Bundle("subscribers")

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self.outside = Outside()
        self._words = 0

    @initialize(
        prefix=st.sampled_from(["", "eo "]),
        hits=st.sampled_from(["when_set", "always", "never"]),
        double_opt_in=st.booleans(),
        suppressed=st.booleans(),
    )
    def begin(self, prefix: str, hits: str, double_opt_in: bool, suppressed: bool) -> None:
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        shutil.copyfile(template(), folder / "sync.db")
        self.database = folder / "sync.db"
        self.world: World = self._stack.enter_context(
            world(
                f"sqlite:///{self.database}",
                fields=FIELDS,
                sockets=False,
                tags=TagRule(exclude=(EXCLUDED,), prefix=prefix),
                double_opt_in=double_opt_in,
                create_suppressed=suppressed,
            )
        )
        self.world.ghl.quirks.hits_carry_dnd = hits
        self.prefix = prefix
        for context in (self.world.sandbox.ghl, self.world.sandbox.emailoctopus):
            context.log.recording = True

    def word(self) -> str:
        self._words += 1
        word = f"Name{self._words}"
        self.outside.secrets.add(word)
        return word

    # the outside in GHL

    @rule(target=people, address=ADDRESSES, tags=st.sets(TAGS, max_size=2))
    def person_appears(self, address: str, tags: set[str]) -> str:
        ghl_id = self.world.person(address, self.word(), self.word(), city="Turin", tags=sorted(tags))
        self.note_untouchable(ghl_id)
        return ghl_id

    @rule(person=people, name=st.sampled_from(sorted(NAMES)), blank=st.booleans())
    def person_is_edited(self, person: str, name: str, blank: bool) -> None:
        self.world.edit_person(person, **{name: None if blank else self.word()})

    @rule(person=people, city=st.sampled_from(["Oslo", "Rome"]))
    def person_moves_house(self, person: str, city: str) -> None:
        self.world.edit_person(person, city=city)
        self.note_untouchable(person)

    @rule(person=people, tag=TAGS, on=st.booleans())
    def person_is_tagged(self, person: str, tag: str, on: bool) -> None:
        self.world.clock.advance(1)
        (self.world.ghl.add_tags if on else self.world.ghl.remove_tags)(person, [tag])
        self.note_untouchable(person)

    @rule(person=people, address=ADDRESSES)
    def person_changes_address(self, person: str, address: str) -> None:
        self.world.edit_person(person, email=address)

    @rule(person=people, status=st.sampled_from(["active", "inactive", "permanent"]))
    def person_sets_dnd(self, person: str, status: str) -> None:
        self.world.clock.advance(1)
        self.world.ghl.set_dnd(person, status)
        address = self.world.people()[person].get("email") or ""
        if status == "inactive":
            self.outside.frees(address)
        else:
            self.outside.revokes(GHL, person, address)

    # the outside in EmailOctopus

    @rule(target=subscribers, address=ADDRESSES, tags=st.sets(TAGS, max_size=2))
    def somebody_signs_up(self, address: str, tags: set[str]) -> Any:
        self.world.clock.advance(1)
        fields = {"FirstName": self.word(), "LastName": self.word()}
        contact = self.world.emailoctopus.sign_up(self.world.sandbox.list_id, address, fields, sorted(tags))
        self.outside.frees(address)
        return contact.id

    @rule(subscriber=subscribers, name=st.sampled_from(sorted(NAMES.values())), blank=st.booleans())
    def subscriber_is_edited(self, subscriber: str, name: str, blank: bool) -> None:
        self.world.edit_subscriber(subscriber, **{name: None if blank else self.word()})

    @rule(subscriber=subscribers, tag=TAGS, on=st.booleans())
    def subscriber_is_tagged(self, subscriber: str, tag: str, on: bool) -> None:
        self.world.clock.advance(1)
        (self.world.emailoctopus.add_tags if on else self.world.emailoctopus.remove_tags)(subscriber, [tag])

    @rule(subscriber=subscribers)
    def subscriber_unsubscribes(self, subscriber: str) -> None:
        self.world.clock.advance(1)
        address = self.world.emailoctopus.unsubscribe(subscriber).email_address
        self.outside.revokes(EMAILOCTOPUS, subscriber, address)

    @rule(subscriber=subscribers, address=ADDRESSES)
    def subscriber_changes_address(self, subscriber: str, address: str) -> None:
        self.world.clock.advance(1)
        try:
            self.world.emailoctopus.change_address(subscriber, address)
        except ValueError:
            return

    # the program and its weather

    @rule(full=st.booleans(), minutes=st.sampled_from([0, 1, 30]))
    def cycle(self, full: bool, minutes: int) -> None:
        self.world.later(minutes=minutes)
        report = (self.world.full if full else self.world.reconcile)()
        if report.outcome in ("ok", "parked", "held") and not self.world.sandbox.ghl.weather.index_lag_s:
            self.outside.was_read(self.world)

    @rule(
        system=st.sampled_from(list(SystemName)),
        kind=st.sampled_from(["error", "lost_answer", "truncate", "throttle", "drop"]),
        after=st.integers(0, 6),
        times=st.integers(1, 2),
    )
    def fault(self, system: SystemName, kind: Any, after: int, times: int) -> None:
        context = self.world.sandbox.ghl if system is GHL else self.world.sandbox.emailoctopus
        context.weather.faults.append(Fault(kind=kind, status=503, after=after, times=times))

    @rule(seconds=st.sampled_from([0.0, 30.0]))
    def index_lags(self, seconds: float) -> None:
        self.world.sandbox.ghl.weather.index_lag_s = seconds

    def note_untouchable(self, person: str) -> None:
        row = self.world.people()[person]
        private = frozenset(tag for tag in row["tags"] if tag.startswith("private-"))
        self.outside.untouchable[person] = (row.get("city") or "", private)

    def teardown(self) -> None:
        try:
            if hasattr(self, "world"):
                self.quiet_spell()
        finally:
            self._stack.close()

    def quiet_spell(self) -> None:
        """The weather clears, nobody touches anything: soon both sides are equal and nothing is sent any more."""
        for context in (self.world.sandbox.ghl, self.world.sandbox.emailoctopus):
            context.weather.faults.clear()
            context.weather.index_lag_s = 0.0
        self.world.later(minutes=15)
        self.world.full()
        for _ in range(6):
            self.world.later(days=1, minutes=15)
            report = self.world.reconcile()
        assert report.outcome in ("ok", "parked", "held"), report
        if self.prefix == "":
            check_all(self.world, self.outside, EXCLUDED)
        self.idle_cycle()
        self.nothing_personal_is_kept()

    def idle_cycle(self) -> None:
        """L2 and L8: no write, one search, three listings, and the counts when their time has come."""
        self.world.later(minutes=11)
        for context in (self.world.sandbox.ghl, self.world.sandbox.emailoctopus):
            context.log.clear()
        waits = self.world.pair_store.totals().parked
        due = self.world.pair_store.parked(due=self.world.pair.clock.now())
        self.world.reconcile()
        if due:
            return
        assert writes_of(self.world) == [], waits
        reads = list(reads_of(self.world))
        assert sum(system is GHL for system, _ in reads) <= 1
        listings = [path for system, path in reads if system is EMAILOCTOPUS and path.endswith("/contacts")]
        assert len(listings) == 3, reads

    def nothing_personal_is_kept(self) -> None:
        """L9: a settled store holds no name, no address."""
        kept = b"".join(path.read_bytes() for path in self.database.parent.iterdir())
        for word in self.outside.secrets:
            assert word.encode() not in kept
        assert b"@example" not in kept


_TEMPLATE: list[Path] = []


def template() -> Path:
    """A migrated database, made once."""
    if not _TEMPLATE:
        path = Path(tempfile.mkdtemp(prefix="sync-daemon-machine-")) / "sync.db"
        databases.make_sqlite(path)
        _TEMPLATE.append(path)
    return _TEMPLATE[0]


@pytest.fixture(autouse=True, scope="module")
def _quiet_logs() -> Any:
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)


TestLives = Lives.TestCase
TestLives.settings = settings(
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)

"""Lives of a neighbourhood: two locations and two lists, three pairs between them, in bad weather.

Location X has the lists A and B, and list A is fed by X and Y as well. People and the program act in any order, cycles
are killed, answers get lost, one pair's cycle runs in the middle of another's; then all is quiet, and the laws are
checked: it comes to rest (L1, L2), nobody who revoked was subscribed again (L4), the list shows what the first
location has, and who is blocked where follows from who is subscribed where. A life is drawn from its seed alone.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

from sync_daemon.cycle import Pair, reconcile
from sync_daemon.model.policy import DeletedInGhl, DeleteRule, FieldRule, OnLeaveScope, Resubscribe, ScopeRule, TagRule
from sync_daemon.model.report import Mode
from sync_daemon.model.sharing import UnsubscribeMeans
from sync_daemon.model.state import Cause, Link
from sync_daemon.sandbox.weather import Fault
from tests.machine.house import Endless, Killed, MortalStore, Process
from tests.machine.vault import empty_database, folder
from tests.neighbourhood import Neighbourhood, Quarter, Spec, neighbourhood
from tests.worlds import _engine

TALLY: Counter[str] = Counter()
STEPS = 24
WHO = ("ada@example.com", "bob@example.com")
NAMES = ("Ada", "Augusta", "Countess", "")
FIELDS = (FieldRule("firstName", "FirstName"),)
TAGS = ("vip", "news")
LEFT = "left"
_ROUNDS = 12
FAULTS = ("lost_answer", "error", "drop", "throttle")


class LawOfSeveralBroken(AssertionError):
    """A law doesn't hold."""


class _Wire(httpx.BaseTransport):
    """A process's way to a system: it can be killed on it, and its writes are watched."""

    def __init__(self, way: httpx.BaseTransport, process: Process, life: "Life", *, watched: bool) -> None:
        self._way, self._process, self._life, self._watched = way, process, life, watched

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._process.point("before a request")
        before = self._life.statuses() if self._watched and request.method != "GET" else None
        try:
            return self._way.handle_request(request)
        finally:
            if before is not None:
                self._life.watch(before)
            self._process.answered()
            self._process.point("after a request")


@dataclass
class _Mortal(Quarter):
    """Opens pairs whose processes can be killed."""

    life: "Life" = field(kw_only=True)
    processes: dict[str, Process] = field(default_factory=dict)

    def open(self, spec: Spec) -> Pair:
        self.processes[spec.name] = Process()
        return super().open(spec)

    def store_of(self, spec: Spec, store: Any) -> Any:
        return MortalStore(store, self.processes[spec.name])

    def way_of(self, spec: Spec, to: str) -> httpx.BaseTransport | None:
        way = self.ways[to]
        assert way is not None
        return _Wire(way, self.processes[spec.name], self.life, watched=to == "")


@dataclass
class Life:
    """One life: what may be the case in it, what happened, and what is held against the laws."""

    seed: int
    told: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    signed_up: set[tuple[str, str]] = field(default_factory=set)
    """Who signed up to which list, ever."""
    removed: set[tuple[str, str]] = field(default_factory=set)
    hood: Neighbourhood = field(init=False)
    quarter: _Mortal = field(init=False)

    def __post_init__(self) -> None:
        self.dice = Random(self.seed)
        dice = self.dice
        self.allow = dice.random() < 0.3
        policy: dict[str, Any] = {
            "resubscribe": Resubscribe.ALLOW if self.allow else Resubscribe.NEVER,
            "deletes": DeleteRule(in_ghl=dice.choice([DeletedInGhl.UNSUBSCRIBE, DeletedInGhl.DELETE])),
            "tags": TagRule(exclude=(LEFT,)),
            "scope": ScopeRule(tags_none=(LEFT,)),
            "on_leave_scope": dice.choice([OnLeaveScope.UNSUBSCRIBE, OnLeaveScope.KEEP]),
        }
        means = dice.choice([UnsubscribeMeans.THIS_LIST, UnsubscribeMeans.THIS_LIST, UnsubscribeMeans.EVERYTHING])
        specs = [Spec(place, of, means, FIELDS, policy) for place, of in (("X", "A"), ("X", "B"), ("Y", "A"))]
        dice.shuffle(specs)
        self.specs, self.means = tuple(specs), means

    # The life

    def live(self) -> None:
        """Live it. Raises `LawOfSeveralBroken`."""
        empty_database()
        url = f"sqlite:///{folder() / 'life' / 'sync.db'}"
        _engine(url).dispose()
        self._tell(f"file: {[one.name for one in self.specs]}, {self.means}, {self.specs[0].policy}")
        with neighbourhood(url, *self.specs, quarter=lambda *args: self._open(args)) as hood:
            self.hood = hood
            for place in "XY":
                for number in range(4):  # where most of those known are missing, a scan proves nothing
                    hood.person(place, f"neighbour{number}@{place}.example.com".lower())
                for who in WHO:
                    if self.dice.random() < 0.8:
                        name = self.dice.choice(NAMES)
                        self._tell(f"come {who} {place} {name!r}")
                        hood.person(place, who, firstName=name or None)
            for _ in range(STEPS):
                self._step()
                self._judge()
            self._rest()
            self._judge()
            TALLY["lives"] += 1

    def _open(self, args: tuple[Any, ...]) -> _Mortal:
        self.quarter = _Mortal(*args, life=self)
        return self.quarter

    def _judge(self) -> None:
        if self.broken:
            steps = "\n".join(self.told)
            raise LawOfSeveralBroken(f"{self.broken[0]}\nseed {self.seed}:\n{steps}")

    def _tell(self, what: str) -> None:
        self.told.append(f"  {what}")

    def _step(self) -> None:
        kinds = [self._people_act] * 6 + [self._cycle] * 6 + [self._killed, self._faulty, self._meanwhile] * 2
        self.dice.choice(kinds)()

    # What people do

    def _people_act(self) -> None:
        dice, hood = self.dice, self.hood
        acts = ["come", "edit", "edit there", "block", "free", "opt out", "opt in", "delete", "tag", "scope", "edit"]
        act, who, place, of = dice.choice(acts), dice.choice(WHO), dice.choice("XY"), dice.choice("AAB")
        hood.clock.advance(dice.choice([1, 60]))
        world, mail = hood.places[place].ghl.world, hood.mail.emailoctopus.world
        here = [one for one, row in hood.people(place).items() if row.get("email") == who]
        there = [str(row["id"]) for row in hood.subscribers(of) if row["email_address"] == who]
        said = f"{act} {who} {place} {of}"
        match act:
            case "come" if not here:
                hood.person(place, who, firstName=dice.choice(NAMES) or None)
            case "edit" if here:
                name = dice.choice(NAMES)
                said += f" {name!r}"
                world.edit(here[0], firstName=name)
            case "edit there" if there:
                mail.edit(there[0], {"FirstName": dice.choice(NAMES[:-1])})
            case "block" | "free" if here:
                world.set_dnd(here[0], "active" if act == "block" else "inactive")
            case "opt out" if there:
                mail.unsubscribe(there[0])
            case "opt in" if there:
                mail.sign_up(hood.lists[of], who)
                self.signed_up.add((of, who))
            case "delete" if here:
                world.delete(here[0])
                self.removed.add((place, who))
            case "tag" | "scope" if here:
                tag = LEFT if act == "scope" else dice.choice(TAGS)
                had = tag in hood.people(place)[here[0]]["tags"]
                change = world.remove_tags if had else world.add_tags
                said += f" {change.__name__} {tag}"
                change(here[0], [tag])
            case _:
                return
        TALLY[f"act {act}"] += 1
        self._tell(said)

    # What the program does

    def _pick(self) -> tuple[str, Mode]:
        return self.dice.choice([one.name for one in self.specs]), self.dice.choice(
            [Mode.INCREMENTAL] * 3 + [Mode.FULL]
        )

    def _cycle(self, name: str = "", mode: Mode = Mode.INCREMENTAL) -> None:
        if not name:
            name, mode = self._pick()
        self._tell(f"cycle {name} {mode}")
        self._run(name, mode)

    def _run(self, name: str, mode: Mode) -> bool:
        """A cycle; whether anything was written. A process that is killed is followed by another one."""
        self.hood.clock.advance(self.dice.choice([1, 61, 700]))
        process = self.quarter.processes[name]
        process.requests = 0
        TALLY["cycles"] += 1
        try:
            report = reconcile(self.hood.pairs[name], mode)
        except Killed:
            TALLY["killed in a cycle"] += 1
            self.hood.clock.advance(40)
            spec = next(one for one in self.specs if one.name == name)
            self.hood.pairs[name] = self.quarter.open(spec)
            return True
        except Endless:
            self.broken.append("L1 a cycle never ends")
            return False
        finally:
            process.dies_at = None
            process.hooks.clear()
        if report.outcome == "error":
            self.broken.append(f"a cycle of {name} failed: {report.message}")
        return bool(report.written)

    def _killed(self) -> None:
        name, mode = self._pick()
        at = self.dice.randrange(60)
        self._tell(f"cycle {name} {mode}, killed at {at}")
        self.quarter.processes[name].dies_at = at
        self._run(name, mode)

    def _faulty(self) -> None:
        name, mode = self._pick()
        kind, method, after = self.dice.choice(FAULTS), self.dice.choice(["POST", "PUT", "GET"]), self.dice.randrange(4)
        sandbox = self.dice.choice([*self.hood.places.values(), self.hood.mail])
        context = sandbox.emailoctopus if sandbox is self.hood.mail else sandbox.ghl
        context.weather.faults.append(Fault(kind=kind, method=method, after=after))  # type: ignore[arg-type]
        self._tell(f"cycle {name} {mode}, with {kind} of {method} after {after}")
        TALLY[f"fault {kind}"] += 1
        self._run(name, mode)
        context.weather.faults.clear()

    def _meanwhile(self) -> None:
        """Another pair's cycle, or somebody's act, in the middle of a cycle."""
        name, mode = self._pick()
        after, other = self.dice.randrange(20), self.dice.choice([one.name for one in self.specs])
        acts = other == name

        def meanwhile() -> None:
            TALLY["in the middle of a cycle"] += 1
            if acts:
                self._people_act()
            else:
                self._cycle(other)

        self._tell(f"cycle {name} {mode}, and after {after} requests in the middle of it:")
        self.quarter.processes[name].hooks.append((after, meanwhile))
        self._run(name, mode)

    # The laws

    def statuses(self) -> dict[str, tuple[str, str]]:
        """The list and the status of every subscriber, by id."""
        names = {list_id: name for name, list_id in self.hood.lists.items()}
        rows = [row for name in names.values() for row in self.hood.subscribers(name)]
        return {str(row["id"]): (names[row["list_id"]], str(row["status"])) for row in rows}

    def watch(self, before: dict[str, tuple[str, str]]) -> None:
        """L4: a write of the program never subscribes somebody who was unsubscribed, unless it is allowed to."""
        for one, (of, status) in self.statuses().items():
            if not self.allow and before.get(one, ("", ""))[1] == "unsubscribed" and status != "unsubscribed":
                self.broken.append(f"L4 somebody who was unsubscribed from {of} was made {status}")

    def _rest(self) -> None:
        """All is quiet: a bounded number of rounds, and nothing is written any more, whatever is read."""
        names = [one.name for one in self.specs]
        self._tell("quiet")
        quiet = 0
        for number in range(_ROUNDS):
            self.hood.clock.advance(86_500 if number % 3 == 2 else 700)
            self.dice.shuffle(names)
            mode = Mode.FULL if number % 2 else Mode.INCREMENTAL
            written = [name for name in names if self._run(name, mode)]
            quiet = 0 if written else quiet + 1
            self._tell(f"round {number} {mode} of {names}: written by {written}")
            if quiet == 3:
                break
        else:
            self.broken.append("L1 it doesn't come to rest")
            return
        TALLY["quiet spells"] += 1
        for who in WHO:
            self.broken.extend(f"{law} ({who})" for law in self._broken_of(who))

    def _broken_of(self, who: str) -> Iterator[str]:
        if any(pair.store.parked(everything=True) or pair.store.held(everything=True) for pair in self._pairs()):
            TALLY["something waits"] += 1
            return
        links = {name: self._link(name, who) for name in self.hood.pairs}
        yield from self._field_and_tags(who, links)
        yield from self._consent(who, links)
        yield from self._deleted(who, links)

    def _pairs(self) -> list[Pair]:
        return list(self.hood.pairs.values())

    def _link(self, name: str, who: str) -> Link | None:
        pair = self.hood.pairs[name]
        here = [one for one, row in self.hood.people(name[0]).items() if row.get("email") == who]
        found = pair.store.links(ghl=here)
        return found[0] if found else None

    def _there(self, of: str, who: str) -> dict[str, Any] | None:
        return next((row for row in self.hood.subscribers(of) if row["email_address"] == who), None)

    def _field_and_tags(self, who: str, links: dict[str, Link | None]) -> Iterator[str]:
        """List A shows the value of the first location in the file that has one, and the tags of all."""
        feeding = [one.location for one in self.specs if one.list == "A" and _in_scope(links[one.name])]
        there = self._there("A", who)
        if there is None or not feeding:
            return
        contacts = [self.hood.contact(place, who) for place in feeding]
        values = [contact.get("firstName") or None for contact in contacts]
        first = next(filter(None, values), None)
        shown = there["fields"].get("FirstName")
        if first is not None and shown != first:
            yield f"list A shows {shown}, and its locations {feeding} have {values}"
        wanted = set().union(*(set(contact["tags"]) - _NEVER for contact in contacts))
        if set(there["tags"]) != wanted and len(feeding) > 1:
            yield f"list A has the tags {there['tags']}, and its locations {wanted}"

    def _consent(self, who: str, links: dict[str, Link | None]) -> Iterator[str]:
        for name, link in links.items():
            place, of = name.split("-")
            there = self._there(of, who)
            if link is None or there is None:
                continue
            blocked, subscribed = self.hood.blocked(place, who), there["status"] != "unsubscribed"
            if blocked and subscribed and not link.consent_held:
                yield f"{place} blocks, and {of} has a subscriber"
            if blocked or subscribed or link.consent_held or link.cause is Cause.POLICY:
                continue
            others = [one for one in self.specs if one.location == place and one.list != of]
            elsewhere = [
                one.list
                for one in others
                if _in_scope(links[one.name])
                and (row := self._there(one.list, who)) is not None
                and row["status"] != "unsubscribed"
            ]
            if not elsewhere and not self._by_policy(name, who):
                yield f"{who} left {of} and is on no other list, and {place} doesn't block"

    def _by_policy(self, name: str, who: str) -> bool:
        """Whether a policy may have revoked, of any pair: no person's revocation is carried then."""
        pair = self.hood.pairs[name]
        digest = pair.digester.address(who)
        causes = [one.store.revoked_at([digest]).get(digest) for one in self._pairs()]
        links = [self._link(one, who) for one in self.hood.pairs]
        return Cause.POLICY in causes or any(link is not None and link.cause is Cause.POLICY for link in links)

    def _deleted(self, who: str, links: dict[str, Link | None]) -> Iterator[str]:
        """Whom no location has any more isn't subscribed, unless he signed up himself."""
        for of in "AB":
            there = self._there(of, who)
            feeding = [one.name for one in self.specs if one.list == of]
            nobody = not any(row.get("email") == who for one in feeding for row in self.hood.people(one[0]).values())
            if there is None or not nobody or (of, who) in self.signed_up:
                continue
            if there["status"] != "unsubscribed":
                yield f"no location has {who}, and {of} has him subscribed"


_NEVER = {"deleted-in-emailoctopus", LEFT}


def _in_scope(link: Link | None) -> bool:
    return link is not None and link.in_scope

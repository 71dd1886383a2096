"""The outside: what people do in both systems, and how it is remembered.

Nothing here asks the program anything. Times are the sandboxes' own.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from sync_daemon.model.system import SystemName
from sync_daemon.sandbox.emailoctopus.errors import ProblemError
from sync_daemon.sandbox.server import Sandbox
from tests.machine.memory import Edit, Key, Memory, Revocation, is_blocked, is_permanent, is_revoked

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
OPTS_OUT = {"unsubscribe": "unsubscribed", "complain": "complained", "bounce": "bounced", "by hand": "unsubscribed"}


def _nobody_listens(kind: str, contact_id: str, subject: str = "", campaign_id: str = "") -> None: ...


class Outside:
    """Everybody but the program: each method acts in a sandbox and is remembered."""

    def __init__(self, sandbox: Sandbox, memory: Memory, stranger: str) -> None:
        self.sandbox = sandbox
        self.memory = memory
        self.stranger = stranger
        self.cycle = 0
        self.bystanders: set[str] = set()
        self.did: Callable[..., None] = _nobody_listens
        """Told of everything in EmailOctopus that a rule could act on."""
        self._words = 0

    @property
    def ghl(self) -> Any:
        return self.sandbox.ghl.world

    @property
    def emailoctopus(self) -> Any:
        return self.sandbox.emailoctopus.world

    def people(self) -> list[Any]:
        """GHL's contacts, oldest first."""
        return list(self.ghl.contacts)

    def subscribers(self) -> list[Any]:
        """The list's contacts, oldest first."""
        return list(self.emailoctopus.lists[self.sandbox.list_id].contacts)

    def picked(self, system: SystemName) -> list[Any]:
        """Those whom something may happen to: everybody but the bystanders."""
        rows = self.people() if system is GHL else self.subscribers()
        return [one for one in rows if one.id not in self.bystanders]

    def bystander(self, address: str) -> None:
        """Somebody in both systems whom nothing happens to alone: of a scan that shows most people much is proven."""
        names = (self.word(), self.word())
        self.bystanders.add(self.person(address, dict(zip(("firstName", "lastName"), names, strict=True)), []))
        self.sign_up(address, dict(zip(("FirstName", "LastName"), names, strict=True)), [])
        there = self.subscribers()[-1]
        self.bystanders.add(there.id)
        if there.status == "pending":
            self.opt_in(there.id)

    def word(self) -> str:
        """A name that nobody has yet, and too long to turn up in a ciphertext by chance."""
        self._words += 1
        self.memory.secrets.add(word := f"Somebody{self._words}")
        return word

    # both systems

    def edit(self, system: SystemName, contact_id: str, name: str, value: str | None) -> None:
        if system is GHL:
            self.ghl.edit(contact_id, **{name: value})
        else:
            self.emailoctopus.edit(contact_id, {name: value})
        self._edited(system, contact_id, name, value)

    def tag(self, system: SystemName, contact_id: str, tags: list[str], *, on: bool) -> None:
        world = self.ghl if system is GHL else self.emailoctopus
        before = self._tags(system, contact_id)
        tags = self._spelt(tags) if system is EMAILOCTOPUS else tags
        (world.add_tags if on else world.remove_tags)(contact_id, tags)
        for name in before ^ self._tags(system, contact_id):  # EmailOctopus has News beside news
            self._edited(system, contact_id, f"tag {name}", on)
        if self.stranger in tags:
            self._disturb(system, contact_id, reason=system is GHL or on)
            self.memory.strangers.add((system, contact_id))

    def delete(self, system: SystemName, contact_id: str) -> None:
        self._disturb(system, contact_id, reason=True)
        address = self.address(system, contact_id)
        news = self.memory.unheard.get(address)
        if news is not None and news.first and news.contact == (system, contact_id):
            self.memory.ever_revoked.discard(address)  # who is gone before anybody looked has told nobody
        (self.ghl if system is GHL else self.emailoctopus).delete(contact_id)
        self.memory.deleted.add((system, contact_id))
        self.memory.blocked_by.pop(contact_id, None)

    # GHL

    def person(self, address: str | None, names: dict[str, str | None], tags: list[str]) -> str:
        given = {"email": address} if address else {}
        contact = self.ghl.create(**given, **names, city="Turin", tags=tags)
        self._appeared(GHL, contact.id, address, names)
        return str(contact.id)

    def change_persons_address(self, contact_id: str, address: str | None) -> None:
        self._moves(GHL, contact_id)  # whom the link leaves behind falls under the delete policy
        self.ghl.edit(contact_id, email=address)
        self._met(GHL, contact_id)
        if contact_id in self.memory.lifted and not is_blocked(self._person(contact_id)):
            self._freed_without_address(contact_id)

    def additional_address(self, contact_id: str, address: str, *, on: bool) -> None:
        (self.ghl.add_email if on else self.ghl.remove_email)(contact_id, address)
        self._met(GHL, contact_id)

    def block(self, contact_id: str, how: str) -> None:
        """Somebody blocks a contact: by mail's consequences or by hand."""
        before = self._person(contact_id)
        {
            "unsubscribe": lambda: self.ghl.unsubscribe(contact_id),
            "complain": lambda: self.ghl.complain(contact_id),
            "bounce": lambda: self.ghl.bounce(contact_id),
            "by hand": lambda: self.ghl.set_dnd(contact_id, "active"),
            "all channels": lambda: self.ghl.set_dnd_all(contact_id, dnd=True),
            "other channel": lambda: self.ghl.set_dnd(contact_id, "active", "SMS"),
        }[how]()
        if how == "other channel":
            return
        self.memory.blocked_at[contact_id] = self._now()
        same = contact_id in self.memory.blocked_by_program and not is_permanent(self._person(contact_id))
        self.memory.blocked_by[contact_id] = "either" if same else "person"
        if not is_blocked(before):  # nobody can see that somebody wishes again what he has
            self._revoked(GHL, contact_id, before.email)

    def lift(self, contact_id: str) -> None:
        """Somebody frees every channel of a contact again."""
        self.ghl.set_dnd_all(contact_id, dnd=False)
        self.ghl.set_dnd(contact_id, "inactive")
        self.memory.blocked_by.pop(contact_id, None)
        self.memory.lifted[contact_id] = self._now()
        self._freed(self._person(contact_id).email)
        self._freed_without_address(contact_id)

    def merge(self, winner: str, loser: str) -> None:
        self._moves(GHL, winner)
        self._moves(GHL, loser)
        merged = self.ghl.merge(winner, loser)
        self.memory.deleted.add((GHL, loser))
        self.memory.meet(f"ghl {winner}", f"ghl {loser}")
        self._met(GHL, winner)
        if is_blocked(merged):
            self.memory.blocked_by[winner] = "either"
        if self.memory.blocked_by.pop(loser, None) and merged.email:
            self._revoked(GHL, winner, merged.email)

    # EmailOctopus

    def sign_up(self, address: str, names: dict[str, str | None], tags: list[str]) -> None:
        list_id = self.sandbox.list_id
        tags = self._spelt(tags)
        known = self.emailoctopus.lists[list_id].contacts.with_address(address)
        before = self._tags(EMAILOCTOPUS, known.id) if known else set()
        try:
            contact = self.emailoctopus.sign_up(list_id, address, {k: v for k, v in names.items() if v}, tags)
        except ProblemError:  # the plan is full
            return
        self._appeared(EMAILOCTOPUS, contact.id, address, names)
        for name in self._tags(EMAILOCTOPUS, contact.id) - before:
            self._edited(EMAILOCTOPUS, contact.id, f"tag {name}", True)
        self._opted_in(contact)

    def opt_in(self, contact_id: str) -> None:
        """A pending contact confirms; anybody else is subscribed by hand."""
        contact = self.emailoctopus.contact(contact_id)
        try:
            if contact.status == "pending":
                self.emailoctopus.confirm(contact_id)
            else:
                self.emailoctopus.set_status(contact_id, "subscribed")
        except ProblemError:  # the plan is full
            return
        self._opted_in(contact)

    def opt_out(self, contact_id: str, how: str, campaign_id: str = "") -> None:
        contact = self.emailoctopus.contact(contact_id)
        visible = not is_revoked(contact)
        {
            "unsubscribe": lambda: self.emailoctopus.unsubscribe(contact_id, campaign_id),
            "complain": lambda: self.emailoctopus.complain(contact_id, campaign_id),
            "bounce": lambda: self.emailoctopus.bounce(contact_id, campaign_id),
            "by hand": lambda: self.emailoctopus.set_status(contact_id, "unsubscribed"),
        }[how]()
        if visible or campaign_id:
            self.did(OPTS_OUT[how], contact_id, campaign_id=campaign_id)
        if visible:
            self._revoked(EMAILOCTOPUS, contact_id, contact.email_address)

    def change_subscribers_address(self, contact_id: str, address: str) -> None:
        try:
            self.emailoctopus.change_address(contact_id, address)
        except ValueError:  # somebody else has it: the dashboard says so
            return
        self._moves(EMAILOCTOPUS, contact_id)
        self._met(EMAILOCTOPUS, contact_id)

    # what the program may know

    def was_read(self, started: datetime) -> None:
        """A cycle that began then read everything: whoever is revoked since earlier, and still, is known to be."""
        shown = self._shown()
        subscribed = {one.email_address.lower() for one in self.subscribers() if one.status == "subscribed"}
        self.memory.blocked_by_program &= {one for system, one in shown if system is GHL}
        for address, (contact, at, _, again) in list(self.memory.unheard.items()):
            if at >= started:
                continue
            # Blocked, freed and blocked again between two looks is blocked all the while; an opt-in is seen then.
            visible = not (again or contact in self.memory.seen_revoked) or (
                address in self.memory.freed and address not in subscribed
            )
            if visible and (shown.get(contact) or "").lower() == address:
                self.memory.revoked.add(address)
                old = contact in self.memory.seen_revoked | self.memory.carried
                (self.memory.unseen.add if old else self.memory.unseen.discard)(address)
            del self.memory.unheard[address]
        self.memory.freed.clear()
        self.memory.seen_revoked = set(shown)
        self.memory.maybe_seen = set(shown)

    def may_have_been_read(self) -> None:
        """A cycle read something: of whoever is revoked now it may know."""
        self.memory.maybe_seen.update(self._shown())

    def must_be_known(self, address: str, before: datetime) -> bool:
        """Whether the program must know that an address is revoked: it read so, or could have, before that time."""
        news = self.memory.unheard.get(address)
        if address in self.memory.revoked or news is None or news.at >= before:
            return address in self.memory.revoked
        return (self._shown().get(news.contact) or "").lower() == address

    def database_was_lost(self) -> None:
        """What both sides still show is all that can be known; every pair meets anew."""
        self.memory.revoked &= {(address or "").lower() for address in self._shown().values()}
        self.memory.store_was_lost = True
        self.memory.ended.clear()
        self.memory.given_up.clear()
        self.memory.disturbed.update((GHL, one.id) for one in self.people())

    def _shown(self) -> dict[Key, str | None]:
        """Every contact that is revoked, with its address."""
        shown = {(GHL, one.id): one.email for one in self.people() if is_blocked(one)}
        return shown | {(EMAILOCTOPUS, one.id): one.email_address for one in self.subscribers() if is_revoked(one)}

    def _now(self) -> datetime:
        return self.sandbox.clock.now()

    def _person(self, contact_id: str) -> Any:
        return self.ghl.contacts.get(contact_id)

    def _spelt(self, tags: list[str]) -> list[str]:
        """Tags as the list spells them: who tags in the dashboard chooses among those that are there."""
        listed = {name.lower(): name for name in self.emailoctopus.lists[self.sandbox.list_id].tags}
        return [listed.get(name.lower(), name) for name in tags]

    def _tags(self, system: SystemName, contact_id: str) -> set[str]:
        contact = self._person(contact_id) if system is GHL else self.emailoctopus.contact(contact_id)
        return {name.lower() for name in contact.tags}

    def address(self, system: SystemName, contact_id: str) -> str:
        """A contact's address in lower case, empty for none."""
        if system is GHL:
            return (self._person(contact_id).email or "").lower()
        return str(self.emailoctopus.contact(contact_id).email_address).lower()

    def _appeared(self, system: SystemName, contact_id: str, address: str | None, names: dict[str, str | None]) -> None:
        for name, value in names.items():
            if value is not None:
                self._edited(system, contact_id, name, value)
        self._met(system, contact_id)

    def _edited(self, system: SystemName, contact_id: str, name: str, value: Any) -> None:
        self.memory.edits[system, contact_id, name].append(Edit(value, self.cycle, self._now()))
        self.memory.typed[name].add(value)
        if system is EMAILOCTOPUS and name.startswith("tag "):
            if value:
                self.did("tag_added", contact_id, name.removeprefix("tag "))
        elif system is EMAILOCTOPUS:
            self.did("field_changed", contact_id, name)

    def _met(self, system: SystemName, contact_id: str) -> None:
        if system is EMAILOCTOPUS:
            self.memory.returns(self.address(system, contact_id))
        names = [f"{system} {contact_id}", *self._addresses(system, contact_id)]
        self.memory.meet(*names)

    def _addresses(self, system: SystemName, contact_id: str) -> Iterator[str]:
        yield from filter(None, [self.address(system, contact_id)])
        if system is GHL:
            yield from (address.lower() for address in self._person(contact_id).additional_emails)

    def _moves(self, system: SystemName, contact_id: str) -> None:
        self._disturb(system, contact_id, reason=True)
        self.memory.moved.add((system, contact_id))
        self.memory.given_up = {one for one in self.memory.given_up if one[0] != contact_id}

    def _disturb(self, system: SystemName, contact_id: str, *, reason: bool = False) -> None:
        self.memory.disturbed.add((system, contact_id))
        if reason:
            self.memory.reasons.add(f"{system} {contact_id}")

    def _revoked(self, system: SystemName, contact_id: str, address: str | None) -> None:
        self.memory.reasons.add(f"{system} {contact_id}")
        self.memory.revocations[system, contact_id] = self._now()
        if address:
            known = address.lower()
            first = known not in self.memory.ever_revoked
            self.memory.ever_revoked.add(known)
            again = (system, contact_id) in self.memory.maybe_seen
            self.memory.unheard[known] = Revocation((system, contact_id), self._now(), first, again)

    def _opted_in(self, contact: Any) -> None:
        self.memory.opted_in[contact.id] = self._now()
        if contact.status == "subscribed":
            self.did("subscribed", contact.id)
        self._freed(contact.email_address)

    def _freed_without_address(self, contact_id: str) -> None:
        """A freed contact without an address: its link stays with whom it had before, and frees him."""
        if self._person(contact_id).email:
            return
        kin = self.memory.root(f"{GHL} {contact_id}")
        for one in self.subscribers():
            if self.memory.root(f"{EMAILOCTOPUS} {one.id}") == kin:
                self._freed(one.email_address)

    def _freed(self, address: str | None) -> None:
        self.memory.unheard.pop((address or "").lower(), None)
        if (known := (address or "").lower()) in self.memory.revoked:
            self.memory.revoked.remove(known)
            self.memory.freed.add(known)

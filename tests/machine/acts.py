"""What people do in both systems, in any order."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from sync_daemon.model.report import Mode
from sync_daemon.model.system import SystemName
from tests.machine.life import Life
from tests.machine.terms import FIELDS, PICK, SYSTEM, TAG, TAGS, WHO

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS


def back_and_forth(acts: list[str]) -> st.SearchStrategy[list[tuple[str, bool]]]:
    """Some of these in a row, and after which of them the program looks."""
    looks = st.sampled_from([True, True, False])
    return st.lists(st.tuples(st.sampled_from(acts), looks), min_size=2, max_size=6)


class Acts(Life):
    """The outside's part of a life."""

    # The outside in GHL

    @rule(who=WHO, tags=TAGS)
    def somebody_appears(self, who: str, tags: list[str]) -> None:
        """Somebody is added in GHL."""
        self._tick()
        names = {name: self.outside.word() for name in ("firstName", "lastName", "website")}
        self.outside.person(who, dict(names), tags)

    @rule(pick=PICK, who=st.one_of(WHO, st.none()))
    def person_changes_address(self, pick: int, who: str | None) -> None:
        """An address is corrected or emptied in GHL."""
        if person := self._person(pick):
            self.outside.change_persons_address(person, who)

    @rule(pick=PICK, other=PICK)
    def people_exchange_addresses(self, pick: int, other: int) -> None:
        """Two addresses were mixed up in GHL."""
        one, two = self._person(pick), self._person(other)
        if one and two and one != two:
            mine, theirs = (self.outside.ghl.contacts.get(each).email for each in (one, two))
            self.outside.change_persons_address(one, theirs)
            self.outside.change_persons_address(two, mine)

    @rule(pick=PICK, who=WHO, on=st.booleans())
    def person_has_another_address(self, pick: int, who: str, on: bool) -> None:
        """An additional address comes or goes in GHL."""
        if person := self._person(pick):
            self.outside.additional_address(person, who, on=on)

    @rule(
        pick=PICK,
        how=st.sampled_from(["unsubscribe", "by hand", "all channels", "bounce", "complain", "other channel"]),
    )
    def person_is_blocked(self, pick: int, how: str) -> None:
        """Do not disturb, of every kind."""
        if person := self._person(pick):
            self.outside.block(person, how)

    @rule(pick=PICK)
    def person_is_freed(self, pick: int) -> None:
        """Somebody lifts every block of a GHL contact."""
        if person := self._person(pick):
            self.outside.lift(person)

    @rule(pick=PICK, other=PICK)
    def people_are_merged(self, pick: int, other: int) -> None:
        """Two GHL contacts become one."""
        one, two = self._person(pick), self._person(other)
        if one and two and one != two:
            self._ends(GHL, two)
            self.outside.merge(one, two)

    # The outside in EmailOctopus

    @rule(who=WHO, tags=TAGS)
    def somebody_signs_up(self, who: str, tags: list[str]) -> None:
        """Somebody fills in a form, new or again."""
        self._tick()
        names = {name: self.outside.word() for name in ("FirstName", "LastName")}
        self.outside.sign_up(who, dict(names), tags)

    @rule(pick=PICK, how=st.sampled_from(["unsubscribe", "complain", "bounce", "by hand"]))
    def subscriber_opts_out(self, pick: int, how: str) -> None:
        """A subscription ends, in every way."""
        if subscriber := self._subscriber(pick):
            self.outside.opt_out(subscriber, how)

    @rule(pick=PICK)
    def subscriber_opts_in(self, pick: int) -> None:
        """A pending contact confirms, anybody else is subscribed again by hand."""
        if subscriber := self._subscriber(pick):
            self.outside.opt_in(subscriber)

    # The outside in either

    @rule(system=SYSTEM, pick=PICK, field=st.integers(0, 3), blank=st.sampled_from([False, False, False, True]))
    def somebody_is_edited(self, system: SystemName, pick: int, field: int, blank: bool) -> None:
        """A value changes, a mapped one or not."""
        if contact := self._contact(system, pick):
            self.outside.edit(system, contact, FIELDS[system][field], None if blank else self.outside.word())

    @rule(system=SYSTEM, pick=PICK, tag=TAG, on=st.booleans())
    def somebody_is_tagged(self, system: SystemName, pick: int, tag: str, on: bool) -> None:
        """A tag comes or goes; one of them means out of scope."""
        if contact := self._contact(system, pick):
            self.outside.tag(system, contact, [tag.lower() if system is GHL else tag], on=on)

    @rule(pick=PICK, who=WHO)
    def subscriber_changes_address(self, pick: int, who: str) -> None:
        """An address is corrected in EmailOctopus."""
        if subscriber := self._subscriber(pick):
            self.outside.change_subscribers_address(subscriber, who)

    @rule(system=SYSTEM, pick=PICK)
    def somebody_is_deleted(self, system: SystemName, pick: int) -> None:
        """A contact is deleted in one of the systems."""
        if contact := self._contact(system, pick):
            self._ends(system, contact)
            self.outside.delete(system, contact)

    @rule(system=SYSTEM, tags=TAGS, on=st.booleans())
    def tag_storm(self, system: SystemName, tags: list[str], on: bool) -> None:
        """A workflow tags everybody."""
        self._tick()
        for one in self.outside.people() if system is GHL else self.outside.subscribers():
            self.outside.tag(system, one.id, [name.lower() for name in tags] if system is GHL else tags, on=on)

    @rule(pick=PICK, acts=back_and_forth(["block", "opt out", "opt in", "lift"]))
    def somebody_changes_his_mind(self, pick: int, acts: list[tuple[str, bool]]) -> None:
        """One person's consent goes back and forth between both systems."""
        self.somebody_wavers(pick, acts)

    @rule(pick=PICK, acts=back_and_forth(["block", "opt out", "opt in", "lift", "delete", "delete there"]))
    def somebody_wavers(self, pick: int, acts: list[tuple[str, bool]]) -> None:
        """The same, and what is deleted may be made again; the program looks on the way or doesn't."""
        person = self._person(pick)
        address = self.outside.address(GHL, person) if person else ""
        for act, looked_at in acts if address else ():
            self._tick()
            self._waver(act, address)
            if looked_at:
                self.the_house.clock.advance(60)
                self._cycle(Mode.FULL if act.startswith("delete") else Mode.INCREMENTAL)

    def _waver(self, act: str, address: str) -> None:
        there = EMAILOCTOPUS if act in ("opt out", "opt in", "delete there") else GHL
        contact = next(
            (one.id for one in self.outside.picked(there) if self.outside.address(there, one.id) == address), None
        )
        if contact is None:
            return
        match act:
            case "block":
                self.outside.block(contact, "by hand")
            case "lift":
                self.outside.lift(contact)
            case "opt out":
                self.outside.opt_out(contact, "unsubscribe")
            case "opt in":
                self.outside.opt_in(contact)
            case _:
                self._ends(there, contact)
                self.outside.delete(there, contact)

    def _ends(self, system: SystemName, contact_id: str) -> None:
        """Remember the link that ends with a contact, if the program knows one."""
        store, memory = self.the_house.process.pair.store, self.outside.memory
        for link in store.links(ghl=[contact_id]) if system is GHL else store.links(emailoctopus=[contact_id]):
            memory.ended.add((link.ghl_id, link.emailoctopus_id))
            if system is EMAILOCTOPUS:
                memory.given_up.add((link.ghl_id, self.outside.address(system, contact_id)))

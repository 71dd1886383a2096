"""What every single write is held against: L4 (consent), L5 (duplicates) and L6 (nothing else), request by request.

It compares both systems' own records before and after a request; what the program thinks of it doesn't matter.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

import httpx

from sync_daemon.model.policy import DeletedInEmailOctopus, DeletedInGhl, OnLeaveScope, PairPolicy, Resubscribe
from sync_daemon.model.system import SystemName
from tests.machine.acted import Acts
from tests.machine.house import House
from tests.machine.memory import is_blocked, is_permanent, is_revoked
from tests.machine.outside import Outside
from tests.machine.shown import fields_of
from tests.machine.started import Starts

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
_IN_A_WHILE = timedelta(seconds=2)
_OF_ACTIVITY = re.compile(r"/notes|/tasks|/calendars")
Rows = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A copy of an EmailOctopus contact, whose records change in place."""

    id: str
    email_address: str
    status: str
    fields: tuple[tuple[str, Any], ...]
    tags: frozenset[str]


class Watch:
    """Stands beside both sandboxes. `broken` lists the laws that writes broke."""

    def __init__(
        self, house: House, outside: Outside, excluded: str, starts: Starts | None = None, acts: Acts | None = None
    ) -> None:
        self.house, self.outside, self.excluded, self.starts, self.acts = house, outside, excluded, starts, acts
        self.activity = fields_of(house.activity) if house.activity is not None else set()
        self.broken: list[str] = []
        self.created: set[str] = set()
        """GHL contacts that the program made: it knows their addresses unless somebody changes them."""
        self.subscribed_at_start: set[str] = set()

    def cycle_begins(self) -> None:
        """Remember what this cycle could read at once."""
        self.subscribed_at_start = {one.id for one in self.outside.subscribers() if not is_revoked(one)}

    def before(self, system: SystemName, request: httpx.Request) -> Callable[[], None]:
        """Look before a write; the answer looks after it."""
        if system is GHL and self.acts is not None and self.house.rules and (judge := self.acts.before(request)):
            return judge
        if system is GHL and _OF_ACTIVITY.search(request.url.path):
            self.broken.append(f"L6 activity was written in GHL: {request.method} {request.url.path}")
        if self.starts is not None and request.url.path.endswith("/queue"):
            return self.starts.before(request)
        seen = self._rows(system)

        def compare() -> None:
            now = self._rows(system)
            judge = self._ghl if system is GHL else self._emailoctopus
            for contact_id in seen.keys() | now.keys():
                was, is_ = seen.get(contact_id), now.get(contact_id)
                if was != is_:
                    if b"dndSettings" in request.content and was is not None:
                        self._block_over_block(was)
                    for law in judge(was, is_):
                        self.broken.append(f"{law}: {request.method} {request.url.path} of {contact_id}")

        return compare

    def _block_over_block(self, was: Any) -> None:
        """Whoever was blocked by a person too lately for the program to know, and is by the program now."""
        memory = self.outside.memory
        told = self.outside.ghl.quirks.hits_carry_dnd != "never"  # else it is an hourly look that tells
        if is_blocked(was) and not (told and memory.blocked_at.get(was.id, self.knowable) < self.knowable):
            memory.blocked_by[was.id] = "either"
            memory.blocked_by_program.add(was.id)

    @property
    def policy(self) -> PairPolicy:
        return self.house.policy

    @property
    def knowable(self) -> datetime:
        """What happened in GHL before this moment, the cycle's search could show: nothing where it hides contacts."""
        weather = self.house.sandbox.ghl.weather
        if weather.short_listing:
            return datetime.min.replace(tzinfo=UTC)
        lag = timedelta(seconds=weather.index_lag_s)
        return self.house.started - lag - _IN_A_WHILE

    def _rows(self, system: SystemName) -> Rows:
        if system is GHL:
            return {one.id: one for one in self.outside.people()}
        return {
            one.id: Subscriber(
                one.id, one.email_address, one.status, tuple(sorted(one.fields.items())), frozenset(one.tags)
            )
            for one in self.outside.subscribers()
        }

    # GHL

    def _ghl(self, was: Any, is_: Any) -> Iterator[str]:
        if is_ is None:
            yield "L6 a contact was deleted in GHL"
        elif was is None:
            yield from self._person_created(is_)
        else:
            yield from self._person_written(was, is_)

    def _person_created(self, made: Any) -> Iterator[str]:
        address = (made.email or "").lower()
        others = [one for one in self.outside.people() if one.id != made.id and (one.email or "").lower() == address]
        own = self.created - {one for system, one in self.outside.memory.moved if system is GHL}
        if any(one.id in own or _of_ghl(one.date_updated) < self.knowable for one in others):
            yield "L5 a second contact was created for one address"
        self.created.add(made.id)
        self.outside.memory.meet(f"{GHL} {made.id}", address)
        if is_blocked(made):
            self.outside.memory.program_blocks(made.id)
        elif self.outside.must_be_known(address, self.knowable):
            yield "L4 somebody who revoked was created without e-mail DND"

    def _person_written(self, was: Any, is_: Any) -> Iterator[str]:
        memory = self.outside.memory
        allowed = {rule.ghl for rule in self.policy.fields if rule.direction.leader is not GHL}
        allowed_now = replace(
            is_,
            email=was.email,
            additional_emails=tuple(one for one in is_.additional_emails if one != is_.email),
            fields={**is_.fields, **{name: was.fields.get(name) for name in allowed}},
            tags=was.tags,
            dnd_settings={**is_.dnd_settings, "Email": was.dnd_settings.get("Email")},
            date_updated=was.date_updated,
        )
        same = replace(
            was,
            additional_emails=tuple(one for one in was.additional_emails if one != is_.email),
            fields={**was.fields, **{name: was.fields.get(name) for name in allowed}},
            dnd_settings={**was.dnd_settings, "Email": was.dnd_settings.get("Email")},
        )
        if allowed_now != same:
            yield "L6 something outside the mapping was written"
        if self._untouchable(was.tags) != self._untouchable(is_.tags):
            yield "L6 a tag outside the filter was written"
        if self._is_outside(was) and (is_.fields, is_.email) != (was.fields, was.email):
            yield "L6 a contact outside the scope was written"
        if was.email != is_.email and is_.email:
            memory.meet(f"{GHL} {is_.id}", is_.email.lower())
        if is_blocked(is_) and not is_blocked(was):
            memory.program_blocks(is_.id)
            if not memory.has_reason(f"{GHL} {is_.id}"):
                yield "L4 somebody was blocked though nobody had revoked"
        elif is_blocked(was) and not is_blocked(is_):
            yield from self._lifted(was)

    def _lifted(self, was: Any) -> Iterator[str]:
        memory = self.outside.memory
        whose = memory.blocked_by.pop(was.id, "nobody")
        memory.blocked_by_program.discard(was.id)
        meanwhile = memory.blocked_at.get(was.id, self.house.started) > self.house.started
        if (whose not in ("program", "either") or is_permanent(was)) and not meanwhile:
            yield f"L4 a block was lifted that is the {whose}'s"
        kin = memory.root(f"{GHL} {was.id}")
        subscribed = {one.id for one in self.outside.subscribers() if one.status == "subscribed"}
        subscribed |= self.subscribed_at_start
        if not any(memory.root(f"{EMAILOCTOPUS} {one}") == kin and one in subscribed for one in memory.opted_in):
            yield "L4 a block was lifted though nobody had opted in again"

    # EmailOctopus

    def _emailoctopus(self, was: Subscriber | None, is_: Subscriber | None) -> Iterator[str]:
        if is_ is None and was is not None:
            by_policy = self.policy.deletes.in_ghl is DeletedInGhl.DELETE
            if not by_policy or not self.outside.memory.has_reason(f"{EMAILOCTOPUS} {was.id}"):
                yield "L6 a contact was deleted in EmailOctopus"
        elif was is None and is_ is not None:
            self.outside.memory.meet(f"{EMAILOCTOPUS} {is_.id}", is_.email_address.lower())
            yield from self._made_again(is_.email_address.lower())
            if not is_revoked(is_) and self.outside.must_be_known(is_.email_address.lower(), self.knowable):
                yield "L4 somebody who revoked was created as subscribed"
        elif was is not None and is_ is not None:
            yield from self._subscriber_written(was, is_)

    def _made_again(self, address: str) -> Iterator[str]:
        """Whom somebody deleted in EmailOctopus is made again there only where the policy says so."""
        memory = self.outside.memory
        have = [one.id for one in self.outside.people() if (one.email or "").lower() == address]
        given_up = all((one, address) in memory.given_up and one not in memory.lifted for one in have)
        if have and given_up and self.policy.deletes.in_emailoctopus is not DeletedInEmailOctopus.RECREATE:
            yield "L6 somebody was made again whom somebody had deleted in EmailOctopus"

    def _subscriber_written(self, was: Subscriber, is_: Subscriber) -> Iterator[str]:
        allowed = {rule.emailoctopus for rule in self.policy.fields if rule.direction.leader is not EMAILOCTOPUS}
        allowed |= self.activity
        changed = {name for name, _ in set(was.fields) ^ set(is_.fields)}
        if not changed <= allowed:
            yield "L6 a field outside the mapping was written"
        # The filter is over GHL's names: with a prefix what began here is called otherwise there.
        if not self.policy.tags.prefix and self._untouchable(was.tags) != self._untouchable(is_.tags):
            yield "L6 a tag outside the filter was written"
        if was.email_address != is_.email_address:
            self.outside.memory.returns(is_.email_address.lower())
            self.outside.memory.meet(f"{EMAILOCTOPUS} {is_.id}", is_.email_address.lower())
        tags_may = self.policy.on_leave_scope is OnLeaveScope.REMOVE_TAGS
        content = (changed, was.email_address != is_.email_address, not tags_may and was.tags != is_.tags)
        if any(content) and self._belongs_outside(was):
            yield "L6 the contact of somebody outside the scope was written"
        if was.status != is_.status:
            yield from self._status_written(was, is_)

    def _status_written(self, was: Subscriber, is_: Subscriber) -> Iterator[str]:
        if is_revoked(is_):
            self.outside.memory.seen_revoked.add((EMAILOCTOPUS, is_.id))
            if self.acts is not None:
                self.acts.engaged.unsubscribed_by_program.append((is_.id, self.house.clock.now()))
            address = is_.email_address.lower()
            holders = (one for one in self.outside.people() if (one.email or "").lower() == address)
            self.outside.memory.carried.update((GHL, one.id) for one in holders if is_blocked(one))
            if not self.outside.memory.has_reason(f"{EMAILOCTOPUS} {is_.id}"):
                yield "L4 somebody was unsubscribed though nobody had revoked"
        elif not is_revoked(was):
            yield f"L4 a contact that was {was.status} was made {is_.status}"
        elif not self._may_resubscribe(is_):
            yield f"L4 SOMEBODY WHO REVOKED WAS MADE {is_.status.upper()}"

    def _may_resubscribe(self, is_: Subscriber) -> bool:
        """Whether the policy allows it, and somebody lifted a block in GHL after the last revocation there was."""
        if self.policy.resubscribe is Resubscribe.NEVER:
            return False
        if self.policy.resubscribe is Resubscribe.PENDING and is_.status != "pending":
            return False
        memory = self.outside.memory
        kin = memory.root(f"{EMAILOCTOPUS} {is_.id}")
        address = is_.email_address.lower()
        holders = [(GHL, one.id) for one in self.outside.people() if (one.email or "").lower() == address]
        if address not in memory.ever_revoked and memory.revocations.keys().isdisjoint(
            [(EMAILOCTOPUS, is_.id), *holders]
        ):
            return True  # a policy revoked, no person
        lifts = [at for one, at in memory.lifted.items() if memory.root(f"{GHL} {one}") == kin]
        revoked = memory.revocations.get((EMAILOCTOPUS, is_.id))
        # Who opts in and out again between two looks shows what he showed before, and without times all the more.
        touches = self.outside.emailoctopus.quirks.unsubscribe_touches
        unseen = not touches or (EMAILOCTOPUS, is_.id) in memory.maybe_seen
        return bool(lifts) and (unseen or revoked is None or revoked >= self.house.started or max(lifts) > revoked)

    # the scope

    def _is_outside(self, person: Any) -> bool:
        """Whether a GHL contact is out of scope, for long enough that the cycle could read it."""
        strangers = self.policy.scope.tags_none
        return not set(strangers).isdisjoint(person.tags) and _of_ghl(person.date_updated) < self.knowable

    def _belongs_outside(self, subscriber: Subscriber) -> bool:
        """Whether the GHL contact that this one is linked with is out of scope."""
        links = self.house.process.pair.store.links(emailoctopus=[subscriber.id])
        ends, address = {link.ghl_id for link in links}, subscriber.email_address.lower()
        people = self.outside.people()
        # Links that exchange their contacts write to one for whoever has its address now.
        taken = any((one.email or "").lower() == address and not self._is_outside(one) for one in people)
        return not taken and any(one.id in ends and self._is_outside(one) for one in people)

    def _untouchable(self, tags: Any) -> set[str]:
        return {name for name in tags if fnmatchcase(name.lower(), self.excluded)}


def _of_ghl(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)

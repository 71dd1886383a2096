"""Small worlds in which every kind of write happens in one cycle.

To add a kind of write: let the outside do what calls for it in `_a_day` (or `_two_strangers` for a first load), and say
in `settings` what the pair's section needs for it. `must` lists the requests that have to be among the points, so that
a world can't lose a kind unnoticed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sync_daemon.sandbox.emailoctopus.model import Automation, Field
from sync_daemon.sandbox.ghl.moments import to_ms
from sync_daemon.sandbox.server import Sandbox

Act = Callable[[Sandbox], None]


@dataclass(frozen=True, slots=True)
class KillWorld:
    """What the outside does before each cycle; the cycle after the last act is the one that is killed."""

    name: str
    acts: tuple[Act, ...]
    must: tuple[str, ...]
    settings: str = ""
    full: bool = False
    """Whether every cycle reads everything: nothing else finds who is missing."""
    order: tuple[str, ...] = ()
    """The command line with which a person answers to what the cycle before the last one held."""
    settles: int = 1
    """How many cycles it takes: what a rule tags in GHL travels in the next one."""
    looks_are_due: bool = False
    """Whether so much time passes before the last cycle that counts and consent sweeps are due."""


def _schema(sandbox: Sandbox) -> None:
    """All mapped fields on both sides but one, which the program has to make."""
    sandbox.ghl.world.add_field("Plan", "SINGLE_OPTIONS", ["Free", "Pro", "Team"])
    sandbox.ghl.world.add_field("Renewal", "DATE")
    for name in ("Phone", "City", "Plan"):
        sandbox.emailoctopus.world.add_field(sandbox.list_id, Field(name, name, "text"))


def _two_strangers(sandbox: Sandbox) -> None:
    """Two accounts that share some people and have never met."""
    _schema(sandbox)
    ghl, emailoctopus, list_id = sandbox.ghl.world, sandbox.emailoctopus.world, sandbox.list_id
    ghl.create(firstName="Ada", email="ada@example.com", tags=["vip"], city="Turin", custom={"plan": "Pro"})
    ghl.create(firstName="Cyd", lastName="Stone", email="cyd@example.com", tags=["lead"], phone="+14155550101")
    emailoctopus.add(list_id, "cyd@example.com", {"FirstName": "CYD", "City": "Oslo"}, ["Blog"])
    emailoctopus.add(list_id, "bob@example.com", {"FirstName": "Bob"}, ["Blog"])
    blocked = ghl.create(firstName="Dan", email="dan@example.com")
    ghl.set_dnd(blocked.id)
    emailoctopus.add(list_id, "dan@example.com", {"FirstName": "Dan"})
    eve = ghl.create(firstName="Eve", email="eve@example.com")
    while to_ms(sandbox.clock.now()) <= eve.date_updated:  # the newer one is linked: which of them that is must be sure
        continue
    ghl.create(firstName="Evelyn", email="eve@example.com")  # whose duplicate is blocked with her
    emailoctopus.add(list_id, "eve@example.com", {"FirstName": "Eve"}, status="unsubscribed")
    alone = ghl.create(firstName="Fay", email="fay@example.com")
    ghl.set_dnd(alone.id)
    ghl.create(firstName="Nobody", phone="+14155550102")
    emailoctopus.add(list_id, "pia@example.com", {"FirstName": "Pia"}, status="pending")
    emailoctopus.add(list_id, "uma@example.com", {"FirstName": "Uma"}, status="unsubscribed")


_BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
_PEOPLE = ("ann", "ben", "cat", "dot", "eli", "fox", "gus", "hal", "ivy", "jim", "kay", "lou", "mia")


def _friends(sandbox: Sandbox) -> None:
    """People who are equal on both sides, and one whom only EmailOctopus knows."""
    _schema(sandbox)
    for name in _PEOPLE:
        address, tags = f"{name}@example.com", ["old"] if name in ("dot", "eli") else []
        first = name.title()
        sandbox.ghl.world.create(at=_BEFORE, firstName=first, city="Rome", email=address, tags=tags)
        fields = {"FirstName": first, "City": "Rome"}
        sandbox.emailoctopus.world.add(sandbox.list_id, address, fields, tags, at=_BEFORE)
    sandbox.emailoctopus.world.add(sandbox.list_id, "mia.new@example.com", {"FirstName": "Mia"}, status="pending")


def _some_leave(sandbox: Sandbox) -> None:
    """Revocations on both sides, which may be taken back later."""
    sandbox.emailoctopus.world.unsubscribe(_subscriber(sandbox, "gus"))
    sandbox.ghl.world.set_dnd(_person(sandbox, "hal"))


def _a_day(sandbox: Sandbox) -> None:
    """A change of each kind, each to somebody else."""
    ghl, emailoctopus = sandbox.ghl.world, sandbox.emailoctopus.world
    ghl.edit(_person(sandbox, "ann"), firstName="Anna", city=None)
    emailoctopus.edit(_subscriber(sandbox, "ben"), {"FirstName": "Benno"})
    ghl.edit(_person(sandbox, "cat"), firstName="Catherine")
    emailoctopus.edit(_subscriber(sandbox, "cat"), {"FirstName": "Cate"})
    ghl.add_tags(_person(sandbox, "dot"), ["new"])
    ghl.remove_tags(_person(sandbox, "dot"), ["old"])
    emailoctopus.add_tags(_subscriber(sandbox, "eli"), ["Shop"])
    emailoctopus.remove_tags(_subscriber(sandbox, "eli"), ["old"])
    emailoctopus.unsubscribe(_subscriber(sandbox, "fox"))
    emailoctopus.set_status(_subscriber(sandbox, "gus"), "subscribed")  # opts in again: our DND is lifted
    ghl.set_dnd(_person(sandbox, "hal"), "inactive")  # lifted in GHL: subscribed again, as `resubscribe` allows
    ghl.set_dnd(_person(sandbox, "ivy"))
    jim, kay = _person(sandbox, "jim"), _person(sandbox, "kay")
    ghl.edit(jim, email="kay@example.com")
    ghl.edit(kay, email="jim@example.com")
    ghl.edit(_person(sandbox, "lou"), email="louise@example.com")
    ghl.edit(_person(sandbox, "mia"), email="mia.new@example.com")
    ghl.create(firstName="Zoe", email="zoe@example.com", tags=["new"])
    emailoctopus.add(sandbox.list_id, "yan@example.com", {"FirstName": "Yan"}, ["Shop"])


def _blind_friends(sandbox: Sandbox) -> None:
    """The same, in systems whose timestamps don't move when somebody opts out."""
    sandbox.emailoctopus.world.quirks.unsubscribe_touches = False
    sandbox.ghl.world.quirks.dnd_touches = False
    _friends(sandbox)


def _some_come(sandbox: Sandbox) -> None:
    """News in every listing, beyond which no poll reaches back."""
    sandbox.ghl.world.create(firstName="Zoe", email="zoe@example.com")
    sandbox.emailoctopus.world.add(sandbox.list_id, "eve@example.com", {"FirstName": "Eve"}, status="unsubscribed")
    sandbox.emailoctopus.world.add(sandbox.list_id, "pia@example.com", {"FirstName": "Pia"}, status="pending")
    sandbox.emailoctopus.world.add(sandbox.list_id, "yan@example.com", {"FirstName": "Yan"})


def _some_leave_unseen(sandbox: Sandbox) -> None:
    """Revocations that only the list's counts and GHL's filter tell."""
    sandbox.emailoctopus.world.unsubscribe(_subscriber(sandbox, "ann"))
    sandbox.ghl.world.set_dnd(_person(sandbox, "ben"))


def _some_go(sandbox: Sandbox) -> None:
    """Links that end or move where the policies are the strictest, and people who come revoked."""
    ghl = sandbox.ghl.world
    ghl.delete(_person(sandbox, "gus"))
    ghl.edit(_person(sandbox, "ann"), email="mia.new@example.com")  # the link moves, its old contact is deleted
    ghl.edit(_person(sandbox, "ben"), email="cat@example.com")  # a duplicate from now on: the link ends
    ghl.add_tags(_person(sandbox, "dot"), ["leaver"])
    blocked = ghl.create(firstName="Fay", email="fay@example.com")
    ghl.set_dnd(blocked.id)
    fields = {"FirstName": "Uma"}
    sandbox.emailoctopus.world.add(sandbox.list_id, "uma@example.com", fields, status="unsubscribed")


def _friends_with_namesake(sandbox: Sandbox) -> None:
    """The same, and somebody in GHL twice."""
    _friends(sandbox)
    sandbox.ghl.world.create(at=_BEFORE - timedelta(days=1), firstName="Annie", email="ann@example.com")


def _many_vanish(sandbox: Sandbox) -> None:
    """More deletions than a day may have: all of them wait for a person's word."""
    for name in ("eli", "fox", "gus"):
        sandbox.ghl.world.delete(_person(sandbox, name))


def _some_vanish(sandbox: Sandbox) -> None:
    """Few enough deletions of each kind, a merge, and more cleared fields than a day may have; and who is revoked."""
    ghl, emailoctopus = sandbox.ghl.world, sandbox.emailoctopus.world
    ghl.delete(_person(sandbox, "ivy"))
    emailoctopus.delete(_subscriber(sandbox, "hal"))
    ann, annie = (_person(sandbox, "ann", first) for first in ("Ann", "Annie"))
    ghl.set_dnd(ann)
    ghl.merge(annie, ann)  # the link goes to Annie, with Ann's block
    for name in ("ben", "cat", "jim"):
        ghl.edit(_person(sandbox, name), city=None)
    emailoctopus.unsubscribe(_subscriber(sandbox, "cat"))  # though something of hers is held
    emailoctopus.unsubscribe(_subscriber(sandbox, "fox"))  # though his contact in GHL is gone


_BOOKED, _COMPLETED = "00000000-0000-4000-8000-00000000b00c", "00000000-0000-4000-8000-0000000d09e5"
"""The ids of two automations, which the settings name."""


def _busy_friends(sandbox: Sandbox) -> None:
    """The same, some with activity that starts nothing: it was there before anybody looked."""
    _friends(sandbox)
    ghl, now = sandbox.ghl.world, sandbox.clock.now()
    for each in (_BOOKED, _COMPLETED):
        sandbox.emailoctopus.world.automations.add(Automation(each, sandbox.list_id, repeats=True))
    calendar = str(ghl.add_calendar("Fittings")["id"])
    event = ghl.book(_person(sandbox, "ann"), calendar, now + timedelta(days=9), title="First")
    ghl.calendars.events[event.id] = replace(event, date_added=to_ms(_BEFORE))
    for name in ("ann", "ben", "cat", "dot"):
        ghl.add_task(_person(sandbox, name), "Call back", now + timedelta(days=3))
    ghl.add_note(_person(sandbox, "eli"), "<p>Prefers mornings</p>")


def _much_happens(sandbox: Sandbox) -> None:
    """A change of each kind of activity; bookings and completed tasks also of who revokes, and of a newcomer."""
    ghl, now = sandbox.ghl.world, sandbox.clock.now()
    calendar = str(ghl.calendars.of_location(sandbox.location_id)[0]["id"])
    new = ghl.create(firstName="Zoe", email="zoe@example.com").id
    for ghl_id in (_person(sandbox, "ann"), _person(sandbox, "fox"), new):
        ghl.book(ghl_id, calendar, now + timedelta(days=2), title="Fitting")
    for name in ("ann", "ben"):
        ghl.complete_task(ghl.tasks.of(_person(sandbox, name))[0].id)
    ghl.delete_task(ghl.tasks.of(_person(sandbox, "cat"))[0].id)
    ghl.move_task(ghl.tasks.of(_person(sandbox, "dot"))[0].id, datetime(2099, 1, 5, tzinfo=UTC))
    eli = _person(sandbox, "eli")
    ghl.add_note(eli, "Prefers evenings")
    ghl.touch(eli)
    sandbox.emailoctopus.world.unsubscribe(_subscriber(sandbox, "fox"))


def _friends_with_mail(sandbox: Sandbox) -> None:
    """The same, one of whom clicked in a campaign hours ago: before any rule was active, though that is two hours."""
    _friends(sandbox)
    emailoctopus = sandbox.emailoctopus.world
    campaign = emailoctopus.create_campaign("Spring sale", [sandbox.list_id])
    emailoctopus.send_campaign(campaign.id)
    emailoctopus.click(_subscriber(sandbox, "ann"), campaign.id)
    campaign.sent_at = campaign.events[-1].at = emailoctopus.seconds() - 3 * 3600


def _much_is_read(sandbox: Sandbox) -> None:
    """People open, click, leave, sign up and are tagged, one of each kind that rules act on."""
    emailoctopus = sandbox.emailoctopus.world
    old = next(iter(emailoctopus.campaigns.values()))
    new = emailoctopus.create_campaign("Autumn", [sandbox.list_id])
    emailoctopus.send_campaign(new.id)
    for name, campaign in (("ann", new), ("ben", old), ("ben", new), ("cat", old)):
        emailoctopus.click(_subscriber(sandbox, name), campaign.id)
    emailoctopus.open_mail(_subscriber(sandbox, "dot"), new.id)
    emailoctopus.unsubscribe(_subscriber(sandbox, "fox"), new.id)
    emailoctopus.bounce(_subscriber(sandbox, "gus"), new.id)
    emailoctopus.add_tags(_subscriber(sandbox, "hal"), ["vip"])
    emailoctopus.edit(_subscriber(sandbox, "ivy"), {"FirstName": "Ivana"})
    emailoctopus.sign_up(sandbox.list_id, "yan@example.com", {"FirstName": "Yan"})
    sandbox.ghl.world.create(firstName="Zoe", email="zoe@example.com")  # whom the program adds has not signed up


def _person(sandbox: Sandbox, name: str, first: str | None = None) -> str:
    """Whoever has an address, and a first name where several have it."""
    having = (one for one in sandbox.ghl.world.contacts if one.email == f"{name}@example.com")
    return next(one.id for one in having if first in (None, one.fields["firstName"]))


def _subscriber(sandbox: Sandbox, name: str) -> str:
    address = f"{name}@example.com"
    found = sandbox.emailoctopus.world.lists[sandbox.list_id].contacts.with_address(address)
    assert found is not None
    return found.id


FIRST_LOAD = KillWorld(
    "first-load",
    (_two_strangers,),
    must=(
        "ghl POST /contacts/", "ghl PUT /contacts/*", "emailoctopus POST /lists/*/contacts",
        "emailoctopus PUT /lists/*/contacts/*", "emailoctopus POST /lists/*/tags", "emailoctopus POST /lists/*/fields",
    ),
)  # fmt: skip
LATER = KillWorld(
    "later",
    (_friends, _some_leave, _a_day),
    must=(
        "ghl POST /contacts/", "ghl PUT /contacts/*", "ghl POST /contacts/*/tags", "ghl DELETE /contacts/*/tags",
        "emailoctopus POST /lists/*/contacts", "emailoctopus PUT /lists/*/contacts/*",
        "emailoctopus PUT /lists/*/contacts/batch",
    ),
    settings="    resubscribe: allow\n",
)  # fmt: skip
BLIND = KillWorld(
    "blind",
    (_blind_friends, _some_come, _some_leave_unseen),
    must=("ghl PUT /contacts/*", "emailoctopus PUT /lists/*/contacts/*"),
    looks_are_due=True,
)
STRICT = KillWorld(
    "strict",
    (_friends, _some_go),
    must=("ghl POST /contacts/", "emailoctopus POST /lists/*/contacts", "emailoctopus DELETE /lists/*/contacts/*"),
    settings="""\
    deletes: {in_ghl: delete}
    create_suppressed: true
    scope: {tags_none: [leaver]}
    on_leave_scope: unsubscribe
""",
    full=True,
)
GONE = KillWorld(
    "gone",
    (_friends_with_namesake, _many_vanish, _some_vanish),
    must=(
        "ghl PUT /contacts/*", "ghl POST /contacts/*/tags", "ghl GET /contacts/search/duplicate",
        "emailoctopus PUT /lists/*/contacts/*",
    ),
    settings="    guard: {max_destructive_percent: 0, max_destructive_count: 2}\n",
    full=True,
    order=("held", "approve"),
)  # fmt: skip
ACTIVE = KillWorld(
    "active",
    (_busy_friends, _much_happens),
    must=(
        "emailoctopus PUT /lists/*/contacts/*", "emailoctopus POST /automations/*/queue",
        "ghl POST /locations/*/tasks/search", "ghl GET /contacts/*/notes", "ghl GET /calendars/events",
    ),
    settings=f"""\
    activity:
      tasks: {{open_count: OpenTasks, next_due: NextTaskDue, last_completed_title: TaskDone,
              on_completed: {{automation: {_COMPLETED}}}}}
      notes: {{latest: LastNote}}
      appointments: {{next_title: NextAppt, on_booked: {{automation: {_BOOKED}}}}}
""",
    looks_are_due=True,
)  # fmt: skip
RULED = KillWorld(
    "ruled",
    (_friends_with_mail, _much_is_read),
    must=(
        "ghl POST /contacts/*/notes", "ghl POST /contacts/*/tasks", "ghl POST /contacts/*/tags",
        "emailoctopus GET /campaigns/*/reports",
    ),
    settings="""\
    rules:
      - when: {event: clicked, campaign: "Spring*"}
        then: [{add_tag: "clicked {campaign_name}"}, {create_task: {title: "Call {first_name}", due_in: 2d}}]
      - when: {event: clicked, once_every: 7d}
        then: [{create_note: "Clicked"}]
      - when: {event: opened}
        then: [{create_note: "Opened {campaign_name}"}]
      - when: {event: unsubscribed}
        then: [{create_note: "Left"}]
      - when: {event: bounced}
        then: [{create_task: {title: "Ask for another address"}}]
      - when: {event: "tag_added:*"}
        then: [{add_tag: "tagged"}, {ghl: {operation: Create Contact Note, body: "{event}"}}]
      - when: {event: "field_changed:FirstName", tags_none: [old]}
        then: [{create_note: "Now {field[FirstName]}"}]
      - when: {event: subscribed}
        then: [{create_note: "Welcome {first_name}"}]
""",
    settles=2,
    looks_are_due=True,
)  # fmt: skip
WORLDS = (FIRST_LOAD, LATER, BLIND, STRICT, GONE, ACTIVE, RULED)

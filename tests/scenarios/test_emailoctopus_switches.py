"""What is uncertain about EmailOctopus, each fact as it is less likely: the same busy days end well all the same."""

from collections.abc import Iterator
from dataclasses import fields
from functools import partial
from typing import Any

import pytest

from sync_daemon.model.policy import Blanks, FieldRule
from sync_daemon.sandbox.emailoctopus.quirks import Quirks
from sync_daemon.sandbox.server import Sandbox
from tests.machine.laws import blocked, check_no_duplicates, links_of, tags_of
from tests.sandbox.emailoctopus.test_quirks import SCENARIOS
from tests.worlds import NAMES, World, add_field, world

DEFAULTS = {each.name: each.default for each in fields(Quirks)}
UNTOUCHED = {"report_times", "automation_unmailable", "equal_value_fires", "engagement_touches"}
"""About reports and automations, which no cycle asks for."""
LIMITS = {"batch_max", "field_limit", "tag_limit", "text_limit"}
"""Figures, of which each setting is a world of its own."""
UNEQUAL = {
    ("omitted_fields_kept", False): "an update would wipe what it doesn't name; it names only what must change",
    ("address_change_keeps_id", False): "who is moved in the dashboard gets another id: a deletion and a sign-up",
}
"""Where both sides can't become equal. They fall quiet all the same."""
MISSED = {("address_change_keeps_id", False), ("suppressed_reads_as", "own")}
"""Where a contact leaves every listing: it got another id; it bounced."""
SETTINGS = [
    (name, setting)
    for name, (_, outcomes) in SCENARIOS.items()
    for setting in outcomes
    if setting != DEFAULTS[name] and name not in UNTOUCHED | LIMITS
]
CUSTOM: tuple[tuple[str, str, str, list[str] | None], ...] = (
    ("Visits", "NUMERICAL", "number", None),
    ("Born", "DATE", "date", None),
    ("Likes", "MULTIPLE_OPTIONS", "choice_multiple", ["Tea", "Coffee"]),
    ("Note", "TEXT", "text", None),
    ("Kind", "SINGLE_OPTIONS", "choice_single", ["One", "Two"]),
)
MAPPING = (*NAMES, *(FieldRule(f"custom.{name.lower()}", name, blanks=Blanks.PROPAGATE) for name, *_ in CUSTOM))
VALUES = {"visits": 3, "born": "2000-02-03", "likes": ["Tea", "Coffee"], "note": "hello", "kind": "One"}
PEOPLE = tuple(f"{name}@example.com" for name in ("ada", "bob", "eve", "kim", "liv", "max", "zoe"))
ADA, BOB, EVE, KIM, LIV, MAX, ZOE = PEOPLE


def prepared(sandbox: Sandbox, name: str, setting: Any) -> None:
    for label, ghl_type, type_, choices in CUSTOM:
        sandbox.ghl.world.add_field(label, ghl_type, choices or [])
        add_field(sandbox, label, type_, choices)
    setattr(sandbox.emailoctopus.world.quirks, name, setting)


def everything_happens(here: World) -> None:
    """Each kind of change, in somebody's record on either side."""
    ids = {one: (str(here.in_ghl(one)["id"]), str(here.in_emailoctopus(one)["id"])) for one in PEOPLE}
    here.edit_person(ids[ADA][0], firstName="Augusta", custom={"visits": 4, "note": ""})
    here.edit_subscriber(ids[ADA][1], LastName="King", Likes=["Tea"])
    here.emailoctopus.add_tags(ids[BOB][1], ["Blog"])
    here.emailoctopus.remove_tags(ids[BOB][1], ["vip"])
    here.ghl.add_tags(ids[BOB][0], ["gold"])
    here.edit_subscriber(ids[BOB][1], Note=None, Kind="Two")
    here.emailoctopus.unsubscribe(ids[EVE][1])
    here.edit_person(ids[EVE][0], lastName="Adams")
    here.ghl.set_dnd(ids[KIM][0])
    here.emailoctopus.bounce(ids[LIV][1])
    here.edit_person(ids[MAX][0], email="maxi@example.org")
    here.emailoctopus.change_address(ids[ZOE][1], "zora@example.org")
    here.person("newcomer@example.com", first="New")
    here.subscriber("signup@example.com", first="Sign", fields={"Visits": 7, "Born": "1999-01-01"})
    here.subscriber("nameless@example.com", first="", last="")
    here.later(minutes=11)


def differences(here: World) -> Iterator[str]:
    people, subscribers = here.people(), here.subscribers()
    keys = {each.id: each.name for each in here.ghl.location.custom_fields.values()}
    links = [link for link in links_of(here) if link.emailoctopus_id in subscribers]
    if not len(people) == len(subscribers) == len(links) == len(PEOPLE) + 3:
        yield f"{len(people)} people, {len(subscribers)} subscribers, {len(links)} links"
    for link in links:
        ghl, row = people[link.ghl_id], subscribers[link.emailoctopus_id]
        custom = {keys[each["id"]]: each["value"] for each in ghl["customFields"] if each["value"]}
        names = {rule.emailoctopus: ghl.get(rule.ghl) for rule in NAMES}
        shown = {name: plain(value) for name, value in dict(row["fields"]).items() if value}
        if {name: plain(value) for name, value in {**names, **custom}.items() if value} != shown:
            yield f"fields of {ghl['email']}"
        if tags_of(ghl["tags"], "") != tags_of(row["tags"], ""):
            yield f"tags of {ghl['email']}"
        if ghl["email"].lower() != row["email_address"].lower():
            yield f"address of {ghl['email']}"
        if blocked(ghl) == (row["status"] == "subscribed"):
            yield f"consent of {ghl['email']}"


def plain(value: Any) -> str:
    """A value whatever form the switches give it: a number as text, a date with a time."""
    return ",".join(sorted(value)) if isinstance(value, list) else str(value).removesuffix("T00:00:00+00:00")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("name", "setting"), SETTINGS, ids=[f"{name}={setting}" for name, setting in SETTINGS])
def test_busy_days_end_equal_and_quiet(database_url: str, name: str, setting: Any) -> None:
    prepare = partial(prepared, name=name, setting=setting)
    with world(database_url, fields=MAPPING, prepare=prepare) as here:
        for address in PEOPLE:
            here.person(address, tags=["old", "vip"], custom=VALUES)
        here.reconcile()
        here.settle()
        everything_happens(here)
        here.settle(6)
        here.later(minutes=11)
        # Whoever stands in no listing any more is missed by a full scan alone.
        written = here.full().written
        assert bool(written) is ((name, setting) in MISSED), written
        here.settle()
        here.later(minutes=11)
        assert not here.full().written
        here.assert_quiet()
        check_no_duplicates(here, links_of(here))
        assert here.pair_store.totals().parked == 0
        found = list(differences(here))
        assert bool(found) is ((name, setting) in UNEQUAL), found

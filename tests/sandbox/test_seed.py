"""The invented people: the same for the same seed, and as odd as real ones."""

from collections import Counter

import phonenumbers
import pytest

from sync_daemon.sandbox.clock import ManualClock
from sync_daemon.sandbox.emailoctopus.patches import is_address
from sync_daemon.sandbox.seed import Population
from sync_daemon.sandbox.server import Sandbox


def filled(seed: int = 1, population: Population | None = None) -> Sandbox:
    sandbox = Sandbox(seed, ManualClock())
    sandbox.populate(population or Population())
    return sandbox


def test_the_same_seed_makes_the_same_worlds() -> None:
    first, again, other = filled(1), filled(1), filled(2)
    assert list(first.ghl.world.contacts) == list(again.ghl.world.contacts)
    assert subscribers(first) == subscribers(again)
    assert subscribers(first) != subscribers(other)
    assert (first.ghl_token, first.emailoctopus_key) == (again.ghl_token, again.emailoctopus_key)


def subscribers(sandbox: Sandbox) -> list[object]:
    return list(sandbox.emailoctopus.world.lists[sandbox.list_id].contacts)


@pytest.mark.parametrize("population", [Population(), Population(30, 20, 10), Population(5, 0, 0)])
def test_there_are_as_many_as_wanted(population: Population) -> None:
    sandbox = filled(population=population)
    assert len(sandbox.ghl.world.contacts) == population.ghl
    assert len(subscribers(sandbox)) == population.emailoctopus


def test_more_shared_people_than_there_are_is_an_error() -> None:
    with pytest.raises(ValueError, match="11 shared"):
        Population(10, 20, 11)


def test_shared_people_have_one_address_on_both_sides() -> None:
    sandbox = filled()
    ghl = {contact.email for contact in sandbox.ghl.world.contacts if contact.email}
    listed = sandbox.emailoctopus.world.lists[sandbox.list_id].contacts
    assert len(ghl & {contact.email_address.lower() for contact in listed}) == Population().shared


def test_ghl_has_every_oddity() -> None:
    contacts = list(filled().ghl.world.contacts)
    addresses = Counter(contact.email for contact in contacts if contact.email)
    assert any(contact.email is None for contact in contacts)
    assert any(not is_address(address) for address in addresses)
    assert max(addresses.values()) > 1
    assert any(contact.dnd for contact in contacts)
    assert any(contact.dnd_settings.get("Email", {}).get("status") == "active" for contact in contacts)
    assert all(len(contact.custom) == 3 for contact in contacts)
    assert len({contact.date_added for contact in contacts}) > 100


def test_telephone_numbers_are_valid_and_nobodys() -> None:
    numbers = [contact.phone for contact in filled().ghl.world.contacts]
    assert all(number is not None and "55501" in number for number in numbers)
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(str(number))) for number in numbers)


def test_emailoctopus_has_every_oddity() -> None:
    sandbox = filled()
    contacts = list(sandbox.emailoctopus.world.lists[sandbox.list_id].contacts)
    assert {contact.status for contact in contacts} == {"subscribed", "unsubscribed", "pending"}
    assert any(contact.email_address[0].isupper() for contact in contacts)
    assert any(str(contact.fields["FirstName"]).isupper() for contact in contacts)
    assert {tag for contact in contacts for tag in contact.tags} == {"Blog", "Newsletter", "VIP"}
    (campaign,) = sandbox.emailoctopus.world.campaigns.values()
    assert {event.kind for event in campaign.events} == {"sent", "opened", "clicked"}
    assert sandbox.emailoctopus.world.automations.starts == []


def test_ghl_has_activity() -> None:
    sandbox = Sandbox(1, ManualClock())
    seeded = sandbox.populate(Population())
    world = sandbox.ghl.world
    ids = [contact.id for contact in world.contacts]
    assert any(world.notes.of(contact_id) for contact_id in ids)
    assert {task.completed for contact_id in ids for task in world.tasks.of(contact_id)} == {True, False}
    assert {event.status for event in world.calendars.events.values()} == {"confirmed", "showed"}
    assert seeded.calendar_id in {event.calendar_id for event in world.calendars.events.values()}
    assert seeded.workflow_id in world.location.workflows

"""What other people do on both sides while nobody synchronises."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from random import Random
from typing import NamedTuple

from sync_daemon.commands.demo.sides import Sides, may_be_mailed
from sync_daemon.sandbox.emailoctopus.model import Contact as Subscriber
from sync_daemon.sandbox.ghl.contact import Contact


class Event(NamedTuple):
    """Something that happened: where, to whom, what."""

    where: str
    who: str
    what: str


_GHL, _EMAILOCTOPUS, _BOTH = "GHL", "EmailOctopus", "both"


def live(sides: Sides) -> list[Event]:
    """Let a day pass: edits each way, a conflict, tags, consent, a new address, new people."""
    ghl, emailoctopus, list_id = sides.sandbox.ghl.world, sides.sandbox.emailoctopus.world, sides.sandbox.list_id
    people = _quiet_people(sides)
    events: list[Event] = []

    def happened(where: str, contact: Contact, what: str) -> None:
        events.append(Event(where, contact.name, what))

    contact, _ = next(people)
    ghl.edit(contact.id, city="Lakewood")
    happened(_GHL, contact, "moved to Lakewood")

    contact, subscriber = next(people)
    emailoctopus.edit(subscriber.id, {"FirstName": "Maximilian"})
    happened(_EMAILOCTOPUS, contact, "corrects the first name to Maximilian")

    contact, subscriber = next(people)
    ghl.edit(contact.id, lastName="Miller-Stone")
    emailoctopus.edit(subscriber.id, {"LastName": "Stone"})
    happened(_BOTH, contact, "last name becomes Miller-Stone in GHL and Stone in EmailOctopus")

    contact, _ = next(people)
    ghl.add_tags(contact.id, ["attended workshop"])
    happened(_GHL, contact, "gets the tag attended workshop")

    contact, subscriber = next(one for one in people if one[1].tags)
    tag = next(iter(subscriber.tags))
    emailoctopus.remove_tags(subscriber.id, [tag])
    happened(_EMAILOCTOPUS, contact, f"loses the tag {tag}")

    contact, subscriber = next(people)
    emailoctopus.unsubscribe(subscriber.id)
    happened(_EMAILOCTOPUS, contact, "follows the unsubscribe link of a mail")

    contact, _ = next(people)
    ghl.set_dnd(contact.id)
    happened(_GHL, contact, "asks a colleague not to be mailed any more (DND)")

    contact, _ = next(people)
    ghl.edit(contact.id, email="new.address@example.org")
    happened(_GHL, contact, "has a new e-mail address")

    contact, _ = next(people)
    calendar = ghl.calendars.of_location(sides.sandbox.location_id)[0]
    ghl.book(contact.id, calendar["id"], ghl.clock.now() + timedelta(days=3), title="Discovery call")
    happened(_GHL, contact, "books a discovery call in three days")

    campaign = next(iter(emailoctopus.campaigns.values()))
    contact, subscriber = next(people)
    emailoctopus.click(subscriber.id, campaign.id)
    happened(_EMAILOCTOPUS, contact, f"clicks in the mail {campaign.subject}")

    emailoctopus.sign_up(list_id, "grace.finch@example.com", {"FirstName": "Grace", "LastName": "Finch"}, ["Blog"])
    events.append(Event(_EMAILOCTOPUS, "Grace Finch", "subscribes with the form on the website"))

    ghl.create(firstName="Oscar", lastName="Lind", email="oscar.lind@example.net", tags=["lead"])
    events.append(Event(_GHL, "Oscar Lind", "becomes a lead"))
    return events


def mishap(sides: Sides, people: int) -> Event:
    """Somebody empties a field of many people by mistake, as an import with an empty column does."""
    ghl = sides.sandbox.ghl.world
    with_a_city = (contact for contact, _ in _quiet_people(sides) if contact.fields.get("city"))
    emptied = [ghl.edit(contact.id, city=None) for contact in islice(with_a_city, people)]
    return Event(_GHL, f"{len(emptied)} people", "lose their city to an import with an empty column")


def one_more(sides: Sides, random: Random) -> Event:
    """One small thing that happens on one of the sides."""
    ghl, emailoctopus = sides.sandbox.ghl.world, sides.sandbox.emailoctopus.world
    contact, subscriber = random.choice(list(_quiet_people(sides)))
    match random.randrange(4):
        case 0:
            ghl.edit(contact.id, city=(city := random.choice(_CITIES)))
            return Event(_GHL, contact.name, f"moves to {city}")
        case 1:
            ghl.add_tags(contact.id, [tag := random.choice(_TAGS)])
            return Event(_GHL, contact.name, f"gets the tag {tag}")
        case 2:
            emailoctopus.edit(subscriber.id, {"City": (city := random.choice(_CITIES))})
            return Event(_EMAILOCTOPUS, contact.name, f"moves to {city}")
        case _:
            campaign = next(iter(emailoctopus.campaigns.values()))
            emailoctopus.click(subscriber.id, campaign.id)
            return Event(_EMAILOCTOPUS, contact.name, f"clicks in the mail {campaign.subject}")


_CITIES = ("Lakewood", "Springfield", "Riverside", "Fairview", "Georgetown")
_TAGS = ("attended workshop", "wants a call", "met at the fair")


def _quiet_people(sides: Sides) -> Iterator[tuple[Contact, Subscriber]]:
    """People on both sides who may be mailed, have nothing odd about them, in order of their names."""
    addresses = [contact.email for contact in sides.contacts()]
    found = [
        (contact, subscriber)
        for contact, subscriber in sides.meetings()
        if may_be_mailed(contact) and subscriber.status == "subscribed" and addresses.count(contact.email) == 1
    ]
    return iter(sorted(found, key=lambda one: one[0].name))

"""The GHL rooms over real HTTP against the sandbox, its quirks both ways and in both versions."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, Literal

import pytest

from sync_daemon.model.contact import Consent, Source
from sync_daemon.model.errors import (
    AlreadyExists,
    BatchRefused,
    ConfigurationError,
    CredentialsRefused,
    IncompleteRead,
    NotFound,
    QuotaExhausted,
    Refused,
    Unreachable,
)
from sync_daemon.model.plan import Action
from sync_daemon.sandbox.ghl.contact import Contact
from tests.contract.ghl_documented import Recorder
from tests.contract.ghl_place import Place, Stage, operation, refused, results, rows, served_stage, written

PERSON: dict[str, Any] = {
    "firstName": "Ada",
    "lastName": "King",
    "email": "Ada@Example.com",
    "phone": "+14155550123",
    "address1": "1 Main St",
    "city": "London",
    "country": "GB",
    "postalCode": "N1",
    "timezone": "Europe/London",
    "dateOfBirth": "1990-09-25",
    "source": "fair",
    "companyName": "Engines",
    "tags": ["VIP", "beta list"],
    "custom": {"plan": "gold", "seats": 12, "likes": ["tea", "coffee"], "renewal": "2026-09-01"},
}
FIELDS = {
    "firstName": "Ada",
    "lastName": "King",
    "name": "Ada King",
    "phone": "+14155550123",
    "address1": "1 Main St",
    "city": "London",
    "country": "GB",
    "postalCode": "N1",
    "timezone": "Europe/London",
    "dateOfBirth": "1990-09-25",
    "source": "fair",
    "companyName": "Engines",
    "custom.plan": "gold",
    "custom.seats": 12,
    "custom.likes": ("coffee", "tea"),
    "custom.renewal": "2026-09-01",
}
WRITABLE = {name: value for name, value in FIELDS.items() if name not in ("name", "companyName")}
SEARCH = "POST /contacts/search"


@pytest.fixture(scope="module")
def stage() -> Iterator[tuple[Stage, str]]:
    with served_stage() as served:
        yield served


@pytest.fixture
def place(stage: tuple[Stage, str]) -> Iterator[Place]:
    """A place of which every exchange is held against the official OpenAPI when the test is over."""
    place, recorder = Place.on(*stage), Recorder()
    place.transport = recorder
    yield place
    recorder.close()
    assert recorder.violations() == []


@pytest.fixture(params=["2021-07-28", "v3"])
def either(place: Place, request: pytest.FixtureRequest) -> Place:
    """The place, asked in each version."""
    place.version = request.param
    return place


# The schema and who may ask for it


def test_the_schema(either: Place) -> None:
    schema = either.bare().read_schema()
    assert (schema.title, schema.country, schema.time_zone) == ("Sandbox Location", "US", "America/New_York")
    likes = schema.field("custom.likes")
    assert likes is not None
    assert (likes.type, likes.label, likes.choices) == ("CHECKBOX", "Likes", ("tea", "coffee"))
    assert schema.field(f"custom.{either.ids['Plan']}") is schema.field("custom.plan")
    assert either.requests() == [
        f"GET /locations/{either.sandbox.location_id}",
        f"GET /locations/{either.sandbox.location_id}/customFields",
    ]


def test_an_unknown_location(place: Place) -> None:
    with pytest.raises(ConfigurationError, match=r"`pairs\.main\.ghl\.location_id`") as caught:
        place.bare(location_id="somebodyElsesLocation").read_schema()
    assert "(" not in str(caught.value), "one sentence after the other, none within another"
    assert "Settings > Business Profile" in str(caught.value)


def test_a_location_that_ghl_fails_to_tell(place: Place) -> None:
    place.befall("error", path="customFields", times=4)
    with pytest.raises(Unreachable, match="doesn't tell the location's settings and fields"):
        place.bare().read_schema()


def test_a_wrong_token(place: Place) -> None:
    with pytest.raises(CredentialsRefused, match=r"`pairs\.main\.ghl\.token`") as refusal:
        place.bare(token="pit-wrong").read_schema()
    assert "pit-wrong" not in str(refusal.value)


@pytest.mark.parametrize(
    ("scopes", "missing", "ask"),
    [
        ([], "locations.readonly", lambda system: system.read_schema()),
        (["locations.readonly"], "locations/customFields.readonly", lambda system: system.read_schema()),
        ([], "contacts.readonly", lambda system: system.reader.fetch("x")),
        ([], "contacts.readonly", lambda system: list(system.reader.scan("contacts"))),
        ([], "locations/tags.readonly", lambda system: system.reader.tag_names()),
        (["contacts.readonly"], "contacts.write", lambda system: written(system, operation(Action.DELETE, "x"))),
    ],
)
def test_a_missing_scope_is_named(place: Place, scopes: list[str], missing: str, ask: Callable[[Any], object]) -> None:
    system = place.bare(token=place.world.private_token(scopes))
    with pytest.raises(CredentialsRefused, match=f"lacks the scope `{missing}`"):
        ask(system)


def test_another_locations_token(place: Place) -> None:
    elsewhere = place.world.add_location()
    system = place.bare(token=place.world.private_token(location_id=elsewhere.id))
    with pytest.raises(ConfigurationError):
        system.read_schema()
    with pytest.raises(CredentialsRefused, match=r"`pairs\.main\.ghl\.location_id`"):
        list(system.reader.scan("contacts"))


def test_a_wrong_base_url(place: Place) -> None:
    with pytest.raises(Unreachable, match=r"ghl\.base_url"):
        place.bare(base_url=f"{place.url}/v1").read_schema()


# Listings


def test_a_scan_reads_every_contact_page_by_page(either: Place) -> None:
    everybody = {either.add(email=f"p{n}@example.com").id for n in range(1100)}
    system = either.system("firstName")
    pages = [page.whole() for page in system.reader.scan("contacts")]
    assert [len(page.snapshots) for page in pages] == [500, 500, 100]
    assert {row.contact_id for page in pages for row in page.snapshots} == everybody
    assert {page.total for page in pages} == {1100}
    assert either.requests() == [SEARCH] * 3


def test_a_hit_tells_all_that_is_mapped(either: Place) -> None:
    contact = either.add(**PERSON)
    either.world.add_email(contact.id, "ada@second.example.com")
    (hit,) = rows(either.system().reader.scan("contacts"))
    assert hit.fields == FIELDS
    assert hit.tags == {"vip", "beta list"}
    assert (hit.source, hit.address, hit.contact_type) == (Source.HINT, "ada@example.com", "lead")
    assert hit.additional_addresses == ("ada@second.example.com",)
    assert hit.consent is None  # nothing was ever said about it: hits then lack the key


def test_a_read_by_id_tells_the_same(either: Place) -> None:
    contact = either.add(**PERSON)
    system = either.system()
    (hit,) = rows(system.reader.scan("contacts"))
    read = system.reader.fetch(contact.id)
    assert read is not None
    assert (read.fields, read.tags, read.address, read.updated_at) == (
        hit.fields,
        hit.tags,
        hit.address,
        hit.updated_at,
    )
    assert (read.source, read.consent) == (Source.READ, Consent.GRANTED)


def test_names_that_hits_tell_in_lower_case_only_are_read_by_id(either: Place) -> None:
    either.quirks.hits_carry_names = False
    named, nameless = either.add(**PERSON), either.add(email="b@example.com")
    told = {row.contact_id: row for row in rows(either.system("firstName", "name").reader.scan("contacts"))}
    assert told[named.id].fields == {"firstName": "Ada", "name": "Ada King"}
    assert told[nameless.id].fields == {}
    assert (told[named.id].source, told[nameless.id].source) == (Source.READ, Source.HINT)
    assert either.requests() == [SEARCH, f"GET /contacts/{named.id}"]
    assert len(rows(either.system("city").reader.scan("contacts"))) == 2
    assert either.requests() == [SEARCH]


@pytest.mark.parametrize("carried", [True, False])
def test_a_time_zone_is_told_whether_hits_carry_it_or_not(either: Place, carried: bool) -> None:
    either.quirks.hits_carry_timezone = carried
    contact = either.add(**PERSON)
    (row,) = rows(either.system("timezone").reader.scan("contacts"))
    assert row.fields == {"timezone": "Europe/London"}
    assert either.requests() == [SEARCH, *([] if carried else [f"GET /contacts/{contact.id}"])]


@pytest.mark.parametrize(
    ("quirk", "form", "field"),
    [
        *[("date_field_form", form, "custom.renewal") for form in ("date", "instant", "epoch_ms")],
        *[("date_of_birth_form", form, "dateOfBirth") for form in ("date", "instant")],
    ],
)
def test_dates_in_each_of_their_forms(place: Place, quirk: str, form: str, field: str) -> None:
    setattr(place.quirks, quirk, form)
    contact = place.add(**PERSON)
    system = place.system()
    (hit,) = rows(system.reader.scan("contacts"))
    read = system.reader.fetch(contact.id)
    assert read is not None
    assert hit.fields[field] == read.fields[field] == FIELDS[field]


def test_an_address_in_the_case_that_is_kept(place: Place) -> None:
    place.quirks.email_case = "kept"
    place.add(**PERSON)
    (hit,) = rows(place.system().reader.scan("contacts"))
    assert hit.address == "Ada@Example.com"


def test_an_idle_poll_is_one_request(either: Place) -> None:
    for n in range(600):
        either.add(email=f"p{n}@example.com")
    either.clock.advance(3600)
    system = either.system()
    assert rows(system.reader.poll("contacts", either.clock.now() - timedelta(minutes=10))) == []
    assert either.requests() == [SEARCH]


Form = Literal["both", "iso", "epoch_ms"]


@pytest.mark.parametrize(
    ("taken", "other", "requests"),
    [("both", "ignored", 1), ("iso", "refused", 1), ("epoch_ms", "refused", 2), ("epoch_ms", "ignored", 2)],
)
def test_a_poll_finds_what_changed_whatever_form_a_range_takes(
    place: Place, taken: Form, other: Literal["ignored", "refused"], requests: int
) -> None:
    place.quirks.range_values, place.quirks.other_range_values = taken, other
    for n in range(10):
        place.add(email=f"p{n}@example.com")
        place.clock.advance(60)
    system = place.system("firstName")
    since = place.clock.now() - timedelta(seconds=185)
    found = rows(system.reader.poll("contacts", since))
    assert [row.address for row in found] == ["p7@example.com", "p8@example.com", "p9@example.com"]
    assert place.requests() == [SEARCH] * requests
    assert len(rows(system.reader.poll("contacts", since))) == 3
    assert len(place.requests()) == requests + 1  # what was found out is remembered


def test_a_poll_takes_the_first_moment_in(place: Place) -> None:
    place.clock.advance(0.123)
    contact = place.add(email="a@example.com")
    (row,) = rows(place.system().reader.poll("contacts", place.clock.now()))
    assert (row.contact_id, row.updated_at) == (contact.id, place.clock.now())
    assert rows(place.system().reader.poll("contacts", place.clock.now() + timedelta(milliseconds=1))) == []


def test_a_poll_is_not_turned_aside_by_a_search_that_is_refused_altogether(place: Place) -> None:
    system = place.system()
    place.befall("error", path="/contacts/search", status=400, times=2)
    with pytest.raises(IncompleteRead, match="refused to list contacts"):
        rows(system.reader.poll("contacts", place.clock.now()))
    place.add(email="a@example.com")
    place.sandbox.ghl.log.clear()
    assert len(rows(system.reader.poll("contacts", place.clock.now()))) == 1
    assert place.requests() == [SEARCH]


def test_the_index_runs_behind_and_a_read_does_not(place: Place) -> None:
    contact = place.add(email="a@example.com", firstName="Old")
    gone = place.add(email="b@example.com")
    place.clock.advance(3600)
    place.weather.index_lag_s = 60
    place.world.edit(contact.id, firstName="New")
    place.world.delete(gone.id)
    system = place.system("firstName")
    hits = {row.contact_id: row for row in rows(system.reader.scan("contacts"))}
    assert hits[contact.id].fields == {"firstName": "Old"}
    assert gone.id in hits
    read = system.reader.fetch(contact.id)
    assert read is not None
    assert read.fields == {"firstName": "New"}
    assert read.updated_at > hits[contact.id].updated_at
    assert system.reader.fetch(gone.id) is None


def test_a_listing_that_comes_back_short_proves_nothing(place: Place) -> None:
    for n in range(20):
        place.add(email=f"p{n}@example.com")
    place.weather.short_listing = 0.5
    reader = place.system().reader
    pages = reader.scan("contacts")
    assert len(next(pages).whole().snapshots) == 10
    with pytest.raises(IncompleteRead, match="ended after 10 rows although it says there are 20"):
        list(pages)
    assert len(rows(reader.poll("contacts", place.clock.now() - timedelta(hours=1)))) == 10


def test_a_short_listing_whose_total_is_short_as_well_tells_that_total(place: Place) -> None:
    for n in range(20):
        place.add(email=f"p{n}@example.com")
    place.weather.short_listing, place.weather.short_total = 0.5, True
    (page,) = place.system().reader.scan("contacts")
    assert (len(page.records), page.total) == (10, 10)


# Consent


@pytest.mark.parametrize("hits_carry_dnd", ["always", "when_set", "never"])
@pytest.mark.parametrize("unseen_matches_all", [True, False])
@pytest.mark.parametrize("seen", [(), ("active",), ("active", "permanent")])
def test_everybody_who_revoked_is_found(
    either: Place, seen: tuple[Literal["active", "permanent"], ...], unseen_matches_all: bool, hits_carry_dnd: Any
) -> None:
    either.quirks.hits_carry_dnd = hits_carry_dnd
    either.quirks.unseen_dnd_matches_all = unseen_matches_all
    people = [either.add(email=f"p{n}@example.com") for n in range(20)]
    expected = {people[0].id: True}
    either.world.set_dnd_all(people[0].id, dnd=True)
    either.world.set_dnd(people[1].id, "active", "SMS")
    either.world.set_dnd(people[2].id, "inactive")
    for person, status in zip(people[3:], seen, strict=False):
        either.world.set_dnd(person.id, status)
        expected[person.id] = status == "permanent"
    found = rows(either.system().reader.scan_revoked())
    assert {row.contact_id: row.permanent for row in found} == expected
    assert {row.consent for row in found} == {Consent.REVOKED}
    assert len(either.requests()) <= 3 + len(expected)


def test_one_contact_that_cant_be_read_keeps_no_other_from_being_found(place: Place) -> None:
    place.quirks.hits_carry_dnd = "never"
    people = [place.add(email=f"p{n}@example.com") for n in range(3)]
    for person in people:
        place.world.unsubscribe(person.id)
    system = place.system()
    place.befall("error", "GET", people[1].id, times=99)
    (page,) = system.reader.scan_revoked()
    assert {row.contact_id for row in page.snapshots} == {people[0].id, people[2].id}
    assert [(row.contact_id, row.why) for row in page.malformed] == [
        (people[1].id, "GHL doesn't tell it: server_error")
    ]


def test_hits_without_dnd_tell_nothing_unless_all_channels_are_off(place: Place) -> None:
    place.quirks.hits_carry_dnd = "never"
    people = [place.add(email=f"p{n}@example.com") for n in range(3)]
    place.world.unsubscribe(people[1].id)
    place.world.set_dnd_all(people[2].id, dnd=True)
    hits = {row.contact_id: row.consent for row in rows(place.system().reader.scan("contacts"))}
    assert hits == {people[0].id: None, people[1].id: None, people[2].id: Consent.REVOKED}


def test_the_e_mail_channel_alone_is_blocked_and_freed(either: Place) -> None:
    contact = either.add(email="a@example.com")
    either.world.set_dnd(contact.id, "active", "SMS", "STOP")
    system = either.system()
    blocked = written(system, operation(Action.SET_DND, contact.id, consent=Consent.REVOKED))
    assert blocked.contact is not None
    assert (blocked.contact.consent, blocked.contact.permanent) == (Consent.REVOKED, False)
    assert _dnd(either, contact) == {"SMS": "active", "Email": "active"}
    freed = written(system, operation(Action.LIFT_DND, contact.id, consent=Consent.GRANTED))
    assert freed.contact is not None
    assert freed.contact.consent is Consent.GRANTED
    assert _dnd(either, contact) == {"SMS": "active", "Email": "inactive"}
    assert either.requests() == [f"PUT /contacts/{contact.id}"] * 2


@pytest.mark.parametrize("lower", [True, False])
def test_v3_may_answer_in_either_case_of_a_channel(place: Place, lower: bool) -> None:
    place.version, place.quirks.v3_lower_dnd_on_read = "v3", lower
    if not lower:
        place.transport = None  # this is the very thing that isn't as documented
    contact = place.add(email="a@example.com")
    system = place.system()
    blocked = written(system, operation(Action.SET_DND, contact.id, consent=Consent.REVOKED))
    assert blocked.contact is not None
    assert blocked.contact.consent is Consent.REVOKED
    assert [row.consent for row in rows(system.reader.scan("contacts"))] == [Consent.REVOKED]
    assert [row.contact_id for row in rows(system.reader.scan_revoked())] == [contact.id]
    assert _dnd(place, contact) == {"Email": "active"}


def test_what_is_permanent_or_meant_for_all_channels_stays(place: Place) -> None:
    bounced, off = place.add(email="a@example.com"), place.add(email="b@example.com")
    place.world.bounce(bounced.id)
    place.world.set_dnd_all(off.id, dnd=True)
    system = place.system()
    for contact in (bounced, off):
        lifted = written(system, operation(Action.LIFT_DND, contact.id, consent=Consent.GRANTED))
        assert lifted.contact is not None
        assert (lifted.contact.consent, lifted.contact.permanent) == (Consent.REVOKED, True)
    assert place.world.contacts.get(off.id).dnd


def _dnd(place: Place, contact: Contact) -> dict[str, str]:
    settings = place.world.contacts.get(contact.id).dnd_settings
    return {channel: setting["status"] for channel, setting in settings.items()}


# Single reads


@pytest.mark.parametrize("contact_id", ["neverSeenNeverSeen00", "ä ö?#%"])
def test_an_unknown_id_is_nobody(place: Place, contact_id: str) -> None:
    assert place.system().reader.fetch(contact_id) is None


@pytest.mark.parametrize("match", [True, False])
def test_an_address_is_found_as_ghl_finds_it(either: Place, match: bool) -> None:
    either.quirks.additional_emails_match = match
    contact = either.add(email="a+b@example.com", firstName="Ada")
    either.world.add_email(contact.id, "second@example.com")
    reader = either.system().reader
    found = reader.find("A+B@example.com")
    assert found is not None
    assert (found.contact_id, found.source, found.fields["firstName"]) == (contact.id, Source.READ, "Ada")
    assert (reader.find("second@example.com") is not None) is match
    assert reader.find("nobody@example.com") is None


def test_tags_are_listed_as_ghl_spells_them(place: Place) -> None:
    place.add(email="a@example.com", tags=["VIP", " Beta List "])
    assert sorted(place.system().reader.tag_names()) == ["beta list", "vip"]


# Creations


def test_a_creation(either: Place) -> None:
    system = either.system()
    new = operation(Action.CREATE, address="Ada@example.com", fields=WRITABLE, tags=("VIP", "new"))
    returned = written(system, new)
    read = system.reader.fetch(returned.contact_id)
    assert read is not None
    assert returned.contact is not None
    assert returned.contact.fields == read.fields == {**WRITABLE, "name": "Ada King"}
    assert returned.tags == read.tags == {"vip", "new"}
    assert (returned.contact.address, returned.contact.consent) == ("ada@example.com", Consent.GRANTED)
    assert returned.updated_at == read.updated_at


def test_a_creation_leaves_the_source_alone(place: Place) -> None:
    place.sandbox.ghl.log.recording = True
    written(
        place.system(), operation(Action.CREATE, address="a@example.com", fields={"firstName": "Ada", "phone": None})
    )
    (exchange,) = place.exchanges()
    assert exchange.request == {
        "locationId": place.sandbox.location_id,
        "email": "a@example.com",
        "firstName": "Ada",
    }


def test_a_creation_of_somebody_who_revoked(either: Place) -> None:
    new = operation(Action.CREATE, address="a@example.com", consent=Consent.REVOKED)
    returned = written(either.system(), new)
    assert returned.contact is not None
    assert returned.contact.consent is Consent.REVOKED


@pytest.mark.parametrize(
    ("address", "phone", "field", "code"),
    [
        ("ADA@example.com", None, "address", "address_taken"),
        ("new@example.com", "+14155550123", "phone", "phone_taken"),
    ],
)
def test_a_creation_meets_somebody(either: Place, address: str, phone: str | None, field: str, code: str) -> None:
    there = either.add(**PERSON)
    fields = {"phone": phone} if phone else {}
    refusal = refused(either.system(), operation(Action.CREATE, address=address, fields=fields))
    assert isinstance(refusal, AlreadyExists)
    assert (refusal.fields, refusal.other_id, refusal.code) == ((field,), there.id, code)
    assert either.requests() == ["POST /contacts/"]


@pytest.mark.parametrize("kind", ["lost_answer", "truncate"])
def test_a_creation_whose_answer_is_lost_is_looked_for(either: Place, kind: str) -> None:
    system = either.system()
    either.befall(kind, "POST", "/contacts/$")
    refusal = refused(system, operation(Action.CREATE, address="a+b@example.com"))
    (created,) = either.world.contacts
    assert isinstance(refusal, AlreadyExists)
    assert (refusal.fields, refusal.other_id) == (("address",), created.id)
    assert either.requests() == ["POST /contacts/", "GET /contacts/search/duplicate"]


@pytest.mark.parametrize("kind", ["drop", "error", "html_error"])
def test_a_creation_that_was_not_applied_is_sent_once_more(place: Place, kind: str) -> None:
    system = place.system()
    place.befall(kind, "POST", "/contacts/$", status=502)
    returned = written(system, operation(Action.CREATE, address="a@example.com"))
    assert [contact.id for contact in place.world.contacts] == [returned.contact_id]
    assert place.requests() == ["POST /contacts/", "GET /contacts/search/duplicate", "POST /contacts/"]


def test_a_creation_that_fails_again_is_given_up(place: Place) -> None:
    system = place.system()
    place.befall("error", "POST", "/contacts/$", times=2)
    assert refused(system, operation(Action.CREATE, address="a@example.com")).code == "answer_lost"
    assert len(place.world.contacts) == 0
    assert place.requests() == ["POST /contacts/", "GET /contacts/search/duplicate"] * 2


def test_a_second_creation_whose_answer_is_lost_is_looked_for_as_well(place: Place) -> None:
    system = place.system()
    place.befall("error", "POST", "/contacts/$")
    place.befall("lost_answer", "POST", "/contacts/$")
    refusal = refused(system, operation(Action.CREATE, address="a@example.com"))
    (created,) = place.world.contacts
    assert refusal.other_id == created.id


def test_a_refusal_may_hide_a_creation(either: Place) -> None:
    either.quirks.create_fails_though_created = True
    refusal = refused(either.system(), operation(Action.CREATE, address="a@example.com"))
    (created,) = either.world.contacts
    assert isinstance(refusal, AlreadyExists)
    assert refusal.other_id == created.id


def test_a_throttled_creation_is_simply_repeated(place: Place) -> None:
    system = place.system()
    place.befall("throttle", "POST", "/contacts/$")
    written(system, operation(Action.CREATE, address="a@example.com"))
    assert place.requests() == ["POST /contacts/"] * 2
    assert system.usage().throttled == 1


def test_a_creation_that_may_have_been_sent_before_looks_first(place: Place) -> None:
    there = place.add(email="a@example.com")
    system = place.system()
    refusal = refused(system, operation(Action.CREATE, address="a@example.com", resend=True))
    assert isinstance(refusal, AlreadyExists)
    assert refusal.other_id == there.id
    written(system, operation(Action.CREATE, address="b@example.com", resend=True))
    look = "GET /contacts/search/duplicate"
    assert place.requests() == [look, look, "POST /contacts/"]


@pytest.mark.parametrize(
    ("address", "fields", "pointed"),
    [
        ("a@example.com", {"firstName": "Ada", "phone": "not a number"}, ("phone",)),
        ("a@example.com", {"dateOfBirth": "yesterday", "city": "x"}, ("dateOfBirth",)),
        ("not an address", {"phone": "+14155550123"}, ("address",)),
    ],
)
def test_a_refused_creation_points_at_the_field(
    either: Place, address: str, fields: dict[str, str], pointed: tuple[str, ...]
) -> None:
    refusal = refused(either.system(), operation(Action.CREATE, address=address, fields=fields))
    assert type(refusal) is Refused
    assert (refusal.code, refusal.fields) == ("invalid", pointed)


# Updates


def test_an_update_changes_what_it_names(either: Place) -> None:
    contact = either.add(**PERSON)
    either.clock.advance(60)
    system = either.system()
    change = {"firstName": "Augusta", "custom.plan": "silver", "custom.likes": ("tea",), "custom.seats": 12.5}
    returned = written(system, operation(Action.UPDATE, contact.id, fields=change, address="new@example.com"))
    assert returned.contact is not None
    assert returned.contact.fields == {**FIELDS, **change, "name": "Augusta King"}
    assert returned.contact.address == "new@example.com"
    assert returned.tags == frozenset({"vip", "beta list"})
    assert returned.updated_at == either.clock.now()
    assert either.requests() == [f"PUT /contacts/{contact.id}"]


@pytest.mark.parametrize("name", ["firstName", "phone", "timezone", "dateOfBirth", "custom.plan", "custom.likes"])
@pytest.mark.parametrize("null_clears", [True, False])
def test_a_clear_is_verified_and_tried_with_an_empty_string_once(place: Place, name: str, null_clears: bool) -> None:
    place.quirks.null_clears = null_clears
    contact = place.add(**PERSON)
    system = place.system(name)
    returned = written(system, operation(Action.UPDATE, contact.id, fields={name: None}))
    assert returned.contact is not None
    assert name not in returned.contact.fields
    tries = place.requests().count(f"PUT /contacts/{contact.id}")
    assert tries == (1 if null_clears else 2)
    written(system, operation(Action.UPDATE, contact.id, fields={name: None}))
    assert place.requests().count(f"PUT /contacts/{contact.id}") == tries + 1


@pytest.mark.parametrize("empty_text", ["ignored", "refused"])
@pytest.mark.parametrize("name", ["firstName", "custom.plan"])
def test_what_nothing_clears_is_told_and_the_rest_is_written(
    place: Place, name: str, empty_text: Literal["ignored", "refused"]
) -> None:
    place.quirks.null_clears, place.quirks.empty_text = False, empty_text
    contact = place.add(**PERSON)
    system = place.system(name, "city")
    for city, tries in (("Oslo", 2), ("Rome", 1)):  # both were tried once; neither is tried again
        place.sandbox.ghl.log.clear()
        returned = written(system, operation(Action.UPDATE, contact.id, fields={name: None, "city": city}))
        assert returned.contact is not None
        assert returned.contact.fields == {name: FIELDS[name], "city": city}
        assert place.requests() == [f"PUT /contacts/{contact.id}"] * tries


def test_a_date_that_is_dropped_without_a_word_comes_back_blank(place: Place) -> None:
    place.quirks.date_of_birth_dropped = True
    contact = place.add(email="a@example.com")
    returned = written(place.system(), operation(Action.UPDATE, contact.id, fields={"dateOfBirth": "1990-09-25"}))
    assert returned.contact is not None
    assert "dateOfBirth" not in returned.contact.fields


@pytest.mark.parametrize(("unknown", "kept"), [("kept", ("lemonade", "tea")), ("dropped", ("tea",))])
def test_a_choice_that_is_no_option_is_told_as_ghl_keeps_it(
    either: Place, unknown: Literal["kept", "dropped"], kept: tuple[str, ...]
) -> None:
    either.quirks.unknown_option = unknown
    contact = either.add(email="a@example.com")
    change = operation(Action.UPDATE, contact.id, fields={"custom.likes": ("lemonade", "tea")})
    returned = written(either.system(), change)
    assert returned.contact is not None
    assert returned.contact.fields["custom.likes"] == kept


def test_a_moved_address_meets_somebody(either: Place) -> None:
    there, contact = either.add(**PERSON), either.add(email="b@example.com")
    refusal = refused(either.system(), operation(Action.UPDATE, contact.id, address="ada@example.com"))
    assert isinstance(refusal, AlreadyExists)
    assert (refusal.fields, refusal.other_id) == (("address",), there.id)


def test_an_update_of_nobody(place: Place) -> None:
    system = place.system()
    for change in (
        operation(Action.UPDATE, "goneGoneGoneGone0000", fields={"city": "x"}),
        operation(Action.SET_DND, "goneGoneGoneGone0000"),
        operation(Action.ADD_TAGS, "goneGoneGoneGone0000", tags=("a",)),
        operation(Action.REMOVE_TAGS, "goneGoneGoneGone0000", tags=("a",)),
    ):
        assert isinstance(refused(system, change), NotFound)


@pytest.mark.parametrize(
    ("fields", "pointed"),
    [({"phone": "not a number", "city": "x"}, ("phone",)), ({"companyName": "Engines"}, ("companyName",))],
)
def test_a_refused_update_points_at_the_field(either: Place, fields: dict[str, str], pointed: tuple[str, ...]) -> None:
    contact = either.add(email="a@example.com")
    refusal = refused(either.system(), operation(Action.UPDATE, contact.id, fields=fields))
    assert (refusal.code, refusal.fields) == ("invalid", pointed)


def test_an_update_whose_answer_is_lost_is_repeated(place: Place) -> None:
    contact = place.add(email="a@example.com")
    system = place.system()
    for kind in ("lost_answer", "truncate", "drop", "error", "html_error"):
        place.befall(kind, "PUT", status=503)
        returned = written(system, operation(Action.UPDATE, contact.id, fields={"city": kind}))
        assert returned.contact is not None
        assert returned.contact.fields["city"] == kind
    assert len(place.requests()) == 10


# Tags


def test_tags_of_one_contact(either: Place) -> None:
    contact = either.add(email="a@example.com", tags=["old", "stays"])
    system = either.system()
    added = written(system, operation(Action.ADD_TAGS, contact.id, tags=("New One",)))
    removed = written(system, operation(Action.REMOVE_TAGS, contact.id, tags=("OLD",)))
    assert added.tags == frozenset({"old", "stays", "new one"})
    assert removed.tags == frozenset({"stays", "new one"})
    path = f"/contacts/{contact.id}/tags"
    assert either.requests() == [f"POST {path}", f"DELETE {path}"]


@pytest.mark.parametrize(
    ("action", "after"), [(Action.ADD_TAGS, {"old", "new"}), (Action.REMOVE_TAGS, {"old"})], ids=["add", "remove"]
)
def test_tags_of_many_contacts_are_one_request(either: Place, action: Action, after: set[str]) -> None:
    tags = ["old", "new"] if action is Action.REMOVE_TAGS else ["old"]
    people = [either.add(email=f"p{n}@example.com", tags=tags) for n in range(30)]
    either.world.delete(people[4].id)
    ids = [*(person.id for person in people), "notAnIdOfAnybody0000"]
    system = either.system()
    found = results(system, *(operation(action, contact_id, tags=("new",)) for contact_id in ids))
    assert either.requests() == [f"POST /contacts/bulk/tags/update/{'add' if action is Action.ADD_TAGS else 'remove'}"]
    assert [result.operation.ghl_id for result in found] == ids
    missing = [result.operation.ghl_id for result in found if isinstance(result.refusal, NotFound)]
    assert missing == [people[4].id, "notAnIdOfAnybody0000"]
    assert {result.returned.tags for result in found if result.returned is not None} == {frozenset(after)}


def test_a_bulk_request_that_is_refused_as_a_whole(place: Place) -> None:
    place.quirks.bulk_tags_max = 50
    people = [place.add(email=f"p{n}@example.com") for n in range(60)]
    system = place.system()
    changes = [operation(Action.ADD_TAGS, person.id, tags=("new",)) for person in people]
    (whole,) = system.writer.bundle(changes, 100)
    with pytest.raises(BatchRefused):
        system.writer.send(whole)
    assert [len(each.operations) for each in system.writer.bundle(changes, 50)] == [50, 10]
    assert all(result.returned for each in system.writer.bundle(changes, 50) for result in system.writer.send(each))


# Deletions


def test_a_deletion(either: Place) -> None:
    contact = either.add(email="a@example.com")
    system = either.system()
    assert written(system, operation(Action.DELETE, contact.id)).contact_id == contact.id
    assert system.reader.fetch(contact.id) is None
    assert written(system, operation(Action.DELETE, contact.id)).contact_id == contact.id


# Definitions


@pytest.mark.parametrize("options_key", [True, False])
@pytest.mark.parametrize(
    ("vendor_type", "choices"),
    [("TEXT", ()), ("NUMERICAL", ()), ("DATE", ()), ("SINGLE_OPTIONS", ("S", "M")), ("MULTIPLE_OPTIONS", ("S",))],
)
def test_a_field_is_created_once(either: Place, vendor_type: str, choices: tuple[str, ...], options_key: bool) -> None:
    either.quirks.field_options_key = options_key
    bare = either.bare()
    bare.writer.create_field("custom.shirt_size", vendor_type, "Shirt size", choices)
    bare.writer.create_field("custom.shirt_size", vendor_type, "Shirt size", choices)
    spec = bare.read_schema().field("custom.shirt_size")
    assert spec is not None
    assert (spec.type, spec.label, spec.choices) == (vendor_type, "Shirt size", choices)
    assert sum("customFields" in one and one.startswith("POST") for one in either.requests()) <= 2


def test_a_label_that_would_get_another_key_gives_way_to_it(place: Place) -> None:
    bare = place.bare()
    bare.writer.create_field("custom.size", "TEXT", "What is your size?", ())
    spec = bare.read_schema().field("custom.size")
    assert spec is not None
    assert spec.label == "size"


def test_a_field_whose_answer_is_lost_is_looked_for(place: Place) -> None:
    bare = place.bare()
    place.befall("lost_answer", "POST", "customFields")
    bare.writer.create_field("custom.size", "TEXT", "Size", ())
    keys = [one.field_key for one in place.world.location.custom_fields.values()]
    assert keys.count("contact.size") == 1
    place.befall("error", "POST", "customFields")
    with pytest.raises(Refused, match=r"didn't answer when the field custom\.shape"):
        bare.writer.create_field("custom.shape", "TEXT", "Shape", ())


def test_a_field_that_ghl_names_otherwise_is_told(place: Place) -> None:
    place.world.add_field("Other", "TEXT").field_key = "opportunity.x"
    with pytest.raises(Refused, match=r"custom\.a_b, not custom\.A-B"):
        place.bare().writer.create_field("custom.A-B", "TEXT", "Anything", ())


def test_a_tag_is_created_once(either: Place) -> None:
    writer = either.bare().writer
    writer.create_tag("Fresh")
    writer.create_tag("fresh")
    either.befall("lost_answer", "POST", "/tags$")
    writer.create_tag("Second")
    assert sorted(either.world.location.tags.values()) == ["fresh", "second"]


# Weather and limits


@pytest.mark.parametrize("kind", ["lost_answer", "truncate", "drop", "error", "html_error", "throttle"])
def test_reads_outlast_the_weather(place: Place, kind: str) -> None:
    contact = place.add(email="a@example.com")
    system = place.system()
    place.befall(kind, times=2, status=503)
    assert len(rows(system.reader.scan("contacts"))) == 1
    place.befall(kind, status=503)
    assert system.reader.fetch(contact.id) is not None
    assert len(place.requests()) == 5


def test_a_time_out_that_calls_itself_unauthorized_is_repeated(place: Place) -> None:
    contact = place.add(email="a@example.com")
    system = place.system()
    place.befall("error", status=401, times=2)
    assert system.reader.fetch(contact.id) is not None
    assert len(place.requests()) == 3


def test_a_system_that_is_down(place: Place) -> None:
    system = place.system()
    place.weather.error_rate = 1.0
    with pytest.raises(Unreachable):
        rows(system.reader.scan("contacts"))
    assert len(place.requests()) <= 5


def test_the_rate_rises_to_what_the_headers_allow(place: Place) -> None:
    system = place.bare()
    assert system.seconds_for(26) >= 10
    system.read_schema()
    assert system.seconds_for(100) < 10
    assert system.usage().requests == 2
    assert system.usage().daily_limit == 200_000
    assert system.usage().daily_remaining == 199_998


def test_a_sustained_load_stays_within_the_limit(place: Place) -> None:
    contact = place.add(email="a@example.com")
    system = place.system()
    begun = place.clock.monotonic()
    for _ in range(300):
        assert system.reader.fetch(contact.id) is not None
    assert system.usage().throttled == 0
    assert place.clock.monotonic() - begun < 40


def test_the_last_requests_of_a_day_are_kept_for_revocations(place: Place) -> None:
    contact = place.add(email="a@example.com")
    place.sandbox.ghl.limiter.settings.per_day = 103  # type: ignore[attr-defined]  # GHL's has it
    system = place.system()
    assert system.reader.fetch(contact.id) is not None
    with pytest.raises(QuotaExhausted):
        system.reader.fetch(contact.id)
    written(system, operation(Action.SET_DND, contact.id, consent=Consent.REVOKED))
    with pytest.raises(QuotaExhausted):
        results(system, operation(Action.LIFT_DND, contact.id))

"""Each switch, both ways: what the sandbox does when an unproven fact is so, and when it isn't."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sync_daemon.sandbox.ghl.quirks import GhlQuirks
from tests.sandbox.ghl.agency import BY_ADDED, Agency, where
from tests.sandbox.receiver import receiver
from tests.sandbox.webhooks import told, types

EMAIL_ACTIVE = {"Email": {"status": "active"}}


def test_every_switch_is_tested_here() -> None:
    text = Path(__file__).read_text()
    assert [name for name in GhlQuirks.__struct_fields__ if f'"{name}"' not in text and f"{name}=" not in text] == []


def test_switches_can_be_turned_over_http() -> None:
    agency = Agency()
    assert agency.ask("GET", "/_sandbox/quirks").json() == msgspec.to_builtins(GhlQuirks())
    assert agency.ask("PUT", "/_sandbox/quirks", {"email_case": "kept"}).json()["email_case"] == "kept"
    assert agency.get(agency.added(email="Ada@Example.com"))["email"] == "Ada@Example.com"
    assert agency.ask("PUT", "/_sandbox/quirks", {"email_case": "upper"}).status == 400


# Who may call, and how


@pytest.mark.parametrize(("strict", "statuses"), [(True, [401, 200, 200, 401]), (False, [200, 200, 200, 200])])
def test_versions_of_a_route(strict: bool, statuses: list[int]) -> None:
    agency = Agency(strict_versions=strict)
    url = f"/calendars/?locationId={agency.location.id}"
    versions = ("2021-07-28", "2021-04-15", "2023-02-21", "legacy")
    assert [agency.ask("GET", url, version=version).status for version in versions] == statuses


@pytest.mark.parametrize("status", [422, 403])
def test_missing_location(status: int) -> None:
    agency = Agency(missing_location_status=status)
    answers = [
        agency.ask("POST", "/contacts/search", {"pageLimit": 10}),
        agency.ask("POST", "/contacts/", {"email": "ada@example.com"}),
        agency.ask("GET", "/workflows/"),
    ]
    assert [answer.status for answer in answers] == [status] * 3


@pytest.mark.parametrize(("grace", "status"), [(0.0, 400), (30.0, 200)])
def test_used_refresh_token_within_the_grace(grace: float, status: int) -> None:
    agency = Agency(refresh_grace_s=grace)
    accounts = agency.world.accounts
    app = accounts.add_app("client", "secret", ["https://example.com/back"])
    code = accounts.consent(app, agency.location, agency.world.company_id, ["contacts.readonly"], "")
    token = accounts.trade_code(app, code, None).refresh_token
    body = {"clientId": "client", "clientSecret": "secret", "grantType": "refresh_token", "refreshToken": token}
    answers = []
    for wait in (0, 10, 30):
        agency.clock.advance(wait)
        answers.append(agency.ask("POST", "/oauth/token", body, version="v3").status)
    assert answers == [200, status, 400]


@pytest.mark.parametrize("echoed", [True, False])
def test_state_of_the_consent_page(echoed: bool) -> None:
    agency = Agency(state_echoed=echoed)
    agency.world.accounts.add_app("client", "secret", ["https://example.com/back"])
    query = "response_type=code&client_id=client&redirect_uri=https://example.com/back&state=abc"
    location = agency.ask("GET", f"/v2/oauth/chooselocation?{query}").headers["location"]
    assert ("state=abc" in location) is echoed


# Values


@pytest.mark.parametrize(("case", "kept"), [("lower", "ada@example.com"), ("kept", "Ada@Example.com")])
def test_case_of_an_address(case: str, kept: str) -> None:
    agency = Agency(email_case=case)
    contact = agency.get(agency.added(email="Ada@Example.com"))
    assert (contact["email"], contact["emailLowerCase"]) == (kept, "ada@example.com")
    assert agency.create(email="ADA@example.com").status == 400


@pytest.mark.parametrize("clears", [True, False])
def test_what_null_does_to_a_custom_field(clears: bool) -> None:
    agency = Agency(custom_null_clears=clears)
    plan = agency.world.add_field("Plan").id
    contact_id = agency.added(email="ada@example.com", customFields=[{"id": plan, "field_value": "Pro"}])
    agency.put(contact_id, customFields=[{"id": plan, "field_value": None}])
    kept = agency.world.contacts.get(contact_id).custom
    assert kept == ({} if clears else {plan: "Pro"})


@pytest.mark.parametrize("empty_text", ["clears", "ignored", "refused"])
@pytest.mark.parametrize("clears", [True, False])
def test_what_null_and_an_empty_text_do(clears: bool, empty_text: str) -> None:
    agency = Agency(null_clears=clears, empty_text=empty_text)
    plan = agency.world.add_field("Plan").id
    full = {
        "firstName": "Ada",
        "phone": "+14155550100",
        "dateOfBirth": "1815-12-10",
        "customFields": [{"id": plan, "field_value": "Pro"}],
    }
    contact_id = agency.added(email="ada@example.com", **full)
    for empty, gone in ((None, clears), ("", empty_text == "clears")):
        agency.put(contact_id, **full)
        blank = dict.fromkeys(("firstName", "phone", "dateOfBirth"), empty)
        entry = [{"id": plan, "field_value": empty}]
        answer = agency.put(contact_id, **blank, customFields=entry)
        assert answer.status == (422 if empty == "" and empty_text == "refused" else 200)
        contact = agency.get(contact_id)
        assert [name in contact for name in blank] == [not gone] * 3
        assert (contact["customFields"] == []) is gone


@pytest.mark.parametrize(("region", "phone"), [("location", "+12079460018"), ("contact", "+442079460018")])
def test_region_of_a_number_without_country(region: str, phone: str) -> None:
    agency = Agency(phone_region=region)
    assert agency.get(agency.added(phone="2079460018", country="GB"))["phone"] == phone


@pytest.mark.parametrize(("quirk", "status"), [("refused", 422), ("kept", 201)])
def test_a_number_that_is_none(quirk: str, status: int) -> None:
    agency = Agency(invalid_phone=quirk)
    answer = agency.create(email="ada@example.com", phone="call me")
    assert answer.status == status
    if status == 201:
        assert answer.json()["contact"]["phone"] == "call me"


@pytest.mark.parametrize(("form", "told"), [("date", "1815-12-10"), ("instant", "1815-12-10T00:00:00.000Z")])
def test_form_of_a_birth_date(form: str, told: str) -> None:
    agency = Agency(date_of_birth_form=form)
    assert agency.get(agency.added(email="ada@example.com", dateOfBirth="1815-12-10"))["dateOfBirth"] == told


@pytest.mark.parametrize("dropped", [True, False])
def test_birth_dates_lost_on_write(dropped: bool) -> None:
    agency = Agency(date_of_birth_dropped=dropped)
    contact_id = agency.added(email="ada@example.com", dateOfBirth="1815-12-10")
    assert ("dateOfBirth" not in agency.get(contact_id)) is dropped
    agency.world.edit(contact_id, dateOfBirth="1815-12-11")
    assert agency.get(contact_id)["dateOfBirth"] == "1815-12-11"


@pytest.mark.parametrize(
    ("form", "told"), [("date", "2026-03-01"), ("instant", "2026-03-01T00:00:00.000Z"), ("epoch_ms", 1772323200000)]
)
def test_form_of_a_date_field(form: str, told: object) -> None:
    agency = Agency(date_field_form=form)
    field = agency.world.add_field("Renewal", "DATE").id
    contact_id = agency.added(email="ada@example.com", customFields=[{"id": field, "field_value": "2026-03-01"}])
    assert agency.get(contact_id)["customFields"] == [{"id": field, "value": told}]


@pytest.mark.parametrize(("taken", "status"), [(True, 201), (False, 422)])
def test_custom_values_written_as_value(taken: bool, status: int) -> None:
    agency = Agency(custom_value_key=taken)
    field = agency.world.add_field("Plan").id
    answer = agency.create(email="ada@example.com", customFields=[{"id": field, "value": "Pro"}])
    assert answer.status == status
    if taken:
        assert answer.json()["contact"]["customFields"] == [{"id": field, "value": "Pro"}]


@pytest.mark.parametrize("work", [True, False])
def test_custom_fields_by_their_long_key(work: bool) -> None:
    agency = Agency(long_custom_keys=work)
    agency.world.add_field("Plan")
    answer = agency.create(email="ada@example.com", customFields=[{"key": "contact.plan", "field_value": "Pro"}])
    assert len(answer.json()["contact"]["customFields"]) == (1 if work else 0)


@pytest.mark.parametrize(("quirk", "kept"), [("kept", ["Gold", "Pro"]), ("dropped", ["Pro"])])
def test_values_that_are_no_option(quirk: str, kept: list[str]) -> None:
    agency = Agency(unknown_option=quirk)
    field = agency.world.add_field("Plan", "CHECKBOX", ["Free", "Pro"]).id
    entry = {"id": field, "field_value": ["Gold", "Pro"]}
    contact = agency.create(email="ada@example.com", customFields=[entry]).json()["contact"]
    assert contact["customFields"] == [{"id": field, "value": kept}]


@pytest.mark.parametrize(("taken", "status"), [(True, 200), (False, 422)])
def test_company_name_in_put(taken: bool, status: int) -> None:
    agency = Agency(put_company_name=taken)
    contact_id = agency.added(email="ada@example.com", companyName="Old")
    assert agency.put(contact_id, companyName="New").status == status
    assert agency.get(contact_id)["companyName"] == ("New" if taken else "Old")


# Do not disturb


@pytest.mark.parametrize(("clears", "status"), [(True, "inactive"), (False, "active")])
def test_dnd_false_and_the_channels(clears: bool, status: str) -> None:
    agency = Agency(dnd_false_clears_channels=clears)
    contact_id = agency.added(
        email="ada@example.com", dnd=True, dndSettings={**EMAIL_ACTIVE, "SMS": {"status": "permanent"}}
    )
    settings = agency.put(contact_id, dnd=False).json()["contact"]["dndSettings"]
    assert (settings["Email"]["status"], settings["SMS"]["status"]) == (status, "permanent")


def test_a_channel_is_written_alone() -> None:
    agency = Agency()
    contact_id = agency.added(email="ada@example.com", dndSettings={"SMS": {"status": "active", "message": "STOP"}})
    contact = agency.put(contact_id, dndSettings=EMAIL_ACTIVE).json()["contact"]
    assert contact["dndSettings"] == {"SMS": {"status": "active", "message": "STOP"}, **EMAIL_ACTIVE}
    assert contact["dnd"] is False


@pytest.mark.parametrize(("clearable", "status"), [(True, "inactive"), (False, "permanent")])
def test_permanent_email(clearable: bool, status: str) -> None:
    agency = Agency(permanent_email_clearable=clearable)
    contact_id = agency.added(email="ada@example.com")
    agency.world.bounce(contact_id)
    agency.world.set_dnd(contact_id, "permanent", "SMS")
    lifted = {"Email": {"status": "inactive"}, "SMS": {"status": "inactive"}}
    settings = agency.put(contact_id, dndSettings=lifted).json()["contact"]["dndSettings"]
    assert (settings["Email"]["status"], settings["SMS"]["status"]) == (status, "permanent")


@pytest.mark.parametrize("takes", [True, False])
def test_dnd_in_a_creation(takes: bool) -> None:
    agency = Agency(create_takes_dnd=takes)
    contact_id = agency.added(email="ada@example.com", dndSettings=EMAIL_ACTIVE)
    assert bool(agency.world.contacts.get(contact_id).dnd_settings) is takes


@pytest.mark.parametrize(("lower", "name"), [(True, "email"), (False, "Email")])
def test_channel_names_that_v3_reads(lower: bool, name: str) -> None:
    agency = Agency(v3_lower_dnd_on_read=lower)
    contact_id = agency.added(email="ada@example.com", dndSettings=EMAIL_ACTIVE)
    assert list(agency.get(contact_id, version="v3")["dndSettings"]) == [name]
    assert list(agency.get(contact_id)["dndSettings"]) == ["Email"]


# What moves dateUpdated


Action = Callable[[Agency, str], object]


def moved_by(action: Action, **quirks: Any) -> bool:
    agency = Agency(**quirks)
    contact_id = agency.added(email="ada@example.com", firstName="Ada", tags=["one"])
    before = agency.get(contact_id)["dateUpdated"]
    agency.clock.advance(1)
    action(agency, contact_id)
    return bool(agency.get(contact_id)["dateUpdated"] != before)


def put_the_same(agency: Agency, one: str) -> None:
    assert agency.put(one, firstName="Ada").status == 200


def tag_again(agency: Agency, one: str) -> None:
    assert agency.ask("POST", f"/contacts/{one}/tags", {"tags": ["One"]}).status == 201


def upsert_the_same(agency: Agency, one: str) -> None:
    assert agency.upsert(email="ada@example.com").json()["contact"]["id"] == one


@pytest.mark.parametrize("touches", [True, False])
@pytest.mark.parametrize("action", [put_the_same, tag_again, upsert_the_same])
def test_a_write_that_changes_nothing(action: Action, touches: bool) -> None:
    assert moved_by(action, noop_touches=touches) is touches


@pytest.mark.parametrize("touches", [True, False])
def test_a_change_of_dnd_alone(touches: bool) -> None:
    def unsubscribe(agency: Agency, one: str) -> None:
        agency.world.unsubscribe(one)
        assert agency.found(where("dndSettings.Email.status", "eq", "active")) == [one]

    def with_a_name(agency: Agency, one: str) -> None:
        agency.put(one, dndSettings=EMAIL_ACTIVE, firstName="Eve")

    assert moved_by(unsubscribe, dnd_touches=touches) is touches
    assert moved_by(with_a_name, dnd_touches=touches)


def note(agency: Agency, one: str) -> None:
    assert agency.ask("POST", f"/contacts/{one}/notes", {"body": "Hello"}).status == 201


def task(agency: Agency, one: str) -> None:
    agency.world.add_task(one, "Call", agency.clock.now())


def appointment(agency: Agency, one: str) -> None:
    agency.world.book(one, agency.world.add_calendar("Calls")["id"], agency.clock.now())


@pytest.mark.parametrize("touches", [True, False])
@pytest.mark.parametrize("action", [note, task, appointment])
def test_activity(action: Action, touches: bool) -> None:
    assert moved_by(action, activity_touches=touches) is touches


def touch(agency: Agency, one: str) -> None:
    agency.world.touch(one)


def rename(agency: Agency, one: str) -> None:
    agency.put(one, firstName="Eve")


def retag(agency: Agency, one: str) -> None:
    agency.put(one, tags=["two"])


@pytest.mark.parametrize("action", [touch, rename, retag])
def test_any_other_touch_moves_it(action: Action) -> None:
    assert moved_by(action, noop_touches=False, dnd_touches=False)


# Search


@pytest.mark.parametrize("other", ["ignored", "refused"])
@pytest.mark.parametrize("taken", ["both", "iso", "epoch_ms"])
def test_forms_of_a_range(taken: str, other: str) -> None:
    agency = Agency(range_values=taken, other_range_values=other)
    agency.crowd(3)
    forms = {"iso": "2030-01-01T00:00:00Z", "epoch_ms": 1893456000000, "epoch_ms as text": "1893456000000"}
    for form, value in forms.items():
        for sort in ("dateUpdated", "dateAdded"):
            answer = agency.search(
                filters=[where("dateUpdated", "range", {"gte": value})], sort=[{"field": sort, "direction": "asc"}]
            )
            if taken in ("both", form.removesuffix(" as text")):
                assert answer.json()["total"] == 0
            elif other == "refused":
                assert answer.status == 422
            else:
                assert answer.json()["total"] == 3


@pytest.mark.parametrize(("carried", "keys"), [("never", [None, None]), ("when_set", [None, 1]), ("always", [0, 1])])
def test_dnd_on_hits(carried: str, keys: list[int | None]) -> None:
    agency = Agency(hits_carry_dnd=carried)
    crowd = agency.crowd(2)
    agency.world.unsubscribe(crowd[1].id)
    hits = agency.search(sort=BY_ADDED).json()["contacts"]
    assert [len(hit["dndSettings"]) if "dndSettings" in hit else None for hit in hits] == keys


@pytest.mark.parametrize("carried", [True, False])
def test_names_on_hits(carried: bool) -> None:
    agency = Agency(hits_carry_names=carried)
    agency.added(email="ada@example.com", firstName="Ada", lastName="King")
    (hit,) = agency.search(sort=BY_ADDED).json()["contacts"]
    assert (hit.get("firstName"), hit.get("lastName")) == (("Ada", "King") if carried else (None, None))
    assert (hit["firstNameLowerCase"], hit["lastNameLowerCase"]) == ("ada", "king")


@pytest.mark.parametrize("carried", [True, False])
def test_time_zones_on_hits(carried: bool) -> None:
    agency = Agency(hits_carry_timezone=carried)
    contact_id = agency.added(email="ada@example.com", timezone="Europe/Oslo")
    (hit,) = agency.search(filters=[where("timezone", "eq", "Europe/Oslo")]).json()["contacts"]
    assert ("timezone" in hit) is carried
    assert agency.get(contact_id)["timezone"] == "Europe/Oslo"


@pytest.mark.parametrize("matches_all", [True, False])
def test_eq_on_a_dnd_status_nobody_ever_had(matches_all: bool) -> None:
    agency = Agency(unseen_dnd_matches_all=matches_all)
    ids = [contact.id for contact in agency.crowd(3)]
    assert agency.found(where("dndSettings.Email.status", "eq", "active")) == (ids if matches_all else [])
    assert agency.found(where("dndSettings.Email.status", "not_eq", "active")) == ids
    agency.world.unsubscribe(ids[1])
    agency.world.set_dnd(ids[1], "inactive")
    assert agency.found(where("dndSettings.Email.status", "eq", "active")) == []


@pytest.mark.parametrize("finds", [True, False])
def test_eq_on_a_phone(finds: bool) -> None:
    agency = Agency(phone_eq_finds=finds)
    contact_id = agency.added(phone="+14155550100")
    assert agency.found(where("phone", "eq", "+14155550100")) == ([contact_id] if finds else [])


@pytest.mark.parametrize(("works", "status"), [(True, 200), (False, 403)])
def test_following_next_page_url(works: bool, status: int) -> None:
    agency = Agency(next_page_url_works=works, missing_location_status=403)
    agency.crowd(3)
    meta = agency.ask("GET", f"/contacts/?locationId={agency.location.id}&limit=2").json()["meta"]
    assert agency.ask("GET", meta["nextPageUrl"]).status == status


# Duplicates


@pytest.mark.parametrize("match", [True, False])
def test_additional_addresses_as_duplicates(match: bool) -> None:
    agency = Agency(additional_emails_match=match)
    ada = agency.added(email="ada@example.com")
    agency.world.add_email(ada, "second@example.com")
    found = agency.duplicate("email=second@example.com")
    assert (found is not None) is match
    assert (agency.create(email="second@example.com").status == 400) is match


@pytest.mark.parametrize(("fails", "status"), [(True, 422), (False, 201)])
def test_a_refused_creation_that_created(fails: bool, status: int) -> None:
    agency = Agency(create_fails_though_created=fails)
    assert agency.create(email="ada@example.com").status == status
    assert agency.duplicate("email=ada@example.com") is not None


@pytest.mark.parametrize(("most", "status"), [(2, 422), (500, 201)])
def test_size_of_bulk_tags(most: int, status: int) -> None:
    agency = Agency(bulk_tags_max=most)
    ids = [contact.id for contact in agency.crowd(3)]
    body = {"contacts": ids, "tags": ["one"], "locationId": agency.location.id}
    assert agency.ask("POST", "/contacts/bulk/tags/update/add", body).status == status


# Calendars and custom field definitions


@pytest.mark.parametrize("name", ["appointment", "event"])
def test_envelope_of_an_appointment(name: str) -> None:
    agency = Agency(appointment_envelope=name)
    calendar = agency.world.add_calendar("Calls")["id"]
    event = agency.world.book(agency.added(email="ada@example.com"), calendar, agency.clock.now())
    answer = agency.ask("GET", f"/calendars/events/appointments/{event.id}", version="2021-04-15").json()
    assert answer[name]["id"] == event.id


@pytest.mark.parametrize(("zone", "told"), [("location", "2026-01-05 04:00:00"), ("utc", "2026-01-05 09:00:00")])
def test_zone_of_a_contacts_appointments(zone: str, told: str) -> None:
    agency = Agency(appointment_times=zone)
    contact_id = agency.added(email="ada@example.com")
    agency.world.book(contact_id, agency.world.add_calendar("Calls")["id"], agency.clock.now())
    assert agency.ask("GET", f"/contacts/{contact_id}/appointments").json()["events"][0]["startTime"] == told


@pytest.mark.parametrize(("taken", "status"), [(True, 201), (False, 422)])
def test_options_of_a_new_field(taken: bool, status: int) -> None:
    agency = Agency(field_options_key=taken)
    path = f"/locations/{agency.location.id}/customFields"
    body: dict[str, Any] = {"name": "Plan", "dataType": "RADIO", "options": ["Free"]}
    assert agency.ask("POST", path, body).status == status
    boxes = {"name": "Plan", "dataType": "RADIO", "textBoxListOptions": [{"label": "Free"}]}
    assert agency.ask("POST", path, boxes).json()["customField"]["picklistOptions"] == ["Free"]


@pytest.mark.parametrize(("follows", "key"), [(True, "contact.tier"), (False, "contact.plan")])
def test_key_of_a_renamed_field(follows: bool, key: str) -> None:
    agency = Agency(field_key_follows_name=follows)
    field = agency.world.add_field("Plan").id
    answer = agency.ask("PUT", f"/locations/{agency.location.id}/customFields/{field}", {"name": "Tier"})
    assert answer.json()["customField"]["fieldKey"] == key


# Webhooks


def inbound_block(agency: Agency, contact_id: str) -> Any:
    setting = {"status": "permanent", "message": "STOP", "code": "0"}
    return agency.world.edit(contact_id, inboundDndSettings={"all": setting})


@pytest.mark.parametrize("raises", [True, False])
def test_an_inbound_block_raises_an_event(raises: bool) -> None:
    agency = Agency(webhook_inbound_dnd=raises)
    contact_id = agency.added(email="ada@example.com")
    events = told(agency.context.webhooks, lambda: inbound_block(agency, contact_id))
    assert types(events) == ["ContactDndUpdate"] * raises
    assert [event["inboundDndSettings"]["all"]["status"] for event in events] == ["permanent"] * raises


@pytest.mark.parametrize("always", [True, False])
def test_tags_and_dnd_raise_an_update_too(always: bool) -> None:
    agency = Agency(webhook_update_always=always)
    contact_id = agency.added(email="ada@example.com")

    def change() -> None:
        agency.world.add_tags(contact_id, ["vip"])
        agency.world.unsubscribe(contact_id)

    update = ["ContactUpdate"] * always
    expected = [*update, "ContactTagUpdate", *update, "ContactDndUpdate"]
    assert types(told(agency.context.webhooks, change)) == expected


@pytest.mark.parametrize("deletes", [True, False])
def test_a_merge_tells_who_disappears(deletes: bool) -> None:
    agency = Agency(webhook_merge_deletes=deletes)
    winner, loser = agency.added(email="ada@example.com"), agency.added(email="b@example.com", firstName="Ada")
    events = told(agency.context.webhooks, lambda: agency.world.merge(winner, loser))
    expected = [("ContactDelete", loser)] * deletes + [("ContactUpdate", winner)]
    assert [(event["type"], event["id"]) for event in events] == expected


@pytest.mark.parametrize("thin", [True, False])
def test_a_new_task_is_told_without_its_contact_and_body(thin: bool) -> None:
    agency = Agency(webhook_task_thin=thin)
    ada = agency.added(email="ada@example.com")
    due = agency.clock.now() + timedelta(days=1)
    task: list[str] = []

    def act() -> None:
        task.append(agency.world.add_task(ada, "Call", due, body="At 9").id)
        agency.world.complete_task(task[0])

    created, completed = told(agency.context.webhooks, act)
    rest = {"contactId": ada, "body": "At 9"}
    assert {"contactId", "body"} & created.keys() == (set() if thin else rest.keys())
    for event in (created, completed):
        for name in ("webhookId", "versionId", "appId", "timestamp"):
            assert event.pop(name)
    whole = {
        "locationId": agency.location.id,
        "id": task[0],
        "title": "Call",
        "dateAdded": "2026-01-05T09:00:00.000Z",
        "dueDate": "2026-01-06T09:00:00.000Z",
    }
    assert created == {"type": "TaskCreate", **whole, **({} if thin else rest)}
    assert completed == {"type": "TaskComplete", **whole, **rest}


@pytest.mark.parametrize("renewed", [True, False])
def test_timestamp_of_a_repeated_delivery(renewed: bool) -> None:
    agency = Agency(webhook_timestamp_renewed=renewed)
    with receiver() as box:
        box.answers.append(503)
        box.gate.clear()
        agency.context.webhooks.set(url=box.url, retry_base_s=0)
        agency.added(email="ada@example.com")
        box.wait(1)
        agency.clock.advance(60)
        box.gate.set()
        first, second = (each.json() for each in box.wait(2))
        agency.context.webhooks.stop()
    assert (first["timestamp"] != second["timestamp"]) == renewed
    assert {**first, "timestamp": ""} == {**second, "timestamp": ""}


@pytest.mark.parametrize(("shown", "plan"), [(True, "Pro"), (False, None)])
def test_custom_fields_of_a_workflows_webhook(shown: bool, plan: str | None) -> None:
    agency = Agency(workflow_webhook_custom_fields=shown)
    agency.world.add_field("Your plan", "TEXT")
    with receiver() as box:
        agency.context.webhooks.set(workflow_url=box.url)
        agency.world.create(email="ada@example.com", custom={"your_plan": "Pro"})
        (event,) = box.events(1)
        agency.context.webhooks.stop()
    assert event.get("Your plan") == plan

"""A first load costs what the APIs make it cost: a request for each creation, full batches, full pages."""

from math import ceil

from tests.worlds import EMAILOCTOPUS, GHL, world

ONLY_GHL, ONLY_EMAILOCTOPUS, BOTH = 260, 120, 230


def test_a_first_load_sends_at_most_three_percent_more_than_the_floor(database_url: str) -> None:
    with world(database_url) as here:
        here.ghl.quirks.hits_carry_dnd = "always"
        for number in range(ONLY_GHL):
            here.ghl.create(email=f"g{number}@example.com", firstName=f"G{number}")
        for number in range(ONLY_EMAILOCTOPUS):
            here.emailoctopus.add(here.sandbox.list_id, f"e{number}@example.com", {"FirstName": f"E{number}"})
        for number in range(BOTH):
            here.ghl.create(email=f"b{number}@example.com", firstName=f"B{number}")
            here.emailoctopus.add(here.sandbox.list_id, f"b{number}@example.com", {"FirstName": "Somebody"})
        report = here.reconcile()
        assert report.outcome == "ok"
        assert report.written == {
            (EMAILOCTOPUS, "created"): ONLY_GHL,
            (EMAILOCTOPUS, "updated"): BOTH,
            (GHL, "created"): ONLY_EMAILOCTOPUS,
        }
        written = {system: here.writes(system) for system in (GHL, EMAILOCTOPUS)}
        assert written[GHL] == [("POST", "/contacts/")] * ONLY_EMAILOCTOPUS
        batches = [one for one in written[EMAILOCTOPUS] if one[0] == "PUT"]
        creations = [one for one in written[EMAILOCTOPUS] if one[0] == "POST"]
        assert (len(creations), len(batches)) == (ONLY_GHL, ceil(BOTH / 100))
        pages = ceil((ONLY_GHL + BOTH) / 500) + ceil((ONLY_EMAILOCTOPUS + BOTH) / 100) + 2
        floor = pages + ONLY_GHL + ONLY_EMAILOCTOPUS + ceil(BOTH / 100)
        assert sum(report.requests.values()) <= floor * 1.03
        here.settle()
        here.assert_quiet()


def test_where_the_search_tells_no_consent_each_contact_is_read_once(database_url: str) -> None:
    with world(database_url) as here:
        here.ghl.quirks.hits_carry_dnd = "never"
        for number in range(30):
            here.ghl.create(email=f"g{number}@example.com", firstName=f"G{number}")
        here.reconcile()
        reads = [path for method, path in here.requests(GHL) if method == "GET" and path.startswith("/contacts/")]
        assert len(reads) == len(set(reads)) == 30
        here.settle()
        here.assert_quiet()

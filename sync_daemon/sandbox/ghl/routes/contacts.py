"""/contacts: read, write, find duplicates, delete (documented: contacts.json; facts: GHL §3 to §5)."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from sync_daemon.sandbox.ghl import contact_documents
from sync_daemon.sandbox.ghl.calls import Answer, Call, Operation
from sync_daemon.sandbox.ghl.contact import Contact
from sync_daemon.sandbox.ghl.contact_rules import check_contact
from sync_daemon.sandbox.ghl.search import Page, Source, search

_BY_DATE_ADDED = [{"field": "dateAdded", "direction": "desc"}]


def search_contacts(call: Call) -> Answer:
    """POST a search; the body is described outside the spec only."""
    page = _page(call, call.body)
    style = call.style
    return 200, {"contacts": [contact_documents.hit(hit, style) for hit in page.hits], "total": page.total}


def _page(call: Call, body: Mapping[str, Any]) -> Page:
    index = call.world.contacts.index(call.location.id)
    source = Source(index, call.location, call.world.quirks)
    return search(body, source, call.context.weather, call.context.random)


def get_contact(call: Call) -> Answer:
    """GET one contact, always fresh."""
    return 200, {"contact": contact_documents.by_id(call.contact(), call.style)}


def create_contact(call: Call) -> Answer:
    """POST a new contact."""
    check_contact(call.body, "create", call.location, call.world.quirks, v3=call.v3)
    contact = call.world.contacts.create(call.location, call.body)
    return 201, {"contact": contact_documents.created(contact, call.style)}


def update_contact(call: Call) -> Answer:
    """PUT what changes; absent keys stay, `tags` replaces."""
    contact = call.contact()
    check_contact(call.body, "update", call.location, call.world.quirks, v3=call.v3)
    contact = call.world.contacts.update(contact, call.body)
    return 200, {**call.done(both=False), "contact": contact_documents.by_id(contact, call.style)}


def upsert_contact(call: Call) -> Answer:
    """POST to whoever has the address or number, or to a new contact."""
    check_contact(call.body, "upsert", call.location, call.world.quirks, v3=call.v3)
    upserted = call.world.contacts.upsert(call.location, call.body)
    return 200, {"new": upserted.new, "contact": contact_documents.by_id(upserted.contact, call.style)}


def delete_contact(call: Call) -> Answer:
    """DELETE a contact with what hangs on it."""
    call.world.remove_contact(call.contact().id)
    return 200, call.done()


def find_duplicate(call: Call) -> Answer:
    """GET who has an address or number; never 404 (observed)."""
    found = call.world.contacts.find_duplicate(call.location, call.query.get("email"), call.query.get("number"))
    return 200, {"contact": contact_documents.by_id(found, call.style) if found is not None else None}


def list_contacts(call: Call) -> Answer:
    """GET the deprecated listing, newest first; startAfter works only together with startAfterId (observed)."""
    limit = call.whole("limit", 20, low=1, high=100)
    body: dict[str, Any] = {"pageLimit": limit, "sort": _BY_DATE_ADDED}
    if call.query.get("query"):
        body["query"] = call.query["query"]
    if call.query.get("startAfter") and call.query.get("startAfterId"):
        body["searchAfter"] = [call.whole("startAfter", 0), call.query["startAfterId"]]
    page = _page(call, body)
    rows = [contact_documents.listed(hit.contact, call.style) for hit in page.hits]
    meta: dict[str, Any] = {"total": page.total, "nextPageUrl": None, "startAfter": None, "startAfterId": None}
    if page.hits:
        after, after_id = page.hits[-1].search_after
        meta |= {"startAfter": after, "startAfterId": after_id, "nextPageUrl": _next(call, limit, after, after_id)}
    return 200, {"contacts": rows, "count": page.total, "meta": meta}


def contacts_of_business(call: Call) -> Answer:
    """GET the contacts of a business, by `skip`."""
    limit, skip = call.whole("limit", 25, low=1, high=100), call.whole("skip", 0)
    business = call.path["businessId"]
    index = call.world.contacts.index(call.location.id)
    index.show(call.context.weather.index_lag_s)
    wanted = call.query.get("query", "").lower()
    found = [one for one in _oldest_first(index.documents.values()) if one.fields.get("businessId") == business]
    found = [one for one in found if wanted in one.name.lower()]
    rows = [contact_documents.listed(contact, call.style) for contact in found[skip : skip + limit]]
    return 200, {"contacts": rows, "count": len(found)}


def _oldest_first(contacts: Iterable[Contact]) -> list[Contact]:
    return sorted(contacts, key=lambda contact: (contact.date_added, contact.id))


def _next(call: Call, limit: int, after: int, after_id: str) -> str:
    parameters = {"limit": limit, "startAfter": after, "startAfterId": after_id}
    if call.world.quirks.next_page_url_works:
        parameters["locationId"] = call.location.id
    return f"{call.url}?{urlencode(parameters)}"


OPERATIONS: dict[str, dict[str, Operation]] = {
    "/contacts/search": {
        "POST": Operation(run=search_contacts, scope="contacts.readonly", names_location="body"),
    },
    "/contacts/search/duplicate": {
        "GET": Operation(run=find_duplicate, scope="contacts.readonly", names_location="query"),
    },
    "/contacts/upsert": {
        "POST": Operation(run=upsert_contact, scope="contacts.write", names_location="body"),
    },
    "/contacts/": {
        "POST": Operation(run=create_contact, scope="contacts.write", names_location="body"),
        "GET": Operation(run=list_contacts, scope="contacts.readonly", names_location="query", removed_in_v3=True),
    },
    "/contacts/business/{businessId}": {
        "GET": Operation(run=contacts_of_business, scope="contacts.readonly", names_location="query"),
    },
    "/contacts/{contactId}": {
        "GET": Operation(run=get_contact, scope="contacts.readonly"),
        "PUT": Operation(run=update_contact, scope="contacts.write"),
        "DELETE": Operation(run=delete_contact, scope="contacts.write"),
    },
}

"""/lists/{list_id}/contacts: list, create, upsert, batch update, and one contact by UUID or MD5."""

from dataclasses import replace

from starlette.responses import Response

from sync_daemon.sandbox.emailoctopus import writes
from sync_daemon.sandbox.emailoctopus.batch import update_batch
from sync_daemon.sandbox.emailoctopus.calls import Call, json_response, no_content
from sync_daemon.sandbox.emailoctopus.model import Contact
from sync_daemon.sandbox.emailoctopus.paging import key_of, page_json
from sync_daemon.sandbox.emailoctopus.patches import STATUSES
from sync_daemon.sandbox.emailoctopus.rendering import contact_json, shown
from sync_daemon.sandbox.emailoctopus.roster import ContactQuery, page_of
from sync_daemon.sandbox.emailoctopus.state import MailingList

_NEVER, _ALWAYS = float("-inf"), float("inf")


def list_contacts(call: Call) -> Response:
    """GET contacts of one status, `subscribed` unless another is asked for."""
    mailing_list = call.mailing_list()
    query = _query(call, mailing_list)
    rows, more = _page(call, mailing_list, query)
    next_key = list(query.key(rows[-1])) if more and rows else None
    written = [contact_json(row, mailing_list, call.world.quirks) for row in rows]
    return json_response(page_json(call, written, next_key))


def create_contact(call: Call) -> Response:
    """POST a new contact: 201, or 409 when the list has its address."""
    mailing_list = call.mailing_list()
    return _written(call, mailing_list, writes.create(call.world, mailing_list, call.body), 201)


def upsert_contact(call: Call) -> Response:
    """PUT a contact by its address: 200 whether it is new or not."""
    mailing_list = call.mailing_list()
    return _written(call, mailing_list, writes.upsert(call.world, mailing_list, call.body))


def batch_contacts(call: Call) -> Response:
    """PUT many contacts by id: 200 with what went well and what didn't."""
    return json_response(update_batch(call.world, call.mailing_list(), call.body))


def get_contact(call: Call) -> Response:
    """GET one contact."""
    mailing_list = call.mailing_list()
    return _written(call, mailing_list, call.contact(mailing_list))


def update_contact(call: Call) -> Response:
    """PUT one contact; its address can change."""
    mailing_list = call.mailing_list()
    contact = call.contact(mailing_list)
    return _written(call, mailing_list, writes.update(call.world, mailing_list, contact, call.body))


def delete_contact(call: Call) -> Response:
    """DELETE one contact and everything known of it."""
    call.world.erase(call.contact(call.mailing_list()))
    return no_content()


def _written(call: Call, mailing_list: MailingList, contact: Contact, status: int = 200) -> Response:
    return json_response(contact_json(contact, mailing_list, call.world.quirks), status)


def _query(call: Call, mailing_list: MailingList) -> ContactQuery:
    order, _, direction = call.world.quirks.listing_order.partition("_")
    tag = call.query.get("tag")
    return ContactQuery(
        status=call.choice("status", STATUSES, "subscribed"),
        order="created" if order == "created" else "updated",
        descending=direction == "desc",
        after=key_of(call, tuple[int, str]),
        tag=None if tag is None else call.world.listed_tag(mailing_list, tag) or tag,
        created=_range(call, "created_at"),
        updated=_range(call, "last_updated_at"),
    )


def _range(call: Call, name: str) -> tuple[float, float]:
    return call.moment(f"{name}.gte", _NEVER), call.moment(f"{name}.lte", _ALWAYS)


def _page(call: Call, mailing_list: MailingList, query: ContactQuery) -> tuple[list[Contact], bool]:
    size = call.limit()
    share = call.world.weather.short_listing
    if share <= 0:
        return page_of(mailing_list.contacts.select(query), size)
    return _short_page(mailing_list, query, size, share)


def _short_page(mailing_list: MailingList, query: ContactQuery, size: int, share: float) -> tuple[list[Contact], bool]:
    visible = list(mailing_list.contacts.select(replace(query, after=None)))
    rest = {contact.id for contact in mailing_list.contacts.select(query)}
    left = [contact for contact in visible[: shown(len(visible), share)] if contact.id in rest]
    return left[:size], len(left) > size

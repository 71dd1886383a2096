"""What a contact is on: tags, followers, business, campaigns, workflows (documented: contacts.json; facts: GHL §5)."""

from dataclasses import replace
from typing import Any

from sync_daemon.sandbox.ghl.body_rules import at_most, boolean, check, instant, text, texts
from sync_daemon.sandbox.ghl.calls import Answer, Call, Operation
from sync_daemon.sandbox.ghl.contact import Contact
from sync_daemon.sandbox.ghl.contacts import TagChange, retagged
from sync_daemon.sandbox.ghl.errors import ApiError, bad_request, not_found, unknown_path

_LONGEST_ID_LIST = 50  # contacts in one bulk business request (documented)


def add_tags(call: Call) -> Answer:
    """POST tags onto a contact; answers the whole list."""
    before, after = _retag(call, "add")
    added = [tag for tag in after.tags if tag not in before.tags]
    return 201, {"tags": list(after.tags), "tagsAdded": added}


def remove_tags(call: Call) -> Answer:
    """DELETE tags, named in a body, from a contact; answers what is left."""
    before, after = _retag(call, "remove")
    removed = [tag for tag in before.tags if tag not in after.tags]
    return 200, {"tags": list(after.tags), "tagsRemoved": removed}


def _retag(call: Call, change: TagChange) -> tuple[Contact, Contact]:
    before = call.contact()
    check(call.body, {"tags": texts}, ("tags",))
    return before, call.world.contacts.save(before, retagged(before, change, call.body["tags"]))


def bulk_tags(call: Call) -> Answer:
    """POST tags onto or off many contacts; each has a response of its own (documented)."""
    change = call.path["type"]
    if change not in ("add", "remove"):
        raise unknown_path()
    rules = {"contacts": at_most(call.world.quirks.bulk_tags_max, texts), "tags": texts}
    check(call.body, {**rules, "locationId": text, "removeAllTags": boolean}, ("contacts", "tags", "locationId"))
    every = bool(call.body.get("removeAllTags"))
    if every and change == "add":
        raise bad_request("removeAllTags can only be used with remove")
    responses = [_bulk_response(call, contact_id, change, every=every) for contact_id in call.body["contacts"]]
    errors = sum(response["type"] == "error" for response in responses)
    return 201, {**call.done(), "errorCount": errors, "responses": responses}


def _bulk_response(call: Call, contact_id: str, change: str, *, every: bool) -> dict[str, Any]:
    problem = _bulk_problem(call, contact_id)
    if problem:
        return {"contactId": contact_id, "message": problem, "type": "error"}
    before = call.world.contacts.get(contact_id)
    after = replace(before, tags=()) if every else before
    after = retagged(after, "add" if change == "add" else "remove", call.body["tags"])
    call.world.contacts.save(before, after)
    return {
        "contactId": contact_id,
        "message": "Tags updated",
        "type": "success",
        "oldTags": list(before.tags),
        "tagsAdded": [tag for tag in after.tags if tag not in before.tags],
        "tagsRemoved": [tag for tag in before.tags if tag not in after.tags],
    }


def _bulk_problem(call: Call, contact_id: str) -> str | None:
    if call.world.contacts.is_deleted(contact_id):
        return "contact is deleted"
    try:
        contact = call.world.contacts.get(contact_id)
    except ApiError:
        return "contact id is not a valid firebase id"
    return None if contact.location_id == call.location.id else "contact does not belong to location"


def bulk_business(call: Call) -> Answer:
    """POST many contacts into a business, or out of theirs with null."""
    check(call.body, {"locationId": text, "ids": at_most(_LONGEST_ID_LIST, texts), "businessId": text}, ("ids",))
    business_id = call.body.get("businessId")
    if business_id is not None and business_id not in call.location.businesses:
        raise bad_request(f"Business with id {business_id} not found")
    contacts = [call.contact_named(contact_id) for contact_id in call.body["ids"]]
    for contact in contacts:
        fields = {key: value for key, value in contact.fields.items() if not key.startswith("business")}
        if business_id is not None:
            fields |= {"businessId": business_id, "businessName": call.location.businesses[business_id]}
        call.world.contacts.save(contact, replace(contact, fields=fields))
    return 200, {"success": True, "ids": [contact.id for contact in contacts]}


def add_followers(call: Call) -> Answer:
    """POST users who follow a contact."""
    contact = call.contact()
    check(call.body, {"followers": texts}, ("followers",))
    added = [user for user in call.body["followers"] if user not in contact.followers]
    followers = tuple(dict.fromkeys((*contact.followers, *added)))
    call.world.contacts.save(contact, replace(contact, followers=followers))
    return 201, {"followers": list(followers), "followersAdded": added}


def remove_followers(call: Call) -> Answer:
    """DELETE users who follow a contact."""
    contact = call.contact()
    check(call.body, {"followers": texts}, ("followers",))
    removed = [user for user in contact.followers if user in call.body["followers"]]
    followers = tuple(user for user in contact.followers if user not in removed)
    call.world.contacts.save(contact, replace(contact, followers=followers))
    return 200, {"followers": list(followers), "followersRemoved": removed}


def add_to_campaign(call: Call) -> Answer:
    """POST a contact into a campaign."""
    contact, campaign = call.contact(), call.path["campaignId"]
    if campaign not in call.location.campaigns:
        raise not_found("Campaign not found")
    campaigns = tuple(dict.fromkeys((*contact.campaigns, campaign)))
    call.world.contacts.save(contact, replace(contact, campaigns=campaigns))
    return 201, call.done()


def remove_from_campaign(call: Call) -> Answer:
    """DELETE a contact from a campaign."""
    contact, campaign = call.contact(), call.path["campaignId"]
    if campaign not in call.location.campaigns:
        raise not_found("Campaign not found")
    campaigns = tuple(one for one in contact.campaigns if one != campaign)
    call.world.contacts.save(contact, replace(contact, campaigns=campaigns))
    return 200, call.done()


def remove_from_campaigns(call: Call) -> Answer:
    """DELETE a contact from every campaign."""
    contact = call.contact()
    call.world.contacts.save(contact, replace(contact, campaigns=()))
    return 200, call.done()


def add_to_workflow(call: Call) -> Answer:
    """POST a contact into a workflow."""
    contact, workflow = _workflow(call)
    call.world.enrol(contact, workflow, call.body.get("eventStartTime"))
    return 200, call.done()


def remove_from_workflow(call: Call) -> Answer:
    """DELETE a contact from a workflow."""
    contact, workflow = _workflow(call)
    workflows = tuple(one for one in contact.workflows if one != workflow)
    call.world.contacts.save(contact, replace(contact, workflows=workflows))
    return 200, call.done()


def _workflow(call: Call) -> tuple[Contact, str]:
    contact, workflow = call.contact(), call.path["workflowId"]
    check(call.body, {"eventStartTime": instant})
    if workflow not in call.location.workflows:
        raise not_found("Workflow not found")
    return contact, workflow


def _write(run: Any, **more: Any) -> Operation:
    return Operation(run=run, scope="contacts.write", **more)


OPERATIONS: dict[str, dict[str, Operation]] = {
    "/contacts/{contactId}/tags": {"POST": _write(add_tags), "DELETE": _write(remove_tags)},
    "/contacts/bulk/tags/update/{type}": {"POST": _write(bulk_tags, names_location="body")},
    "/contacts/bulk/business": {"POST": _write(bulk_business, names_location="body")},
    "/contacts/{contactId}/followers": {"POST": _write(add_followers), "DELETE": _write(remove_followers)},
    "/contacts/{contactId}/campaigns/removeAll": {
        "DELETE": _write(remove_from_campaigns, removed_in_v3=True),
    },
    "/contacts/{contactId}/campaigns/remove-all": {"DELETE": _write(remove_from_campaigns, since_v3=True)},
    "/contacts/{contactId}/campaigns/{campaignId}": {
        "POST": _write(add_to_campaign),
        "DELETE": _write(remove_from_campaign),
    },
    "/contacts/{contactId}/workflow/{workflowId}": {
        "POST": _write(add_to_workflow),
        "DELETE": _write(remove_from_workflow),
    },
}

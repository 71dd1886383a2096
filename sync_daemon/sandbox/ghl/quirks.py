"""Switches for what is conflicting or unproven about GHL's API; the defaults are what was observed most."""

from typing import Literal

import msgspec


class GhlQuirks(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One switch for each fact that could be either way (facts: GHL, every [uncertain] and every conflict)."""

    # Who may call, and how.
    strict_versions: bool = True  # a route takes its documented Version, 2023-02-21 and v3; else any listed one
    missing_location_status: Literal[422, 403] = 422  # what a missing locationId is answered with
    refresh_grace_s: float = 0.0  # how long a used refresh token goes on working
    state_echoed: bool = True  # whether the consent page hands `state` back

    # Values.
    email_case: Literal["lower", "kept"] = "lower"
    null_clears: bool = True  # null in a write clears the field; otherwise it is ignored
    custom_null_clears: bool = True  # the same of a custom field's null alone
    empty_text: Literal["clears", "ignored", "refused"] = "clears"  # what "" in a write does
    phone_region: Literal["location", "contact"] = "location"  # whose country a number without +CC gets
    invalid_phone: Literal["refused", "kept"] = "refused"
    date_of_birth_form: Literal["date", "instant"] = "date"
    date_of_birth_dropped: bool = False  # writes of it were silently lost until late 2025 (issue 124)
    date_field_form: Literal["date", "instant", "epoch_ms"] = "date"  # how a DATE custom field is returned
    custom_value_key: bool = False  # whether customFields takes `value` in place of field_value
    long_custom_keys: bool = True  # whether `key: contact.plan` works as well as `key: plan`
    unknown_option: Literal["kept", "dropped"] = "kept"  # a pick-list value that isn't an option
    put_company_name: bool = False  # whether PUT takes companyName, which its schema lacks

    # Do not disturb.
    dnd_false_clears_channels: bool = False  # whether `dnd: false` sets every channel to inactive
    permanent_email_clearable: bool = False
    create_takes_dnd: bool = True  # whether POST /contacts/ heeds dndSettings; only PUT is shown with them
    v3_lower_dnd_on_read: bool = True  # whether v3 answers with call, email, sms or still Call, Email, SMS

    # What moves dateUpdated.
    noop_touches: bool = True  # a write that changes nothing
    dnd_touches: bool = True  # a change of DND alone
    activity_touches: bool = False  # a note, a task or an appointment

    # Search.
    range_values: Literal["both", "iso", "epoch_ms"] = "both"
    other_range_values: Literal["ignored", "refused"] = "ignored"  # what becomes of the form not taken
    hits_carry_dnd: Literal["when_set", "always", "never"] = "when_set"  # never in June 2025 (issue 43)
    hits_carry_names: bool = True  # whether names come in their real case too; only the lower case is documented
    hits_carry_timezone: bool = False  # the documented hit has none, though it can be filtered by
    unseen_dnd_matches_all: bool = True  # `eq` on a DND status that nobody ever had
    phone_eq_finds: bool = True  # issue 289: sometimes it finds nothing
    next_page_url_works: bool = True  # the old listing's nextPageUrl, followed as it stands, or answered 403

    # Duplicates.
    additional_emails_match: bool = True  # whether an additional address counts as the contact's
    create_fails_though_created: bool = False  # issue 64: a 422 that nevertheless created
    bulk_tags_max: int = 500  # contacts in one bulk tag request; one user's figure

    # Calendars and custom field definitions.
    appointment_envelope: Literal["appointment", "event"] = "appointment"
    appointment_times: Literal["location", "utc"] = "location"  # the zone of times that are told without one
    field_options_key: bool = True  # whether a custom field is created with `options` as well
    field_key_follows_name: bool = False  # whether renaming a custom field changes its fieldKey

    # Webhooks.
    webhook_inbound_dnd: bool = False  # whether inboundDndSettings raises ContactDndUpdate (issue 264: no event)
    webhook_update_always: bool = False  # whether a change of tags or DND raises ContactUpdate as well
    webhook_merge_deletes: bool = True  # whether a merge raises ContactDelete for the id that disappears
    webhook_task_thin: bool = True  # whether TaskCreate lacks contactId and body (issue 332)
    webhook_timestamp_renewed: bool = False  # whether a repeated delivery has a timestamp of its own
    workflow_webhook_custom_fields: bool = True  # whether a workflow's webhook has custom fields by their names

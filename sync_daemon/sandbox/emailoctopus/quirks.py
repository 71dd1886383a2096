"""The facts about EmailOctopus that are uncertain, each as a switch (marks: EmailOctopus facts, [uncertain])."""

from dataclasses import dataclass
from typing import Literal

from sync_daemon.sandbox.limits import RetryAfterForm

Verdict = Literal["taken", "ignored", "refused"]


@dataclass(kw_only=True, slots=True)
class Quirks:
    """One switch for each fact that could be either way; the defaults are the likelier ones.

    A switch acts on what happens after it is set; stored contacts aren't converted.
    """

    # How answers look
    counts_shape: Literal["array", "object"] = "array"
    empty_fields: Literal["object", "array"] = "object"
    unset_fields: Literal["absent", "null"] = "absent"
    number_form: Literal["integer", "string"] = "integer"
    date_form: Literal["date", "datetime"] = "date"
    email_field_listed: bool = False  # EmailAddress among a list's fields
    list_tags_shown: int | None = None  # how many tags a list object names; the tags call names all
    conflict_slug: Literal["conflict", "already-exists"] = "conflict"
    report_times: bool = True  # False: rows of reports come without occurred_at

    # Paging
    last_page: Literal["absent", "null", "object", "array", "paging_array"] = "absent"
    next_url_keeps_filters: bool = False
    listing_order: Literal["created_asc", "created_desc", "updated_asc", "updated_desc"] = "created_asc"

    # What moves last_updated_at, besides values and the address
    tag_change_touches: bool = True
    status_change_touches: bool = True  # by the API or the dashboard
    unsubscribe_touches: bool = True  # by the link, a complaint or a bounce
    confirm_touches: bool = True
    engagement_touches: bool = False  # an open or a click
    noop_touches: bool = False  # a PUT that changes nothing

    # Values
    email_case: Literal["kept", "lowered"] = "kept"
    text_trimmed: bool = True
    text_limit: int = 600
    over_long_text: Literal["cut", "refused", "stored"] = "refused"
    null_clears: bool = True  # null in a single call removes the value (documented); otherwise it is ignored
    empty_string: Literal["cleared", "stored", "refused"] = "cleared"
    decimal_number: Literal["refused", "rounded", "stored"] = "refused"
    number_string: Literal["converted", "refused"] = "refused"
    date_time: Literal["cut", "refused", "stored"] = "refused"
    wrong_choice: Literal["refused", "dropped", "stored"] = "refused"
    empty_choices: Literal["cleared", "stored"] = "cleared"
    unknown_field: Literal["dropped", "refused"] = "refused"
    omitted_fields_kept: bool = True  # False: `fields` in an update replaces them all
    deleted_field_keeps_values: bool = False  # they return when the field is made again

    # Tags
    unknown_tag: Literal["created", "dropped", "refused"] = "created"
    tags_case_sensitive: bool = True
    deleted_tag_detaches: bool = True

    # Status
    doi_omitted_status: Literal["pending", "subscribed"] = "pending"
    doi_explicit_subscribed: Literal["subscribed", "pending"] = "subscribed"
    omitted_status_kept: bool = True  # False: an update without a status means subscribed
    resubscribe: Literal["taken", "pending", "ignored", "refused"] = "taken"
    resubscribe_suppressed: Verdict = "refused"  # after a bounce or a complaint
    pending_over_subscribed: Verdict = "taken"
    suppressed_reads_as: Literal["unsubscribed", "own"] = "unsubscribed"  # own: bounced, complained

    # Identity
    address_change_keeps_id: bool = True
    readd_keeps_id: bool = False
    readd_remembers_opt_out: bool = False

    # Batch
    batch_max: int | None = 100
    batch_over_status: Literal[400, 413, 422] = 422
    batch_null: Literal["honoured", "ignored", "refused"] = "honoured"
    batch_md5: bool = False
    batch_empty_arrays: bool = True  # False: an empty success or errors array is left out
    batch_error_form: Literal["word", "uri"] = "word"
    batch_refusal: Literal["item", "whole"] = "item"  # whole: a wrong value refuses the batch, pointing at its item

    # Limits
    out_of_limits_status: Literal[403, 422] = 422
    pending_counts_for_plan: bool = False
    field_limit: int | None = None  # custom fields a list may have (7 on the Starter plan, observed)
    tag_limit: int | None = None
    rate_headers_on_success: bool = True
    retry_after_form: RetryAfterForm = "seconds"
    throttle_block_s: float = 0.0

    # Automations
    automation_unmailable: Literal["accepted", "refused"] = "accepted"  # a contact that isn't subscribed
    equal_value_fires: bool = False  # writing a field's own value starts automations that watch it

    # Webhooks
    webhook_optional_keys: bool = True  # False: fields, tags and status are missing even where they may stand
    webhook_opt_out_updates: bool = False  # contact.updated comes with contact.unsubscribed, .bounced, .complained
    webhook_unsubscribed_by_anyone: bool = True  # False: set by API or dashboard, it is told as contact.updated
    webhook_confirm_updates: bool = True  # a pending contact that becomes subscribed is told as contact.updated
    webhook_address_updates: bool = True  # another address alone is told as contact.updated
    webhook_soft_bounces: bool = False  # contact.bounced comes for soft bounces, too

"""Every mistake in a rule is told with the key's path, the file and the line; and what no rule may is refused."""

from pathlib import Path

import pytest

from sync_daemon.model.errors import ConfigurationError
from tests.unit.settings.configurations import SMALL, loaded

RULES = """\
    tags: {{exclude: [hidden*], sync: {sync}}}
    fields:
      - {{ghl: firstName, emailoctopus: FirstName}}
    rules:
      - when: {{{when}}}
        then:
          - {{{then}}}
        allow_destructive: {allowed}
"""
PATH = "pairs.main.rules[0]"
NOTE = "create_note: Hi"


def refusal(folder: Path, when: str, then: str, *, sync: bool = True, allowed: bool = False) -> str:
    """What the configuration with this rule is refused with, or nothing."""
    text = RULES.format(when=when, then=then, sync=str(sync).lower(), allowed=str(allowed).lower())
    try:
        loaded(folder, SMALL + text)
    except ConfigurationError as error:
        return str(error).replace(f"{folder}/", "")
    return ""


@pytest.mark.parametrize(
    ("when", "key", "text"),
    [
        ("event: oppened", "event", "expected one of opened"),
        ("event: tag_added", "event", "tag_added:<tag or pattern>"),
        ("event: 'tag_added: '", "event", "tag_added:<tag or pattern>"),
        ("event: 'opened:x'", "event", "expected one of opened"),
        ("event: opened, campain: x", "campain", "there is no such key; did you mean `campaign`"),
        ("event: opened, campaign: ''", "campaign", "must not be empty"),
        ("event: subscribed, campaign: x", "campaign", "subscribed comes from no campaign; leave this out"),
        ("event: 'tag_added:x', campaign: x", "campaign", "tag_added comes from no campaign"),
        ("event: opened, once_every: often", "once_every", "expected a duration"),
        ("event: opened, once_every: 0s", "once_every", "must be longer than nothing"),
        ("event: opened, tags_any: vip", "tags_any", "expected a list"),
        ("event: opened, field: {lastname: [x]}", "field.lastname", "did you mean `lastName`"),
        ("event: opened, field: {firstName: []}", "field.firstName", "must not be empty"),
        ("event: opened, field: {firstName: Ada}", "field.firstName", "expected a list"),
        (
            "event: 'field_changed:Plan'",
            "event",
            "no mapped EmailOctopus field is called `Plan`",
        ),
        ("event: 'tag_added:Hidden one'", "event", "`tags` leaves Hidden one out, so nobody sees that it was added"),
    ],
)
def test_a_mistake_in_when(tmp_path: Path, when: str, key: str, text: str) -> None:
    told = refusal(tmp_path, when, NOTE)
    assert told.startswith(f"sync.yaml, line 9: {PATH}.when.{key}: ")
    assert text in told
    assert len(told.splitlines()) == 1


def test_a_tag_that_nobody_sees(tmp_path: Path) -> None:
    told = refusal(tmp_path, "event: 'tag_added:x*'", NOTE, sync=False)
    assert told.startswith(f"sync.yaml, line 9: {PATH}.when.event: tags aren't kept in sync")


@pytest.mark.parametrize(
    ("then", "key", "text"),
    [
        ("add_tag: x, create_note: y", "", "expected exactly one action"),
        ("add_tags: x", ".add_tags", "there is no such key; did you mean `add_tag`"),
        ("add_to_workflow: the one in spring", ".add_to_workflow", "an id has letters"),
        ("create_task: {due_in: 2d}", ".create_task.title", "is missing"),
        ("create_task: {title: x, due_in: soon}", ".create_task.due_in", "expected a duration"),
        ("create_task: {title: 'Hi {email!r}'}", ".create_task.title", "there is nothing like !r here"),
        ("create_task: {title: x, body: '{x}'}", ".create_task.body", "{x} isn't known"),
        ("create_note: 'Hi {firstname}'", ".create_note", "{firstname} isn't known; there are first_name, last_name"),
        ("create_note: 'Hi {email.__class__}'", ".create_note", "{email.__class__} isn't known"),
        ("create_note: 'Hi {'", ".create_note", "the braces don't fit"),
        ("create_note: '{email:>99999}'", ".create_note", "only occurred_at has one"),
        ("create_note: '{field[Plan]}'", ".create_note", "{field[Plan]}: `Plan` is neither a mapped"),
        ("add_tag: '{nobody}'", ".add_tag", "{nobody} isn't known"),
    ],
)
def test_a_mistake_in_then(tmp_path: Path, then: str, key: str, text: str) -> None:
    told = refusal(tmp_path, "event: opened", then)
    assert told.startswith(f"sync.yaml, line 11: {PATH}.then[0]{key}: ")
    assert text in told


@pytest.mark.parametrize("event", ["subscribed", "'tag_added:x'", "'field_changed:FirstName'"])
def test_what_comes_from_no_campaign_names_none(tmp_path: Path, event: str) -> None:
    told = refusal(tmp_path, f"event: {event}", "create_note: '{campaign_name}'")
    assert "comes from no campaign, so {campaign_name} is nothing" in told


@pytest.mark.parametrize(
    ("call", "key", "text"),
    [
        ("operation: Creat Contact Note, body: x", ".operation", "did you mean Create Contact Note"),
        ("operation: Create Contact Note, body: x, titel: y", ".titel", "did you mean title"),
        ("operation: Create Contact Note", ".body", "is missing"),
        ("body: x", ".operation", "is missing"),
        ("operation: Create Contact Note, body: x, pinned: perhaps", ".pinned", "expected true or false"),
        ("operation: Create Contact Note, body: x, contactId: y", ".contactId", "filled in; leave it out"),
        ("operation: Create Contact Note, body: '{nobody}'", "", "body: {nobody} isn't known"),
        ("operation: Get Contact Notes", ".operation", "only reads"),
        ("operation: Create Location, name: x, companyId: y", ".operation", "agency"),
    ],
)
def test_a_mistake_in_a_call(tmp_path: Path, call: str, key: str, text: str) -> None:
    told = refusal(tmp_path, "event: opened", f"ghl: {{{call}}}")
    assert f"sync.yaml, line 11: {PATH}.then[0].ghl{key}: " in told
    assert text in told


@pytest.mark.parametrize("allowed", [False, True])
@pytest.mark.parametrize(
    ("call", "what"),
    [
        ("operation: Update Contact, dnd: true", "a block for e-mail"),
        ("operation: Update Contact, dnd: false", "a block for e-mail"),
        ("operation: Update Contact, dnd: '{event}'", "a block for e-mail"),
        ("operation: Update Contact, dndSettings: {Email: {status: inactive}}", "a block for e-mail"),
        ("operation: Update Contact, dndSettings.Email.status: inactive", "a block for e-mail"),
        ("operation: update-contact, email: x@example.com", "an e-mail address"),
        ("operation: Update Contact, phone: '{field[FirstName]}'", "an e-mail address or phone number"),
        ("operation: Upsert Contact, email: '{email}'", "an e-mail address"),
        ("operation: Create Contact, email: x@example.com", "an e-mail address"),
        ("operation: Update Contact, tags: [x]", "all tags of a contact"),
    ],
)
def test_no_rule_writes_dnd_addresses_or_whole_tag_arrays(
    tmp_path: Path, call: str, what: str, *, allowed: bool
) -> None:
    told = refusal(tmp_path, "event: opened", f"ghl: {{{call}}}", allowed=allowed)
    assert f"would change {what}" in told
    assert "no rule may" in told


@pytest.mark.parametrize(
    "call",
    [
        "operation: Delete Contact",
        "operation: Remove from Workflow, workflowId: w",
        "operation: Delete Contact Task, taskId: t",
        "operation: Bulk Update Contact Tags, type: remove, contacts: [x], tags: [y]",
        "operation: Bulk Update Contact Tags, type: '{event}', contacts: [x], tags: [y]",
    ],
)
def test_what_takes_something_away_must_be_allowed(tmp_path: Path, call: str) -> None:
    told = refusal(tmp_path, "event: opened", f"ghl: {{{call}}}")
    assert "say `allow_destructive: true` beside `when`" in told
    assert refusal(tmp_path, "event: opened", f"ghl: {{{call}}}", allowed=True) == ""


@pytest.mark.parametrize(
    ("when", "then"),
    [
        ("event: 'tag_added:hid*'", NOTE),  # a pattern may stand for tags that travel
        ("event: 'field_changed:firstname'", NOTE),
        ("event: clicked, field: {FirstName: [Ada], custom.plan: [gold]}", "create_note: '{field[custom.plan]}'"),
        ("event: clicked", "remove_tag: x"),
        ("event: clicked", "ghl: {operation: create-contact-note, body: 'Hi {first_name}', pinned: true}"),
        ("event: clicked", "ghl: {operation: Update Contact, city: Turin}"),
    ],
)
def test_what_is_right_is_taken(tmp_path: Path, when: str, then: str) -> None:
    assert refusal(tmp_path, when, then) == ""


def test_two_rules_that_say_the_same(tmp_path: Path) -> None:
    same = "      - {when: {event: opened}, then: [{add_tag: x}]}\n"
    with pytest.raises(ConfigurationError, match=r"line 7: pairs.main.rules\[1\]: says the same as rules\[0\]"):
        loaded(tmp_path, f"{SMALL}    rules:\n{same}{same}")

"""The file that init writes is the example, filled in; whatever names the accounts use, it can be read again."""

import pytest

from sync_daemon.commands.init.document import field_lines, render
from sync_daemon.commands.init.mapping import Mapping
from sync_daemon.model.contact import AccountSchema, FieldSpec
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.mapping_proposal import Proposal, propose
from sync_daemon.settings.load import load_text
from sync_daemon.settings.rewriting.rendering import scalar
from sync_daemon.settings.variables import Variables

URLS = ("http://127.0.0.1:1", "http://127.0.0.1:2")
KEYS = Variables({"GHL_TOKEN": "pit-1", "EMAILOCTOPUS_API_KEY": "eo-1"})


def written(proposal: Proposal, mapping: Mapping | None = None, title: str = "Newsletter") -> str:
    rows = field_lines(mapping or Mapping(proposal.rows), proposal)
    return render(("loc-1", "Office"), ("list_1", title), URLS, rows)


def proposal(*names: str) -> Proposal:
    ghl = {name: FieldSpec(name, "id", "NUMERICAL", f"{name}\n- label") for name in names}
    emailoctopus = {
        tag: FieldSpec(tag, tag, "text", f"{name}\n- label")
        for tag, name in zip(("Field1", "Field2"), names[1:], strict=False)
    }
    return propose(AccountSchema(SystemName.GHL, ghl), AccountSchema(SystemName.EMAILOCTOPUS, emailoctopus))


def names_in(text: str) -> list[str]:
    return [row.ghl for row in load_text(text, "sync.yaml", KEYS).pairs[0].fields]


def test_what_was_found_out_is_in_it_and_no_secret() -> None:
    text = written(proposal("custom.a", "custom.b"), title="News: #1\nand: more")
    settings = load_text(text, "sync.yaml", KEYS)
    (pair,) = settings.pairs
    assert (settings.ghl.base_url, settings.emailoctopus.base_url) == URLS
    assert (pair.name, pair.ghl.location_id, pair.emailoctopus.list_id) == ("main", "loc-1", "list_1")
    assert [(row.ghl, row.emailoctopus, row.direction) for row in pair.fields] == [
        ("custom.b", "Field1", "to_emailoctopus")
    ]
    assert "<<<" not in text
    assert "Copy this file" not in text
    assert "pit-1" not in text


@pytest.mark.parametrize(
    "name", ["custom.a b", "custom.größe", "custom.a: b", 'custom.a"b', "custom.a#b", "custom.a,b}"]
)
def test_odd_names_stay_what_they_are(name: str) -> None:
    found = proposal("custom.other", name)
    assert names_in(written(found)) == [name]
    assert len(names_in(written(found).replace("      # - {", "      - {"))) == 2


def test_what_is_left_out_or_possible_is_a_comment_that_can_be_used() -> None:
    found = proposal("custom.a", "custom.b", "custom.c")
    text = written(found, Mapping(found.rows[1:], found.rows[:1]))
    assert names_in(text) == ["custom.c"]
    assert set(names_in(text.replace("      # - {", "      - {"))) == {"custom.a", "custom.b", "custom.c"}


def test_no_field_at_all_is_fine_too() -> None:
    assert names_in(written(proposal("custom.a"))) == []


@pytest.mark.parametrize("text", ["null", "~", "", "a b", "- a", "{", "a:", "#a", "é", "🐙", "a\x7fb"])
def test_what_yaml_would_take_otherwise_stands_in_quotes(text: str) -> None:
    assert scalar(text).startswith('"')


def test_an_example_that_has_changed_its_form_is_noticed() -> None:
    with pytest.raises(ValueError, match="no line base_url"):
        render(("l", "L"), ("m", "M"), URLS, "", text="# Where the program remembers what it did.\n")

"""Defaults and templates: what pairs have in common stands once, and a mistake in it is told where it stands."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from sync_daemon.model.errors import ConfigurationError
from tests.unit.settings.configurations import SMALL, loaded

SHARED = """\
defaults:
  emailoctopus: {api_key: eo_all}
  guard: {max_destructive_count: 7, max_create_count: 9}
  tags: {exclude: [internal]}
templates:
  agency:
    fields:
      - {ghl: firstName, emailoctopus: FirstName}
    guard: {max_create_count: 11}
pairs:
"""
BERLIN = """\
  - name: berlin
    template: agency
    ghl: {location_id: l1, token: pit-1}
    emailoctopus: {list_id: m1}
    guard: {max_destructive_percent: 3}
    tags: {exclude: [secret, draft]}
"""


def refusal(folder: Path, text: str, variables: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        loaded(folder, text, variables)
    return str(caught.value).replace(f"{folder}/", "").splitlines()


def test_mappings_are_put_together_and_lists_replaced(tmp_path: Path) -> None:
    pair = loaded(tmp_path, SHARED + BERLIN).pairs[0]

    assert pair.emailoctopus.list_id == "m1"
    assert pair.emailoctopus.api_key.get_secret_value() == "eo_all"
    assert (pair.guard.max_destructive_count, pair.guard.max_create_count) == (7, 11)
    assert pair.guard.max_destructive_percent == 3
    assert pair.tags.exclude == ("secret", "draft")
    assert [row.ghl for row in pair.fields] == ["firstName"]


def test_without_a_template_the_defaults_count_alone(tmp_path: Path) -> None:
    pair = loaded(tmp_path, SHARED + BERLIN.replace("    template: agency\n", "")).pairs[0]

    assert pair.fields == ()
    assert pair.guard.max_create_count == 9


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        # what is wrong in the pair's own keys, though the same key stands in a layer under it
        ("max_destructive_percent: 3", "max_create_count: x",
         "sync.yaml, line 15: pairs.berlin.guard.max_create_count: expected a whole number"),
        ("exclude: [secret, draft]", "exclude: [{}]",
         "sync.yaml, line 16: pairs.berlin.tags.exclude[0]: expected a text"),
        # what is wrong in the template, or in the defaults
        ("max_create_count: 11", "max_create_count: x",
         "sync.yaml, line 9: templates.agency.guard.max_create_count: expected a whole number (pair berlin takes"),
        ("      - {ghl: firstName, emailoctopus: FirstName}", "      - {ghl: firstName}",
         "sync.yaml, line 8: templates.agency.fields[0].emailoctopus: is missing (pair berlin takes it from"),
        ("max_create_count: 9}", "max_create_count: 9, percent: 1}",
         "sync.yaml, line 3: defaults.guard.percent: there is no such key; "),
        # a key that is nowhere is missing in the pair
        (", token: pit-1", "", "sync.yaml, line 13: pairs.berlin.ghl.token: is missing."),
        ("api_key: eo_all", "webhook_secret: x",
         "sync.yaml, line 14: pairs.berlin.emailoctopus.api_key: is missing."),
        ("    ghl: {location_id: l1, token: pit-1}\n", "", "sync.yaml, line 11: pairs.berlin.ghl: is missing."),
        # templates themselves
        ("template: agency", "template: agncy",
         "sync.yaml, line 12: pairs.berlin.template: there is no template agncy; did you mean `agency`."),
        ("  agency:\n", "  agency:\n    name: x\n", "templates.agency.name: belongs to one pair: write it there."),
        ("defaults:\n", "defaults:\n  template: agency\n", "defaults.template: belongs to one pair: write it there."),
        ("  agency:\n", "  agency: x\n  other:\n", "templates.agency: expected keys of its own below it."),
    ],
)  # fmt: skip
def test_a_mistake_is_told_where_it_stands(tmp_path: Path, before: str, after: str, told: str) -> None:
    assert before in SHARED + BERLIN
    lines = refusal(tmp_path, (SHARED + BERLIN).replace(before, after))

    assert any(told in line for line in lines), lines


def test_a_mistake_that_many_pairs_share_is_told_once(tmp_path: Path) -> None:
    pairs = "".join(BERLIN.replace("berlin", f"p{n}").replace("l1", f"l{n}") for n in range(40))
    lines = refusal(tmp_path, SHARED.replace("max_create_count: 11", "max_create_count: x") + pairs)

    assert len(lines) == 1
    assert lines[0].endswith("expected a whole number (pair p0 and 39 more take it from there).")


def test_variables_count_in_what_is_shared(tmp_path: Path) -> None:
    text = SHARED.replace("eo_all", '"${KEY}"') + BERLIN

    assert loaded(tmp_path, text, {"KEY": "eo_x"}).pairs[0].emailoctopus.api_key.get_secret_value() == "eo_x"
    (line,) = refusal(tmp_path, text)
    assert line.startswith("sync.yaml, line 2: defaults.emailoctopus.api_key: the variable KEY is unset or empty. Set")


def test_without_anything_shared_nothing_changes(tmp_path: Path) -> None:
    assert loaded(tmp_path, SMALL).pairs[0].template is None

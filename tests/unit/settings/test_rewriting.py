"""The least change of a configuration's text: what isn't changed stays letter by letter, or the change is refused."""

from copy import deepcopy
from difflib import unified_diff
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_daemon.model.errors import ConfigurationError
from sync_daemon.settings.document import example, parse
from sync_daemon.settings.rewriting.reading import texts_of_items
from sync_daemon.settings.rewriting.rewrite import rewrite
from sync_daemon.settings.rewriting.wanted import Items, Verbatim, plain

EXAMPLE = example().read_text(encoding="utf-8")
PAIR = ("pairs", 0)


def pair_of(text: str) -> dict[str, Any]:
    return deepcopy(parse(text, "it").data["pairs"][0])


def changed(text: str, **keys: Any) -> str:
    """The text with other keys in its first pair; None takes a key out."""
    value = {key: one for key, one in {**pair_of(text), **keys}.items() if one is not None}
    result, said = rewrite(text, "it", PAIR, value)
    assert said.data == parse(result, "it").data
    assert pair_of(result) == plain(value)
    return result


def difference(before: str, after: str) -> list[str]:
    lines = unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in lines if line[:3] not in ("---", "+++") and line[:2] != "@@"]


def small(part: str) -> str:
    return f"# head\npairs:\n  - name: main   # the only one\n    ghl: {{token: '${{T}}'}}\n{part}\n# foot\n"


def test_what_says_the_same_already_stays_letter_by_letter() -> None:
    assert rewrite(EXAMPLE, "it", PAIR, pair_of(EXAMPLE))[0] == EXAMPLE


def test_in_the_example_only_the_lines_that_are_about_it_change() -> None:
    rows = pair_of(EXAMPLE)["fields"]
    after = changed(
        EXAMPLE,
        fields=Items([
            (0, rows[0]),
            (2, {**rows[2], "direction": "to_ghl"}),
            (None, {"ghl": "custom.plan", "emailoctopus": "Plan"}),
        ]),
        create_missing_fields="false",
        scope={**pair_of(EXAMPLE)["scope"], "tags_any": ["letters", "two words"], "field": {"custom.plan": ["gold"]}},
    )  # fmt: skip
    assert difference(EXAMPLE, after) == [
        "-      - {ghl: lastName, emailoctopus: LastName}",
        "-      - {ghl: phone, emailoctopus: Phone, direction: to_emailoctopus, conflict: ghl, blanks: keep}",
        "+      - {ghl: phone, emailoctopus: Phone, direction: to_ghl, conflict: ghl, blanks: keep}",
        "+      - {ghl: custom.plan, emailoctopus: Plan}",
        "-    create_missing_fields: true",
        "+    create_missing_fields: false",
        "-      tags_any: []",
        '+      tags_any: [letters, "two words"]',
        "-      field: {}",
        "+      field: {custom.plan: [gold]}",
    ]


ROWS = """\
    fields:  # what travels
      # names first
      - {ghl: firstName,   emailoctopus: FirstName}   # as people say it
      - ghl: lastName
        emailoctopus: LastName  # of the family
      # and the rest
      - {ghl: phone, emailoctopus: Phone}  # one way?
      # - {ghl: city, emailoctopus: City}"""


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        (
            [(0, {"direction": "to_ghl"}), (1, {}), (2, {})],
            [
                "-      - {ghl: firstName,   emailoctopus: FirstName}   # as people say it",
                "+      - {ghl: firstName,   emailoctopus: FirstName, direction: to_ghl}   # as people say it",
            ],
        ),
        (
            [(0, {}), (1, {"conflict": "newest"}), (2, {})],
            ["+        conflict: newest"],
        ),
        (
            [(0, {}), (1, {"emailoctopus": "Surname"}), (2, {})],
            [
                "-        emailoctopus: LastName  # of the family",
                "+        emailoctopus: Surname  # of the family",
            ],
        ),
        (
            [(0, {}), (2, {})],
            ["-      - ghl: lastName", "-        emailoctopus: LastName  # of the family"],
        ),
        (
            [(0, {}), (1, {}), (2, {}), (None, {"ghl": "city", "emailoctopus": "City"})],
            ["+      - {ghl: city, emailoctopus: City}"],
        ),
        (
            [(None, {"ghl": "city", "emailoctopus": "City"}), (0, {}), (1, {}), (2, {})],
            ["+      - {ghl: city, emailoctopus: City}"],
        ),
    ],
)
def test_rows_change_one_by_one(rows: list[tuple[int | None, dict[str, str]]], lines: list[str]) -> None:
    text = small(ROWS)
    before = pair_of(text)["fields"]
    wanted = Items([(at, new if at is None else {**before[at], **new}) for at, new in rows])
    assert difference(text, changed(text, fields=wanted)) == lines


def test_all_rows_are_taken_out_and_comments_stay() -> None:
    text = small(ROWS)
    after = changed(text, fields=[])
    assert "    fields: []  # what travels\n      # names first\n      # and the rest\n" in after
    assert "# - {ghl: city, emailoctopus: City}" in after
    again = changed(after, fields=[{"ghl": "a", "emailoctopus": "A"}, {"ghl": "b", "emailoctopus": "B"}])
    assert "fields:\n      - {ghl: a, emailoctopus: A}\n      - {ghl: b, emailoctopus: B}  # what travels\n" in again


@pytest.mark.parametrize(
    ("part", "keys", "line"),
    [
        ("    rules:", {"rules": [{"when": {"event": "opened"}, "then": [{"add_tag": "x y"}]}]},
         '          - add_tag: "x y"'),
        ("    then:\n      - add_tag: a  # once", {"then": [{"create_task": {"title": "b"}}]},
         "      - create_task: {title: b}  # once"),
        ("    on_leave_scope:", {"on_leave_scope": "unsubscribe"}, "    on_leave_scope: unsubscribe"),
        ("    fields:\n      []", {"fields": [{"ghl": "a", "emailoctopus": "A"}]}, "      - {ghl: a, emailoctopus: A}"),
        ("    tags: {sync: true }", {"tags": {"sync": "false"}}, "    tags: {sync: false }"),
        ("    tags: {}  # all", {"tags": {"sync": "false"}}, "    tags: {sync: false}  # all"),
        ("    tags:\n      # which\n      include: [a,  b ,c]", {"tags": {"include": ["a", "c", "d"]}},
         "      include: [a,  c, d]"),
        ("    scope:\n      tags_any:\n      - a  # one\n      - b", {"scope": {"tags_any": ["b", "c"]}}, "      - c"),
        ("    scope:\n      field:\n        custom.a: [x]", {"scope": {"field": {}}}, "      field: {}"),
        ("    fields: [{ghl: a, emailoctopus: A},\n             {ghl: b, emailoctopus: B}]",
         {"fields": Items([(1, {"ghl": "b", "emailoctopus": "C"})])}, "    fields: [{ghl: b, emailoctopus: C}]"),
        ("    note: |\n      a\n      b", {"note": "c"}, "    note: c"),
    ],
)  # fmt: skip
def test_every_way_of_writing_is_kept(part: str, keys: dict[str, Any], line: str) -> None:
    after = changed(small(part), **keys)
    assert line in after.splitlines()
    assert after.startswith("# head\npairs:\n  - name: main   # the only one\n    ghl: {token: '${T}'}\n")
    assert after.endswith("\n# foot\n")


def test_keys_that_arent_there_are_written_below_the_others() -> None:
    after = changed(small("    fields: []"), scope={"tags_any": ["a"]}, on_leave_scope="keep")
    assert "    fields: []\n    scope: {tags_any: [a]}\n    on_leave_scope: keep\n# foot" in after
    assert changed("pairs: [{name: a}]", tags={"sync": "false"}) == "pairs: [{name: a, tags: {sync: false}}]"


def test_a_last_line_without_an_end_gets_one() -> None:
    assert changed("pairs:\n- name: a", on_leave_scope="keep") == "pairs:\n- name: a\n  on_leave_scope: keep"
    assert changed(
        "pairs:\n- name: a\n  fields:\n  - {ghl: a}", fields=[{"ghl": "a"}, {"ghl": "b", "x": "c"}]
    ).endswith("  - {ghl: a}\n  - {ghl: b, x: c}")


def test_line_ends_stay_as_they_are() -> None:
    text = EXAMPLE.replace("\n", "\r\n")
    after = changed(text, fields=[*pair_of(text)["fields"], {"ghl": "city", "emailoctopus": "City"}])
    assert "City}\r\n" in after
    assert after.count("\n") == after.count("\r\n") == text.count("\n") + 1


def test_rules_keep_their_text_and_may_be_written_by_hand() -> None:
    text = small(
        "    rules:\n"
        "      # on spring\n"
        "      - when: {event: clicked,  campaign: 'Spring*'}   # all of them\n"
        "        then:\n"
        "          - add_tag: spring  # a tag\n"
        "          - create_note: >\n"
        "              Clicked\n"
        "      - when: {event: opened}\n"
        "        then: [{add_tag: a}]"
    )
    rules = pair_of(text)["rules"]
    again = {**rules[0], "when": {"event": "opened"}, "then": [{"add_tag": "other"}, rules[0]["then"][1]]}
    after = changed(text, rules=Items([(0, again), (1, rules[1])]))
    assert difference(text, after) == [
        "-      - when: {event: clicked,  campaign: 'Spring*'}   # all of them",
        "+      - when: {event: opened}   # all of them",
        "-          - add_tag: spring  # a tag",
        "+          - add_tag: other  # a tag",
    ]
    texts = texts_of_items(text, "it", (*PAIR, "rules"))
    assert texts[1] == "when: {event: opened}\nthen: [{add_tag: a}]"
    assert parse(f"{texts[0]}\n", "it").data == rules[0]
    assert "# a tag" in texts[0]
    own = "# mine\nwhen:\n  event: opened\nthen:\n- add_tag: b"
    after = changed(text, rules=Items([(0, rules[0]), (1, Verbatim(own, parse(own, "it").data))]))
    assert difference(text, after) == [
        "-      - when: {event: opened}",
        "-        then: [{add_tag: a}]",
        "+      - # mine",
        "+        when:",
        "+          event: opened",
        "+        then:",
        "+        - add_tag: b",
    ]


SHARED = """\
all: &all {tags_any: [a]}
more: &more
  on_leave_scope: keep
pairs:
  - name: one
    <<: *more
    scope: *all
    tags: &tags
      sync: true
  - name: two
    scope: *all
    tags: *tags
"""


def test_what_is_shared_isnt_changed_elsewhere() -> None:
    assert changed(SHARED, on_leave_scope="unsubscribe") == SHARED.replace(
        "      sync: true\n", "      sync: true\n    on_leave_scope: unsubscribe\n"
    )
    assert changed(SHARED, scope={"tags_any": ["b"]}) == SHARED.replace("scope: *all", "scope: {tags_any: [b]}", 1)
    with pytest.raises(ConfigurationError, match=r"it, line 5: this part is written in a way .* by hand"):
        changed(SHARED, tags={"sync": "false"})


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("pairs:\n  - name: a\n    scope: {tags_any: [a, # first\n      b]}", {"scope": {"tags_any": ["b"]}}),
        ("pairs:\n  - name: a\n    scope: {tags_any: [ # none\n      ]}", {"scope": {"tags_any": ["b"]}}),
        ("pairs:\n  - name: a\n    tags: {a: 1, # x\n      b: 2}", {"tags": {"b": "2"}}),
        ("pairs:\n  - scope: {} # x\n    name: a", {"scope": None}),
        ("pairs:\n  - name: a\n    tags:\n      a: 1", {"tags": ["b"]}),
        ("pairs:\n  - name: a\n    then:\n      - a: 1  # x\n        b: 2", {"then": [{"c": "3"}]}),
    ],
)
def test_a_change_that_would_lose_something_is_refused(text: str, keys: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"it, line 2: .*Change it in the file, by hand\."):
        changed(text, **keys)


@pytest.mark.parametrize(
    ("text", "keys", "then"),
    [
        ("tags: {prefix: '#'}", {"tags": {}}, "tags: {}"),
        ("tags: {prefix: a#b, '#': 1}", {"tags": {}}, "tags: {}"),
        ("tags: {include: ['#share*']}", {"tags": {"prefix": "x"}}, "tags: {prefix: x}"),
        ("then:\n      - add_tag: '#a'", {"then": [{"add_note": "b"}]}, "then:\n      - add_note: b"),
        ("then:\n      - '#a'", {"then": [{"add_note": "b"}]}, "then:\n      - add_note: b"),
    ],
)
def test_a_number_sign_in_a_text_is_no_comment(text: str, keys: dict[str, Any], then: str) -> None:
    assert changed(f"pairs:\n  - name: a\n    {text}\n", **keys) == f"pairs:\n  - name: a\n    {then}\n"


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp", "Co", "Cn")), max_size=6)
LISTS = st.lists(WORDS, max_size=4)
ROW = st.fixed_dictionaries({"ghl": WORDS}, optional={"direction": WORDS, "blanks": WORDS})
RULE = st.fixed_dictionaries({
    "when": st.dictionaries(st.sampled_from(["event", "campaign"]), WORDS, min_size=1),
    "then": st.lists(st.dictionaries(st.just("add_tag"), WORDS, min_size=1), min_size=1, max_size=3),
})  # fmt: skip
PAIRS = st.fixed_dictionaries({}, optional={
    "fields": st.lists(ROW, max_size=4),
    "tags": st.fixed_dictionaries({}, optional={"include": LISTS, "prefix": WORDS}),
    "scope": st.fixed_dictionaries({}, optional={"field": st.dictionaries(WORDS, LISTS, max_size=2), "types": LISTS}),
    "rules": st.lists(RULE, max_size=3),
})  # fmt: skip


@settings(max_examples=20)
@given(PAIRS, PAIRS, PAIRS)
def test_any_change_says_what_was_wanted_and_leaves_comments(one: Any, other: Any, third: Any) -> None:
    text = small("    # below the name\n    on_leave_scope: keep  # so far")
    for keys in (one, other, third):
        value = {**{key: pair_of(text)[key] for key in ("name", "ghl", "on_leave_scope")}, **keys}
        text, _ = rewrite(text, "it", PAIR, value)
        assert pair_of(text) == value
        for kept in ("# head\n", "   # the only one\n", "    # below the name\n", "keep  # so far\n", "# foot\n"):
            assert kept in text

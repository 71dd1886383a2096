"""The mapping as a form: what comes back untouched changes nothing, and what is changed changes nothing else."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sync_daemon.settings.editing import Original
from sync_daemon.settings.files import Written
from sync_daemon.settings.pair import PairSection
from sync_daemon.settings.rewriting.rendering import placed
from sync_daemon.settings.rewriting.wanted import Items, plain
from sync_daemon.web.dashboard.mapping.form import ROW_KEYS, MappingForm, Row, of_browser, of_file
from sync_daemon.web.dashboard.mapping.inputs import SINGLE, Kind, meant, shown
from sync_daemon.web.dashboard.mapping.rule_form import CONDITIONS, RuleForm
from sync_daemon.web.dashboard.mapping.wanted import changes, wanted

SECTION = PairSection.model_validate({
    "name": "main",
    "ghl": {"location_id": "l", "token": "pit-1"},
    "emailoctopus": {"list_id": "m", "api_key": "eo-1"},
})  # fmt: skip


def original(**value: Any) -> Original:
    texts = tuple(placed(one, 0) for one in value.get("rules", []))
    return Original(Written("", "digest"), (), SECTION, {"name": "main", **value}, texts)


def as_sent(form: MappingForm) -> dict[str, list[str]]:
    """What a browser sends of a form: inputs of one line have no line ends, those of several have `\\r\\n`."""
    sent = {
        name: _area(text) if kind in _LONG else _line(text)
        for name, kind in SINGLE.items()
        for text in (form.single[name],)
    }
    for number, row in enumerate(form.rows):
        sent |= {f"fields.{number}.{key}": _line(getattr(row, key)) for key in ROW_KEYS}
        sent[f"fields.{number}.origin"] = "" if row.origin is None else str(row.origin)
    for number, rule in enumerate(form.rules):
        sent |= {f"rules.{number}.{key}": text for key, text in _of_rule(rule)}
    return {name: [text] for name, text in sent.items()}


_LONG = (Kind.LINES, Kind.CONDITIONS)


def _of_rule(rule: RuleForm) -> list[tuple[str, str]]:
    origin = ("origin", "" if rule.origin is None else str(rule.origin))
    if rule.yaml is not None:
        return [origin, ("yaml", _area(rule.yaml))]
    when = [(key, (_area if kind in _LONG else _line)(rule.when.get(key, ""))) for key, kind in CONDITIONS.items()]
    then = [
        (f"then.{number}.{key}", text)
        for number, one in enumerate(rule.actions)
        for key, text in (
            ("does", one.does), ("text", _area(one.text)), ("due_in", _line(one.due_in)), ("body", _area(one.body)),
        )
    ]  # fmt: skip
    return [origin, ("event", rule.event), ("subject", _line(rule.subject)), *when, *then]


def _line(text: str) -> str:
    return text.replace("\n", "").replace("\r", "")


def _area(text: str) -> str:
    return "\r\n".join(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))


NAMES = st.text(st.characters(categories=("Lu", "Ll", "Nd")), min_size=1, max_size=5)
TEXTS = st.text(st.sampled_from(list("ab =:#,{}*'\"\n\r\t é")), min_size=1, max_size=8)
LISTS = st.lists(TEXTS, max_size=3)
ROWS = st.fixed_dictionaries(
    {"ghl": NAMES, "emailoctopus": NAMES}, optional={"direction": NAMES, "conflict": NAMES, "blanks": NAMES}
)
WHENS = st.fixed_dictionaries(
    {"event": st.sampled_from(["clicked", "opened", "tag_added: vip", "tag_added:vip", "field_changed:Plan"])},
    optional={
        "campaign": TEXTS,
        "tags_any": LISTS,
        "tags_none": LISTS,
        "field": st.dictionaries(NAMES, LISTS, max_size=2),
        "once_every": TEXTS,
    },
)
TASKS = st.fixed_dictionaries({"title": TEXTS}, optional={"due_in": TEXTS, "body": TEXTS})
ACTIONS = st.one_of(
    st.fixed_dictionaries({"add_tag": TEXTS}),
    st.fixed_dictionaries({"create_note": TEXTS}),
    st.fixed_dictionaries(
        {"create_task": st.fixed_dictionaries({"title": TEXTS}, optional={"due_in": TEXTS, "body": TEXTS})}
    ),
    st.fixed_dictionaries({"ghl": st.fixed_dictionaries({"operation": TEXTS})}),
)
RULES = st.fixed_dictionaries(
    {"when": WHENS, "then": st.lists(ACTIONS, min_size=1, max_size=3)}, optional={"allow_destructive": st.just("true")}
)
PAIRS = st.fixed_dictionaries({}, optional={
    "fields": st.lists(ROWS, max_size=3),
    "create_missing_fields": st.sampled_from(["true", "True", "no", "${FLAG}"]),
    "tags": st.fixed_dictionaries({}, optional={"sync": st.sampled_from(["off", "true"]), "exclude": LISTS}),
    "scope": st.fixed_dictionaries({}, optional={"tags_any": LISTS, "field": st.dictionaries(NAMES, LISTS)}),
    "on_leave_scope": st.sampled_from(["keep", "unsubscribe"]),
    "rules": st.lists(RULES, max_size=3),
})  # fmt: skip


@given(PAIRS)
def test_what_comes_back_untouched_changes_nothing(value: dict[str, Any]) -> None:
    before = original(**value)
    back = of_browser(as_sent(of_file(before)))
    assert list(changes(before, back)) == []
    said, problems = wanted(before, back)
    assert problems == []
    assert plain(said) == before.value


@given(PAIRS)
def test_one_change_leaves_the_rest(value: dict[str, Any]) -> None:
    before = original(**value)
    sent = {**as_sent(of_file(before)), "scope.types": ["lead\r\n customer \r\n\r\n"]}
    said, problems = wanted(before, of_browser(sent))
    assert problems == []
    assert plain(said) == {**before.value, "scope": {**value.get("scope", {}), "types": ["lead", "customer"]}}
    assert list(changes(before, of_browser(sent))) == ["Of the contact types: nothing → lead, customer"]


def test_a_row_keeps_what_the_file_says_of_it() -> None:
    before = original(fields=[{"ghl": "a", "emailoctopus": "A", "blanks": "keep"}, {"ghl": "b", "emailoctopus": "B"}])
    sent = as_sent(of_file(before))
    sent |= {"fields.1.conflict": ["newest"], "fields.2.ghl": ["c"], "fields.2.emailoctopus": ["C"]}
    sent |= {f"fields.2.{key}": [getattr(Row(), key)] for key in ("direction", "conflict")}
    sent |= {"fields.2.blanks": ["propagate"], "fields.2.origin": [""]}
    said, _ = wanted(before, of_browser(sent))
    assert said["fields"] == Items([
        (0, {"ghl": "a", "emailoctopus": "A", "blanks": "keep"}),
        (1, {"ghl": "b", "emailoctopus": "B", "conflict": "newest"}),
        (None, {"ghl": "c", "emailoctopus": "C", "blanks": "propagate"}),
    ])  # fmt: skip


def test_conditions_are_lines() -> None:
    conditions = {"custom.plan": ["gold", "a = b"], "nobody": []}
    text = shown(Kind.CONDITIONS, conditions)
    assert text == "custom.plan = gold\ncustom.plan = a = b\nnobody ="
    assert meant(Kind.CONDITIONS, text) == conditions


def test_a_condition_that_is_emptied_is_taken_out_of_a_rule() -> None:
    rule = {"when": {"event": "clicked", "campaign": "x", "tags_any": ["a"]}, "then": [{"add_tag": "t"}]}
    before = original(rules=[rule])
    sent = {
        **as_sent(of_file(before)),
        "rules.0.campaign": [""],
        "rules.0.event": ["tag_added"],
        "rules.0.subject": ["v"],
    }
    said, _ = wanted(before, of_browser(sent))
    assert plain(said)["rules"] == [{"when": {"event": "tag_added:v", "tags_any": ["a"]}, "then": [{"add_tag": "t"}]}]

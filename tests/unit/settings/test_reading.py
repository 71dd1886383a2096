"""What a configuration says is what the settings and the policy hold."""

from datetime import timedelta
from pathlib import Path

import pytest

from sync_daemon.model.policy import (
    AddressChange,
    Blanks,
    ConflictRule,
    DeletedInEmailOctopus,
    DeletedInGhl,
    DeleteRule,
    Direction,
    FieldRule,
    GuardLimits,
    NewContactStatus,
    OnLeaveScope,
    PairPolicy,
    Resubscribe,
    ScopeRule,
    TagRule,
)
from tests.unit.settings.configurations import SMALL, loaded


def test_what_is_left_out_has_the_documented_default(tmp_path: Path) -> None:
    settings = loaded(tmp_path, SMALL)

    assert settings.pairs[0].policy() == PairPolicy(name="main")
    assert settings.database_url.get_secret_value() == "sqlite:///data/sync.db"
    assert settings.secret_key.get_secret_value() == ""
    assert (settings.ghl.base_url, settings.ghl.version) == ("https://services.leadconnectorhq.com", "2021-07-28")
    assert settings.ghl.index_lag == timedelta(minutes=10)
    assert settings.emailoctopus.base_url == "https://api.emailoctopus.com"
    assert settings.service.poll_every == timedelta(seconds=60)
    assert settings.service.counts_every == timedelta(minutes=10)
    assert settings.service.consent_sweep_every == timedelta(hours=1)
    assert settings.service.full_scan_every == timedelta(hours=24)


def test_every_policy_is_taken_over(tmp_path: Path) -> None:
    pair = """\
    fields:
      - {ghl: firstName, emailoctopus: FirstName}
      - {ghl: custom.plan, emailoctopus: Plan, direction: to_ghl, conflict: newest, blanks: propagate}
    create_missing_fields: false
    tags: {sync: false, include: [vip*], exclude: [internal], prefix_from_emailoctopus: "eo: "}
    scope:
      {tags_any: [a], tags_all: [b], tags_none: [c], field: {custom.plan: [gold, 3]}, types: [lead], add_tags: [a]}
    on_leave_scope: unsubscribe
    create_in_ghl: false
    create_in_emailoctopus: false
    create_suppressed: true
    create_without_phone: true
    new_contact_status: pending
    resubscribe: allow
    address_change: keep_status
    deletes: {in_ghl: delete, in_emailoctopus: recreate, tag: gone}
    guard: {max_destructive_percent: 1.5, max_destructive_count: 2, max_create_percent: 3, max_create_count: 4}
"""
    policy = loaded(tmp_path, SMALL + pair).pairs[0].policy(double_opt_in=True, country="GB")

    assert policy == PairPolicy(
        name="main",
        fields=(
            FieldRule("firstName", "FirstName"),
            FieldRule("custom.plan", "Plan", Direction.TO_GHL, ConflictRule.NEWEST, Blanks.PROPAGATE),
        ),
        create_missing_fields=False,
        tags=TagRule(sync=False, include=("vip*",), exclude=("internal",), prefix="eo: "),
        scope=ScopeRule(
            tags_any=("a",),
            tags_all=("b",),
            tags_none=("c",),
            field={"custom.plan": ("gold", "3")},
            types=("lead",),
            add_tags=("a",),
        ),
        on_leave_scope=OnLeaveScope.UNSUBSCRIBE,
        create_in_ghl=False,
        create_in_emailoctopus=False,
        create_suppressed=True,
        create_without_phone=True,
        new_contact_status=NewContactStatus.PENDING,
        resubscribe=Resubscribe.ALLOW,
        address_change=AddressChange.KEEP_STATUS,
        deletes=DeleteRule(DeletedInGhl.DELETE, DeletedInEmailOctopus.RECREATE, "gone"),
        guard=GuardLimits(1.5, 2, 3, 4),
        double_opt_in=True,
        country="GB",
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [("90s", 90), ("10m", 600), ("24h", 86_400), ("90d", 7_776_000), ("1.5h", 5_400), ('"2 m"', 120)],
)
def test_durations(tmp_path: Path, written: str, meant: int) -> None:
    assert loaded(tmp_path, f"service: {{poll_every: {written}}}\n{SMALL}").service.poll_every.total_seconds() == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("https://services.leadconnectorhq.com/", "https://services.leadconnectorhq.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080/ghl", "http://[::1]:8080/ghl"),
        ("https://Mock_Server", "https://Mock_Server"),
    ],
)
def test_addresses(tmp_path: Path, written: str, meant: str) -> None:
    assert loaded(tmp_path, f"ghl: {{base_url: '{written}'}}\n{SMALL}").ghl.base_url == meant


def test_what_yaml_would_guess_stays_text(tmp_path: Path) -> None:
    text = SMALL.replace("ve9EPM428h8vShlRW1KT", "0123456789").replace("name: main", "name: 2021-07-28")
    pair = loaded(tmp_path, "ghl: {version: 2021-07-28}\n" + text).pairs[0]
    assert (pair.name, pair.ghl.location_id) == ("2021-07-28", "0123456789")


def test_a_key_without_a_value_counts_as_left_out(tmp_path: Path) -> None:
    settings = loaded(tmp_path, SMALL + "    activity:\n    tags: ~\nservice:\n")
    assert settings.pairs[0].policy() == PairPolicy(name="main")


def test_pairs_can_share_what_is_written_once(tmp_path: Path) -> None:
    text = """\
pairs:
  - &first
    name: one
    ghl: {location_id: a, token: t}
    emailoctopus: {list_id: x, api_key: k}
    create_in_ghl: false
  - <<: *first
    name: two
    ghl: {location_id: b, token: t}
"""
    one, two = loaded(tmp_path, text).pairs
    assert (two.name, two.ghl.location_id, two.emailoctopus, two.create_in_ghl) == ("two", "b", one.emailoctopus, False)


def test_activity_and_rules_are_read(tmp_path: Path) -> None:
    pair = """\
    activity:
      poll_every: 5m
      tasks: {open_count: GhlOpenTasks, on_completed: {automation: 0f2e}}
      notes: {latest: GhlLastNote, include: ["#share*"]}
      appointments: {next_start: GhlNextApptOn, window_days: 30}
    rules:
      - when: {event: clicked, campaign: "Spring*"}
        then:
          - add_tag: clicked-spring
          - create_task: {title: "Call {first_name}", due_in: 2d}
          - create_note: "Clicked on {occurred_at:%Y-%m-%d}"
          - add_to_workflow: wf_8Kd
"""
    read = loaded(tmp_path, SMALL + pair).pairs[0]

    assert read.activity.tasks is not None
    assert read.activity.tasks.on_completed is not None
    assert read.activity.tasks.on_completed.automation == "0f2e"
    assert [next(iter(action.model_fields_set)) for action in read.rules[0].then] == [
        "add_tag",
        "create_task",
        "create_note",
        "add_to_workflow",
    ]


def test_settings_show_no_secret(tmp_path: Path) -> None:
    shown = repr(loaded(tmp_path, f"secret_key: {'k' * 32}\ndatabase_url: postgresql://u:hunter2@h/d\n{SMALL}"))
    assert not [secret for secret in ("k" * 32, "hunter2", "pit-abc", "eo_abc") if secret in shown]

"""Contract, section 3, "Scope": by GHL tags, a custom field's values, contact types."""

from typing import Any

import pytest

from sync_daemon.model.policy import ScopeRule
from sync_daemon.reconcile.scope import in_scope, satisfies
from tests.unit.changes.values import person

ADA: dict[str, Any] = {
    "tags": {"VIP", "beta"},
    "fields": {"custom.plan": "Gold", "custom.score": 5, "custom.kinds": ("a", "B")},
    "contact_type": "Lead",
}


@pytest.mark.parametrize(
    ("rule", "inside"),
    [
        (ScopeRule(), True),
        (ScopeRule(tags_any=("vip",)), True),
        (ScopeRule(tags_any=("x", " Beta ")), True),
        (ScopeRule(tags_any=("x", "y")), False),
        (ScopeRule(tags_all=("vip", "BETA")), True),
        (ScopeRule(tags_all=("vip", "x")), False),
        (ScopeRule(tags_none=("x",)), True),
        (ScopeRule(tags_none=("x", "Vip")), False),
        (ScopeRule(types=("lead",)), True),
        (ScopeRule(types=("customer", "LEAD")), True),
        (ScopeRule(types=("customer",)), False),
        (ScopeRule(field={"custom.plan": ("silver", "gold")}), True),
        (ScopeRule(field={"custom.plan": ("silver",)}), False),
        (ScopeRule(field={"custom.score": ("5",)}), True),
        (ScopeRule(field={"custom.score": ("6",)}), False),
        (ScopeRule(field={"custom.kinds": ("b",)}), True),
        (ScopeRule(field={"custom.kinds": ("c", "d")}), False),
        (ScopeRule(field={"custom.missing": ("x",)}), False),
        (ScopeRule(field={"custom.missing": ("",)}), True),
        (ScopeRule(field={"custom.plan": ("gold",), "custom.kinds": ("c",)}), False),
        (ScopeRule(tags_any=("vip",), types=("customer",)), False),
        (ScopeRule(tags_any=("vip",), tags_none=("beta",)), False),
        (ScopeRule(add_tags=("never asked for",)), True),
    ],
)
def test_who_is_in_scope(rule: ScopeRule, inside: bool) -> None:
    assert in_scope(rule, person(**ADA)) is inside


@pytest.mark.parametrize(
    "rule", [ScopeRule(tags_any=("vip",)), ScopeRule(tags_all=("vip",)), ScopeRule(types=("lead",))]
)
def test_who_has_nothing_is_not(rule: ScopeRule) -> None:
    assert not in_scope(rule, person())
    assert in_scope(ScopeRule(tags_none=("vip",)), person())


def test_who_would_be_created_is_judged_by_what_it_would_have() -> None:
    rule = ScopeRule(tags_all=("club",), field={"custom.plan": ("gold",)}, types=())
    assert satisfies(rule, {"Club"}, {"custom.plan": "gold"}, None)
    assert not satisfies(rule, set(), {"custom.plan": "gold"}, None)
    assert not satisfies(ScopeRule(types=("lead",)), set(), {}, None)

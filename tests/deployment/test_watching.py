"""The dashboard and the alert rules name figures that exist, and every figure is shown."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from sync_daemon.cli import application
from sync_daemon.model.alarm import Condition
from sync_daemon.model.health import PairHealth
from sync_daemon.model.report import CycleOutcome, CycleReport, Mode
from sync_daemon.model.system import SystemName
from sync_daemon.service.metrics import Figures, Metrics
from tests.deployment.files import CONFIG, yaml

NOW = datetime(2026, 1, 2, tzinfo=UTC)
DASHBOARD: dict[str, Any] = json.loads((CONFIG / "grafana-dashboard.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
RULES: list[dict[str, Any]] = yaml((CONFIG / "alert-rules.yaml").read_text(encoding="utf-8"))["groups"][0]["rules"]
OF_THE_SCRAPE = {"instance", "job"}
TOLD_BY_FIGURES = {Condition.SILENT, Condition.HELD, Condition.PARKED, Condition.DATABASE}
"""Conditions that rules know by what they are about, as Prometheus sees it without the service's judgement."""


def metrics() -> Metrics:
    """Figures of which every one has been seen."""
    made = Metrics()
    report = CycleReport("main", "run", Mode.FULL, CycleOutcome.OK)
    report.written[SystemName.GHL, "created"] = 1
    report.quota_left[SystemName.GHL] = 1
    made.cycle_ended(report)
    made.request_ended("main", SystemName.GHL, 200, 0.1)
    made.webhook_told(SystemName.GHL, "accepted", 1)
    made.taken_over("main")
    made.watch_jobs(lambda: 1)
    made.watch(lambda: [Figures(PairHealth("main", NOW), report, 0, ())], lambda: NOW)
    return made


SERIES = {s.name: {*s.labels, *OF_THE_SCRAPE} for family in metrics().registry.collect() for s in family.samples}
EXPRESSIONS = [
    *(target["expr"] for panel in PANELS for target in panel["targets"]),
    *(variable["definition"] for variable in DASHBOARD["templating"]["list"] if "definition" in variable),
    *(rule["expr"] for rule in RULES),
]


def named(expression: str) -> list[str]:
    return re.findall(r"\bsync_daemon_\w+", expression)


def labels_of(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Each series with the labels that it is chosen by; all that are grouped or joined by count for each."""
    grouped = {
        label.strip() for labels in re.findall(r"\b(?:by|on) \(([^)]*)\)", expression) for label in labels.split(",")
    }
    for name, chosen in re.findall(r"\b(sync_daemon_\w+)(\{[^}]*\})?", expression):
        yield name, grouped | set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", chosen))


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_what_is_asked_for_exists(expression: str) -> None:
    assert named(expression)
    for name, labels in labels_of(expression):
        assert name in SERIES
        assert labels <= SERIES[name]


def test_every_figure_is_shown() -> None:
    shown = {name for panel in PANELS for target in panel["targets"] for name in named(target["expr"])}
    families = {family.name: {s.name for s in family.samples} for family in metrics().registry.collect()}
    assert [name for name, series in families.items() if not series & shown] == []


def test_every_condition_has_a_rule() -> None:
    conditions = {c for rule in RULES for c in re.findall(r'condition="(\w+)"', rule["expr"])}
    assert conditions == {str(one) for one in Condition} - TOLD_BY_FIGURES


def test_outcomes_that_rules_name_exist() -> None:
    outcomes = {
        word for e in EXPRESSIONS for words in re.findall(r'outcome[!=]~"([^"]+)"', e) for word in words.split("|")
    }
    assert outcomes
    assert outcomes <= {str(one) for one in CycleOutcome}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_a_rule_says_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning"}
    text = rule["annotations"]["summary"] + rule["annotations"]["description"]
    for command in re.findall(r"sync-daemon ([a-z]+)", rule["annotations"]["description"]):
        assert command in application()
    grouped = re.findall(r"\bby \(([^)]*)\)", rule["expr"])
    for label in re.findall(r"\$labels\.(\w+)", text):
        assert all(label in labels for labels in grouped)
        assert all(label in SERIES[name] for name in named(rule["expr"]))


def test_the_dashboard_asks_the_data_source_that_is_chosen() -> None:
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    assert [panel["title"] for panel in PANELS if panel["datasource"] != chosen] == []
    assert all(target["datasource"] == chosen for panel in PANELS for target in panel["targets"])
    variables = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert variables["pair"]["multi"]


def test_every_figure_of_a_pair_follows_the_choice_of_pairs() -> None:
    targets = [target["expr"] for panel in PANELS for target in panel["targets"]]
    lost = [e for e in targets for name in named(e) if "pair" in SERIES[name] and f'{name}{{pair=~"$pair"}}' not in e]
    assert lost == []


def test_the_dashboard_is_laid_out_without_overlaps() -> None:
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken
        taken |= cells

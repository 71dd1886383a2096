"""The command and what it prints."""

from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import Parameter

from sync_daemon.commands.check.alerting import AlertFindings, examine_alerts
from sync_daemon.commands.check.examine import examine
from sync_daemon.commands.check.findings import Findings, GhlCredential, worst
from sync_daemon.commands.check.webhooks import WebhookFindings, examine_webhooks
from sync_daemon.commands.options import DEFAULT_CONFIG, Config, Json, PairName, choose
from sync_daemon.commands.printing import console, iso, print_json, table
from sync_daemon.model.contact import FieldSpec
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.mapping_check import MappingRow
from sync_daemon.wiring.state import look_into_store


def check(
    *,
    config: Config = DEFAULT_CONFIG,
    pair: PairName = None,
    alert: Annotated[
        bool, Parameter(name="--alert", negative="", help="Send a test alert to every target of alerts.urls.")
    ] = False,
    json: Json = False,
) -> int:
    """Say what is wrong with a configuration, and how to mend it; changes nothing."""
    chosen = choose(config, pair)
    with look_into_store(chosen.settings) as store:
        findings = [examine(section, chosen.settings, store) for section in chosen.pairs]
    alerts = examine_alerts(chosen.settings.alerts, send=alert)
    webhooks = examine_webhooks(chosen.settings, chosen.pairs)
    if json:
        print_json(
            {
                "pairs": [_as_json(one) for one in findings],
                "alerts": _alerts_as_json(alerts),
                "webhooks": _webhooks_as_json(webhooks),
            }
        )
    else:
        for one in findings:
            _show(one)
        _show_alerts(alerts)
        console().print("\nwebhooks", style="bold")
        _list("To mend", webhooks.problems)
        _list("Good to know", webhooks.advice)
    return worst(findings) or alerts.status or webhooks.status


def _show(findings: Findings) -> None:
    out = console()
    out.print(f"\n{findings.pair}", style="bold")
    for system, words in findings.accounts.items():
        out.print(f"{system}: {words}")
    if findings.credential is not None:
        out.print(f"{SystemName.GHL} is opened by: {findings.credential}")
    if findings.mapping:
        out.print(
            table(("GHL field", "type", "", "EmailOctopus field", "type", "conversion"), map(_row, findings.mapping))
        )
    if findings.daily:
        out.print(table(("", "a quiet day takes#", "of a day's#", "left today#"), _quotas(findings)))
    _list("To mend before a reconcile can run", findings.problems)
    _list("Good to know", findings.advice)
    if not findings.problems:
        out.print("Nothing stops a reconcile. See what it would do with: sync-daemon plan")


def _show_alerts(alerts: AlertFindings) -> None:
    console().print("\nalerts", style="bold")
    for name, taken in alerts.taken.items():
        words = {True: "took the test alert", False: "did not take the test alert", None: "is written as it should be"}
        console().print(f"{name} {words[taken]}")
    _list("To mend", alerts.problems)
    _list("Good to know", alerts.advice)


def _webhooks_as_json(webhooks: WebhookFindings) -> dict[str, Any]:
    return {
        "ok": not webhooks.problems,
        "problems": webhooks.problems,
        "advice": webhooks.advice,
        "address": webhooks.address,
        "answers": webhooks.answers,
    }


def _alerts_as_json(alerts: AlertFindings) -> dict[str, Any]:
    return {
        "ok": not alerts.problems,
        "problems": alerts.problems,
        "advice": alerts.advice,
        "targets": [{"target": name, "taken": taken} for name, taken in alerts.taken.items()],
    }


def _list(title: str, sentences: Sequence[str]) -> None:
    if sentences:
        console().print(f"{title}:\n" + "\n".join(f"- {sentence}" for sentence in sentences))


_ARROWS = {"both": "<->", "to_ghl": "<-", "to_emailoctopus": "->"}


def _row(row: MappingRow) -> tuple[object, ...]:
    rule = row.rule
    types = _type(row.ghl), _type(row.emailoctopus)
    return (rule.ghl, types[0], _ARROWS[rule.direction], rule.emailoctopus, types[1], row.fidelity or "-")


def _type(spec: FieldSpec | None) -> str:
    return spec.type if spec else "(missing)"


def _quotas(findings: Findings) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for system in SystemName:
        usage = findings.usage[system]
        known = usage.daily_limit is not None
        left = f"{usage.daily_remaining:,}" if usage.daily_remaining is not None else "-"
        rows.append(
            (system, f"{findings.daily[system]:,}", f"{usage.daily_limit:,}" if known else "no limit known", left)
        )
    return rows


def _credential_as_json(credential: GhlCredential | None) -> dict[str, Any] | None:
    if credential is None:
        return None
    return {"kind": "oauth" if credential.oauth else "token", "ends_at": iso(credential.ends_at)}


def _as_json(findings: Findings) -> dict[str, Any]:
    return {
        "pair": findings.pair,
        "ok": not findings.problems,
        "problems": findings.problems,
        "advice": findings.advice,
        "ghl_credential": _credential_as_json(findings.credential),
        "accounts": {str(system): words for system, words in findings.accounts.items()},
        "mapping": [
            {
                "ghl": row.rule.ghl,
                "ghl_type": row.ghl.type if row.ghl else None,
                "emailoctopus": row.rule.emailoctopus,
                "emailoctopus_type": row.emailoctopus.type if row.emailoctopus else None,
                "direction": str(row.rule.direction),
                "conversion": str(row.fidelity) if row.fidelity else None,
            }
            for row in findings.mapping
        ],
        "requests_a_day": {str(system): count for system, count in findings.daily.items()},
        "quotas": {
            str(system): {"daily_limit": usage.daily_limit, "daily_remaining": usage.daily_remaining}
            for system, usage in findings.usage.items()
        },
    }

"""The examination of one pair: credentials, rights, accounts, mapping, quotas. Reads only."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sync_daemon.commands.check.activity import examine_activity
from sync_daemon.commands.check.daily import STATUSES, reports_a_day, requests_a_day
from sync_daemon.commands.check.findings import Findings, GhlCredential
from sync_daemon.commands.printing import plural
from sync_daemon.cycle.engagement import EACH_TIME as REPORTS_LOOK_BACK
from sync_daemon.cycle.engagement import recent_campaigns
from sync_daemon.cycle.pair import field_names
from sync_daemon.model.contact import AccountSchema
from sync_daemon.model.engagement import Kind
from sync_daemon.model.errors import ConfigurationError, SyncError
from sync_daemon.model.oauth import OwnerKind, TokenOwner
from sync_daemon.model.policy import ConflictRule, PairPolicy
from sync_daemon.model.system import SystemName
from sync_daemon.ports import System
from sync_daemon.reconcile.activity import new_activity_fields
from sync_daemon.reconcile.mapping_check import Gone, mapping_rows, missing_fields, new_fields, objections
from sync_daemon.settings.installation import Settings
from sync_daemon.settings.pair import PairSection
from sync_daemon.store.installation import StateStore
from sync_daemon.systems.ghl.fields import UNTOLD_BY_HITS
from sync_daemon.wiring.clock import SystemClock
from sync_daemon.wiring.set_up import once_seen
from sync_daemon.wiring.systems import connect

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
_NOBODY = "nobody@example.com"
_BUILT_IN = 2
_STARTER_FIELDS = 7
"""EmailOctopus's free plan has seven custom fields a list, the two names aside (observed by users)."""


def examine(section: PairSection, settings: Settings, store: StateStore | None) -> Findings:
    """Examine one pair; `store` is None while there is none."""
    findings = Findings(section.name)
    systems = connect(section, settings, SystemClock(), store.oauth if store is not None else None)
    schemas: dict[SystemName, AccountSchema] = {}
    ghl_contacts = 0
    with _objections(findings):
        schemas[GHL] = systems[GHL].read_schema()
        ghl_contacts = _try_rights(systems[GHL])
        findings.accounts[GHL] = f"{schemas[GHL].title or section.ghl.location_id}: {plural(ghl_contacts, 'contact')}"
    with _objections(findings):
        schemas[EMAILOCTOPUS] = systems[EMAILOCTOPUS].read_schema()
        findings.accounts[EMAILOCTOPUS] = _list_in_words(schemas[EMAILOCTOPUS])
    seen: set[tuple[SystemName, str]] = set()
    with _objections(findings):
        seen = _seen_before(section, store)
    if len(schemas) == len(SystemName):
        _compare(section, schemas, seen, findings)
        by_id = UNTOLD_BY_HITS in field_names(section.policy(), GHL)
        findings.daily = requests_a_day(settings.service, ghl_contacts, schemas[EMAILOCTOPUS].counts, by_id=by_id)
        with _objections(findings):
            _cost_of_rules(section, systems[EMAILOCTOPUS], findings)
        if by_id:
            findings.advice.append(
                f"GHL's search doesn't tell `{UNTOLD_BY_HITS}`, which the mapping or the scope names: each full scan "
                f"reads every contact by id ({plural(ghl_contacts, 'request')}), and each poll those that changed."
            )
        if (activity := section.activity.policy()) is not None:
            examine_activity(activity, systems[GHL], schemas[EMAILOCTOPUS], settings.service, SystemClock(), findings)
    with _objections(findings):
        findings.credential = _credential(section, store)
    findings.usage = {name: system.usage() for name, system in systems.items()}
    findings.advice.extend(_advice(section))
    return findings


def _credential(section: PairSection, store: StateStore | None) -> GhlCredential:
    """Which way the pair gets into GHL, as it stands after GHL was asked."""
    location = TokenOwner(OwnerKind.LOCATION, section.ghl.location_id)
    kept = store.oauth.find(location) if store is not None and section.ghl.oauth is not None else None
    return GhlCredential(section.ghl.oauth is not None, kept.tokens.ends_at if kept is not None else None)


@contextmanager
def _objections(findings: Findings) -> Iterator[None]:
    """Note an error as a problem, and go on with what else can be looked at."""
    try:
        yield
    except SyncError as error:
        findings.object_to(error)


def _try_rights(ghl: System) -> int:
    """Use each right to read that a cycle needs; how many contacts the location has."""
    ghl.reader.tag_names()
    ghl.reader.find(_NOBODY)
    page = next(iter(ghl.reader.scan(ghl.reader.streams[0])), None)
    return (page.total or len(page.records) + len(page.snapshots)) if page else 0


def _seen_before(section: PairSection, store: StateStore | None) -> set[tuple[SystemName, str]]:
    if store is None:
        return set()
    known = store.look_at_pair(section.name, section.ghl.location_id, section.emailoctopus.list_id)
    return once_seen(known) if known is not None else set()


def _compare(section: PairSection, schemas: Mapping[SystemName, AccountSchema], seen: Gone, findings: Findings) -> None:
    """Hold the mapping against both accounts."""
    policy = section.policy(double_opt_in=schemas[EMAILOCTOPUS].double_opt_in, country=schemas[GHL].country)
    gone = missing_fields(policy, schemas) & set(seen)
    findings.mapping = mapping_rows(policy, schemas)
    for path, text in objections(policy, schemas, gone):
        findings.object_to(ConfigurationError(f"{section.where(path)}: {text}."))
    for system, name in sorted(gone):
        findings.advice.append(f"The field {name} is gone from {system}; it is left alone until it is there again.")
    if policy.create_missing_fields:
        made = new_fields(policy, schemas, gone)
        made += new_activity_fields(section.activity.policy(), schemas[EMAILOCTOPUS])
        findings.advice += [f"reconcile will make the field {n.spec.name} ({n.spec.type}) in {n.system}." for n in made]
        custom = len(schemas[EMAILOCTOPUS].fields) - _BUILT_IN + sum(new.system is EMAILOCTOPUS for new in made)
        if custom > _STARTER_FIELDS:
            findings.advice.append(f"The list needs {custom} fields; EmailOctopus's free plan has {_STARTER_FIELDS}.")
    findings.advice.extend(_about_policy(policy))


def _about_policy(policy: PairPolicy) -> Iterator[str]:
    newest = [rule.key for rule in policy.fields if rule.conflict is ConflictRule.NEWEST]
    if newest:
        yield (
            f"conflict: newest ({', '.join(newest)}) compares when the contacts were touched: in GHL any touch counts, "
            "a workflow's too, so GHL wins more often than you may expect."
        )


def _cost_of_rules(section: PairSection, emailoctopus: System, findings: Findings) -> None:
    """What reading campaign reports adds to a day, for rules that ask about mails."""
    book, engagement = section.rule_book(), emailoctopus.engagement
    if not book.listens_to or engagement is None:
        return
    recent = len(recent_campaigns(engagement, SystemClock().now() - REPORTS_LOOK_BACK))
    requests = reports_a_day(book.poll_every, recent)
    findings.daily[EMAILOCTOPUS] += requests
    findings.advice.append(
        f"Rules read the reports of {plural(recent, 'campaign')} of the last {REPORTS_LOOK_BACK.days} days: "
        f"{plural(requests, 'request')} a day to EmailOctopus, and a page for each 100 events that are new."
    )


def _advice(section: PairSection) -> Iterator[str]:
    opened = [index for index, rule in enumerate(section.rules) if rule.when.kind is Kind.OPENED]
    if opened:
        yield (
            f"pairs.{section.name}.rules[{opened[0]}] acts on opened: mail programs that load pictures ahead open "
            "mails nobody has looked at, so clicked tells more."
        )


def _list_in_words(schema: AccountSchema) -> str:
    counts = ", ".join(f"{schema.counts.get(status, 0):,} {status}" for status in STATUSES)
    return f"{schema.title}: {counts}; {'double' if schema.double_opt_in else 'single'} opt-in"

"""What a cycle noticed that somebody is to be alerted to, and what it could judge."""

from collections.abc import Iterator, Mapping

from sync_daemon.cycle.pair import Run
from sync_daemon.model.alarm import Condition
from sync_daemon.model.errors import CredentialsRefused, IncompleteRead
from sync_daemon.model.state import Totals
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.alerting import alarm_of


def notice(run: Run, totals: Totals) -> None:
    """Write down in the report what is so, and what this cycle got far enough to judge."""
    report = run.report
    found: dict[Condition, dict[str, None]] = {}
    for condition, sentence in _alarms(run, totals):
        found.setdefault(condition, {})[sentence] = None
    report.alarms.update({condition: "\n".join(sentences) for condition, sentences in found.items()})
    report.judged.update(_judged(run, totals))


def _alarms(run: Run, totals: Totals) -> Iterator[tuple[Condition, str]]:
    yield from (alarm for reason in run.stopped.values() if (alarm := alarm_of(reason)) is not None)
    if run.full:
        yield from ((Condition.SHORT_READ, error.shown) for error in run.short.values())
        for name, error in run.failed.items():
            if isinstance(error, IncompleteRead):
                why = (
                    f"The full scan of {name.label} didn't come to its end: {error.shown} Nothing is taken for deleted."
                )
                yield Condition.SHORT_READ, why
    if totals.held:
        yield (
            Condition.HELD,
            f"{totals.held:,} contacts have changes that wait until somebody approves or discards them.",
        )
        yield from ((Condition.HELD, f"Held as a mass change: {reason}.") for reason in run.guard.over.values())
    if run.sender.plan_limit is not None:
        yield Condition.PLAN_LIMIT, "EmailOctopus's plan has no room for more contacts: nobody new is created there."
    for name, contacts in run.consent_missed.items():
        sentence = f"A full scan found changes of consent in {name.label} that polls had not told: {contacts:,}."
        yield Condition.CONSENT_MISSED, sentence
    for name, fields in _gone(run).items():
        yield Condition.FIELD_GONE, f"Mapped fields are gone from {name.label} and left alone: {', '.join(fields)}."


def _judged(run: Run, totals: Totals) -> Iterator[Condition]:
    """A run that was told to stop, or that a refusal cut short, asked too little to say that all is well."""
    yield from (Condition.PARKED, Condition.CONFIGURATION, Condition.DATABASE)  # the totals were read
    if len(run.schemas) == len(SystemName):
        yield Condition.FIELD_GONE
    if run.interrupted is not None:
        return
    if all(name in run.polled or isinstance(run.stopped.get(name), CredentialsRefused) for name in SystemName):
        yield Condition.DOWN  # who refuses is there
    if not run.stopped and run.polled == set(SystemName):
        yield from (Condition.CREDENTIALS, Condition.QUOTA, Condition.FAILING)
    if run.stopped or run.failed:
        return
    yield Condition.HELD
    if run.sender.plan_limit is None and (run.report.written[SystemName.EMAILOCTOPUS, "created"] or not totals.parked):
        yield Condition.PLAN_LIMIT
    if run.full:
        yield from (Condition.SHORT_READ, Condition.CONSENT_MISSED)


def _gone(run: Run) -> Mapping[SystemName, list[str]]:
    """The mapped fields that each account's schema lacks."""
    rules = run.pair.policy.fields
    lacking = {
        name: [field for rule in rules if schema.field(field := rule.name_in(name)) is None]
        for name, schema in run.schemas.items()
    }
    return {name: fields for name, fields in lacking.items() if fields}

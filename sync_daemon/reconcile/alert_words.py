"""An alert in words: what, since when, of which pair, and what to do next. Pure."""

from datetime import datetime, timedelta

from sync_daemon.model.alarm import Condition
from sync_daemon.reconcile.alerting import Notice, Turn

_TITLES = {
    Condition.CREDENTIALS: "credentials refused",
    Condition.DOWN: "a system can't be reached",
    Condition.SILENT: "nothing is synchronised",
    Condition.HELD: "changes are held",
    Condition.PLAN_LIMIT: "EmailOctopus's plan is full",
    Condition.PARKED: "many changes are parked",
    Condition.SHORT_READ: "a full scan came back short",
    Condition.CONSENT_MISSED: "polls miss changes of consent",
    Condition.FIELD_GONE: "a mapped field is gone",
    Condition.CONFIGURATION: "it can't run as configured",
    Condition.FAILING: "it fails unexpectedly",
    Condition.QUOTA: "a daily quota is used up",
    Condition.DATABASE: "its database is away",
}
_NEXT = {
    Condition.CREDENTIALS: (
        "Renew the credentials in the configuration, which the service follows by itself, and see: "
        "sync-daemon check --pair {pair}"
    ),
    Condition.DOWN: "It is tried again all the time; changes wait. To try now: sync-daemon check --pair {pair}",
    Condition.SILENT: "See how it stands with: sync-daemon status --pair {pair}  (and whether the service still runs)",
    Condition.HELD: "See what and why: sync-daemon held list --pair {pair}  Then: held approve, or held discard",
    Condition.PLAN_LIMIT: (
        "Upgrade the plan in EmailOctopus or make room there. Whoever waits is tried again daily, at once with: "
        "sync-daemon parked retry --pair {pair}"
    ),
    Condition.PARKED: "See which and why: sync-daemon parked list --pair {pair}",
    Condition.SHORT_READ: "The next full scan looks again. To look now: sync-daemon reconcile --full --pair {pair}",
    Condition.CONSENT_MISSED: (
        "They are carried out now. Shorten service.full_scan_every, and set up webhooks, so that the next are not "
        "found as late."
    ),
    Condition.FIELD_GONE: (
        "Make the field again there, or take it out of the mapping; then: sync-daemon reconcile --full --pair {pair}"
    ),
    Condition.CONFIGURATION: (
        "Mend the configuration, which the service follows by itself, and see: sync-daemon check --pair {pair}"
    ),
    Condition.FAILING: "It is tried again. Look into the log for unexpected_failure, and report it as a bug.",
    Condition.QUOTA: (
        "It goes on when the quota returns; changes wait. See: sync-daemon status --pair {pair}  Other tools use the "
        "same quota."
    ),
    Condition.DATABASE: (
        "Start the database again. Meanwhile nothing is read or written and webhooks are refused, so that they are "
        "sent again; afterwards it goes on by itself from what is stored."
    ),
}


def words(notice: Notice, pair: str, installation: str) -> tuple[str, str]:
    """Title and body of an alert, in plain text; `installation` is the name of the machine it comes from."""
    over = notice.turn is Turn.OVER
    title = f"sync-daemon, pair {pair}: {'over: ' if over else ''}{_TITLES[notice.condition]}"
    if over:
        lines = [f"It lasted {_duration(notice.lasted)}, from {_moment(notice.since)}."]
        lines += [f"It was: {notice.sentence}"] if notice.sentence else []
    else:
        next_step = _NEXT[notice.condition].format(pair=pair)
        lines = [notice.sentence, f"Since {_moment(notice.since)}.", f"What to do: {next_step}"]
    return title, "\n\n".join([*lines, f"sync-daemon on {installation}, pair {pair}"])


def words_on_configuration(mistakes: str, before: str, installation: str) -> tuple[str, str]:
    """Title and body of an alert to a changed configuration's mistakes; empty: it has those `before` no more."""
    if mistakes:
        title = "sync-daemon: the changed configuration has mistakes"
        lines = [
            mistakes,
            "The service goes on with what it had, for all pairs.",
            "What to do: mend it; it is read again.",
        ]
    else:
        title = "sync-daemon: over: the changed configuration has mistakes"
        lines = ["It is in force now.", f"It was: {before}"]
    return title, "\n\n".join([*lines, f"sync-daemon on {installation}"])


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _duration(lasted: timedelta) -> str:
    minutes = max(0, round(lasted / timedelta(minutes=1)))
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "less than a minute"

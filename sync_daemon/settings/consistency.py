"""What no single key shows: rows of a mapping that disagree, what a system can't do, names given twice."""

import re
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from ipaddress import ip_address
from typing import TypeVar

from sync_daemon.model.engagement import Kind
from sync_daemon.model.policy import Direction
from sync_daemon.settings.complaints import Complaint, nearest
from sync_daemon.settings.document import KeyPath
from sync_daemon.settings.installation import HttpSection, InstallationSection
from sync_daemon.settings.pair import FieldSection, PairSection, TagsSection
from sync_daemon.settings.rule_book import rule_complaints
from sync_daemon.settings.shared import sharing_complaints
from sync_daemon.systems.ghl.fields import BY_NAME, CUSTOM
from sync_daemon.systems.ghl.settings import Version

_EMAILOCTOPUS_TAG = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_NO_TAG = "an EmailOctopus field is named by its tag: letters and digits (and _), beginning with a letter"
_ADDRESS = {"email", "emailaddress"}

T = TypeVar("T")


def between(pairs: Sequence[PairSection]) -> Iterator[tuple[PairSection, Complaint]]:
    """Pairs that another one before them leaves no room for, and the complaint of each."""
    names: dict[str, PairSection] = {}
    places: dict[tuple[str, str], PairSection] = {}
    for pair in pairs:
        if (other := names.setdefault(pair.name, pair)) is not pair:
            yield pair, Complaint(("name",), f"another pair has this name: {other.place(('name',))}")
        elif (other := places.setdefault(pair.accounts, pair)) is not pair:
            same = "another pair keeps the same location and list in sync"
            yield pair, Complaint(("emailoctopus",), f"{same}: {other.name} ({other.place(('name',))})")
    yield from _apps(pairs)
    yield from sharing_complaints(pairs)


def outside_pairs(settings: InstallationSection) -> Iterator[Complaint]:
    """Every mistake outside the pairs that a check of single keys lets through."""
    yield from _dashboard(settings.service.http)


def within(pair: PairSection, version: Version) -> Iterator[Complaint]:
    """Every mistake of one pair that a check of single keys lets through."""
    yield from _pair(pair, ())
    yield from _rules(pair, (), version)


def _dashboard(http: HttpSection) -> Iterator[Complaint]:
    path: KeyPath = ("service", "http")
    yield from _repeated(http.users, lambda user: user.name, (*path, "users"), "name", "another user has this name")
    if not http.dashboard_without_login:
        return
    open_to_all = (*path, "dashboard_without_login")
    if http.users:
        yield Complaint(open_to_all, "there are `users`, who sign in: take one of the two out")
    if not is_loopback(http.host):
        yield Complaint(
            open_to_all,
            f"`host: {http.host}` can be reached from other computers, and whoever reaches the dashboard may use it: "
            "listen on 127.0.0.1, or name `users` instead",
        )


def is_loopback(host: str) -> bool:
    """Whether nobody but this computer reaches an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _pair(pair: PairSection, path: KeyPath) -> Iterator[Complaint]:
    yield from _credentials(pair, path)
    rows = (*path, "fields")
    for index, row in enumerate(pair.fields):
        yield from _row(row, (*rows, index))
    yield from _repeated(pair.fields, lambda row: row.ghl, rows, "ghl", "another row maps this GHL field")
    yield from _repeated(
        pair.fields, lambda row: row.emailoctopus, rows, "emailoctopus", "another row maps this EmailOctopus field"
    )
    yield from _activity(pair, path)
    for name in pair.scope.field:
        yield from _ghl_name(name, (*path, "scope", "field", name))


def _rules(pair: PairSection, path: KeyPath, version: Version) -> Iterator[Complaint]:
    rules = (*path, "rules")
    yield from rule_complaints(pair.rules, rules, pair.ghl_names(), pair.ghl.location_id, version)
    for index, rule in enumerate(pair.rules):
        if rule.when.kind is not Kind.TAG_ADDED:
            continue
        place, tags = (*rules, index, "when", "event"), pair.tags
        if not tags.sync:
            yield Complaint(place, "tags aren't kept in sync (`tags.sync: false`), so nobody sees that one was added")
        elif not _travels(rule.when.subject, tags):
            yield Complaint(place, f"`tags` leaves {rule.when.subject} out, so nobody sees that it was added")


def _travels(name: str, tags: TagsSection) -> bool:
    """Whether the filter lets a tag of EmailOctopus through; a pattern may stand for some that it does."""
    if any(letter in "*?[" for letter in name):
        return True
    full = f"{tags.prefix_from_emailoctopus}{name}".lower()
    lets = any(fnmatchcase(full, pattern.lower()) for pattern in tags.include)
    return lets and not any(fnmatchcase(full, pattern.lower()) for pattern in tags.exclude)


def _credentials(pair: PairSection, path: KeyPath) -> Iterator[Complaint]:
    if pair.ghl.oauth is not None and pair.ghl.token is not None:
        yield Complaint((*path, "ghl", "oauth"), "there is a `token`, too: take one of the two out")
    elif pair.ghl.oauth is None and pair.ghl.token is None:
        yield Complaint((*path, "ghl", "token"), "is missing")


def _apps(pairs: Sequence[PairSection]) -> Iterator[tuple[PairSection, Complaint]]:
    """Tokens belong to a location, and an app has one secret."""
    of_location: dict[str, str] = {}
    secret_of: dict[str, str] = {}
    for pair in pairs:
        if (oauth := pair.ghl.oauth) is None:
            continue
        path: KeyPath = ("ghl", "oauth")
        if of_location.setdefault(pair.ghl.location_id, oauth.client_id) != oauth.client_id:
            same = "another pair of this location uses another app: take the same one"
            yield pair, Complaint((*path, "client_id"), same)
        secret = oauth.client_secret.get_secret_value()
        if secret_of.setdefault(oauth.client_id, secret) != secret:
            yield pair, Complaint((*path, "client_secret"), "another pair names another secret of the same app")


def _activity(pair: PairSection, path: KeyPath) -> Iterator[Complaint]:
    """What shows activity shows nothing else: it is never read back."""
    mapped = {row.emailoctopus for row in pair.fields}
    places: dict[str, KeyPath] = {}
    for (part, key), name in pair.activity.named().items():
        where = (*path, "activity", part, key)
        if name.lower() in _ADDRESS or not _EMAILOCTOPUS_TAG.fullmatch(name):
            yield Complaint(where, f"{_NO_TAG}, and isn't the address")
        elif name in mapped:
            yield Complaint(
                where, f"the field {name} is in the mapping: name another one, for what is shown of activity"
            )
        elif name in places:
            yield Complaint(
                where, f"the field {name} shows something else already ({'.'.join(map(str, places[name]))})"
            )
        places.setdefault(name, where[len(path) :])


def _row(row: FieldSection, path: KeyPath) -> Iterator[Complaint]:
    if row.ghl.lower() in _ADDRESS or row.emailoctopus.lower() in _ADDRESS:
        yield Complaint(path, "the e-mail address is always kept in sync; leave this row out")
        return
    yield from _ghl_name(row.ghl, (*path, "ghl"))
    if row.ghl in BY_NAME and not BY_NAME[row.ghl].writable and row.direction is not Direction.TO_EMAILOCTOPUS:
        yield Complaint(
            (*path, "direction"), f"GHL doesn't let {row.ghl} be written; write `direction: to_emailoctopus`"
        )
    if not _EMAILOCTOPUS_TAG.fullmatch(row.emailoctopus):
        yield Complaint(
            (*path, "emailoctopus"),
            _NO_TAG,
        )


def _ghl_name(name: str, path: KeyPath) -> Iterator[Complaint]:
    if name not in BY_NAME and not (name.startswith(CUSTOM) and name != CUSTOM):
        hint = nearest(name, tuple(BY_NAME))
        yield Complaint(path, f"GHL has no standard field `{name}`; write custom.<key> for a custom field; {hint}")


def _repeated(
    items: tuple[T, ...], key: Callable[[T], object], path: KeyPath, part: str, text: str
) -> Iterator[Complaint]:
    seen: set[object] = set()
    for index, item in enumerate(items):
        if key(item) in seen:
            yield Complaint((*path, index, part), text)
        seen.add(key(item))

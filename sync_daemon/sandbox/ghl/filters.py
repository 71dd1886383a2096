"""GHL's search filters: a JSON tree in, a test of one contact out (facts: GHL §4.1)."""

import operator
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, tzinfo
from typing import Any, NamedTuple

from sync_daemon.sandbox.ghl.contact import Contact
from sync_daemon.sandbox.ghl.errors import bad_request, unprocessable
from sync_daemon.sandbox.ghl.location import Location
from sync_daemon.sandbox.ghl.moments import day_bounds, is_date_only, parse_instant, to_ms
from sync_daemon.sandbox.ghl.quirks import GhlQuirks
from sync_daemon.sandbox.ghl.search_fields import OPERATORS, Field, find_field

Test = Callable[[Contact], bool]
LONGEST_VALUE = 75  # characters (documented)
_DEEPEST = 50  # groups in groups; the depth that is allowed is not documented
_SPECIAL = frozenset("*?\"'\\/<>{}[]()!^~:|&=")
_TIMESTAMPS = {name: field for name in ("dateAdded", "dateUpdated") if (field := find_field(name, {}))}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "gte": operator.ge,
    "lte": operator.le,
    "gt": operator.gt,
    "lt": operator.lt,
}


class Dialect(NamedTuple):
    """What a filter's meaning depends on."""

    location: Location
    quirks: GhlQuirks
    seen_statuses: frozenset[tuple[str, str]] | set[tuple[str, str]]


def everything(_contact: Contact) -> bool:
    """The test of no filter at all."""
    return True


class Question(NamedTuple):
    """What a list of filters asks: a test, and the bounds (both included) of the field that orders the answer."""

    test: Test = everything
    low: int | None = None
    high: int | None = None


def parse_filters(filters: Any, dialect: Dialect, ordered_by: str) -> Question:
    """Read a list of filters and groups, which are ANDed. Raises ApiError 400 or 422 as GHL does.

    Ranges of `ordered_by`, when that is a timestamp, become bounds instead of a test, so that the index can
    look them up.
    """
    if not isinstance(filters, list):
        raise unprocessable(["filters must be an array"])
    ranges = [one for one in filters if _is_range_of(one, ordered_by)]
    limits = [limit for one in ranges for limit in _limits(_TIMESTAMPS[ordered_by], one["value"], dialect)]
    lows = [limit + (key == "gt") for key, limit in limits if key in ("gte", "gt")]
    highs = [limit - (key == "lt") for key, limit in limits if key in ("lte", "lt")]
    test = _all([_parse(one, dialect) for one in filters if not _is_range_of(one, ordered_by)])
    return Question(test, max(lows, default=None), min(highs, default=None))


def _is_range_of(one: Any, name: str) -> bool:
    if name not in _TIMESTAMPS or not isinstance(one, dict) or one.keys() != {"field", "operator", "value"}:
        return False
    return (one["field"], one["operator"]) == (name, "range")


def _parse(one: Any, dialect: Dialect, depth: int = 0) -> Test:
    if depth > _DEEPEST:
        raise unprocessable([f"filters must not be nested more than {_DEEPEST} deep"])
    if not isinstance(one, dict):
        raise unprocessable(["each value in filters must be an object"])
    if "group" in one:
        return _group(one, dialect, depth)
    _refuse_unknown(one, {"field", "operator", "value"})
    name, op = one.get("field"), one.get("operator")
    if not isinstance(op, str) or op not in OPERATORS:
        raise _invalid_operator(op, name)
    field = find_field(name, dialect.location.custom_fields)
    if field is None:
        raise bad_request(f"Invalid field {name}")
    if op not in field.operators:
        raise _invalid_operator(op, name)
    return _condition(field, op, one.get("value"), dialect)


def _group(group: Mapping[str, Any], dialect: Dialect, depth: int) -> Test:
    _refuse_unknown(group, {"group", "filters"})
    members = group.get("filters")
    if group["group"] not in ("AND", "OR") or not isinstance(members, list) or not members:
        raise unprocessable(["a group must be AND or OR and hold filters"])
    tests = [_parse(one, dialect, depth + 1) for one in members]
    return _all(tests) if group["group"] == "AND" else _any(tests)


def _all(tests: list[Test]) -> Test:
    tests = [test for test in tests if test is not everything]
    if len(tests) <= 1:
        return tests[0] if tests else everything
    return lambda contact: all(test(contact) for test in tests)


def _any(tests: list[Test]) -> Test:
    return lambda contact: any(test(contact) for test in tests)


def _condition(field: Field, op: str, value: Any, dialect: Dialect) -> Test:
    if op in ("exists", "not_exists"):
        return _negated(_exists(field), when=op == "not_exists")
    if op == "range":
        return _range(field, value, dialect)
    if not isinstance(value, (str, int, float)):
        raise _invalid_value(field)
    wanted = _folded(value)
    if isinstance(wanted, str) and len(wanted) > LONGEST_VALUE:
        raise unprocessable([f"value must be shorter than or equal to {LONGEST_VALUE} characters"])
    if op in ("eq", "not_eq"):
        if op == "eq" and _is_passed_over(field, wanted, dialect):
            return everything
        found = _equals(field, wanted, dialect.quirks)
        return _negated(found, when=op == "not_eq")
    if not isinstance(wanted, str) or _SPECIAL & set(wanted):
        raise _invalid_value(field)
    return _negated(_contains(field, wanted), when=op == "not_contains")


def _exists(field: Field) -> Test:
    return lambda contact: bool(field.values(contact))


def _equals(field: Field, wanted: Any, quirks: GhlQuirks) -> Test:
    if field.name == "phone" and not quirks.phone_eq_finds:
        return lambda _contact: False
    kind = type(wanted)
    if kind is bool or kind is str:
        return lambda contact: any(_folded(value) == wanted for value in field.values(contact) if type(value) is kind)
    return lambda contact: any(value == wanted for value in field.values(contact))


def _contains(field: Field, wanted: str) -> Test:
    return lambda contact: any(wanted in _folded(value) for value in field.values(contact))


def _negated(test: Test, *, when: bool) -> Test:
    return (lambda contact: not test(contact)) if when else test


def _is_passed_over(field: Field, wanted: Any, dialect: Dialect) -> bool:
    """Tell whether GHL ignores an `eq` on a DND status that no contact of the location ever had (observed)."""
    kind, _, rest = field.name.partition(".")
    if kind != "dndSettings" or not dialect.quirks.unseen_dnd_matches_all:
        return False
    return (rest.partition(".")[0], wanted) not in dialect.seen_statuses


def _range(field: Field, value: Any, dialect: Dialect) -> Test:
    tests = [(_COMPARE[key], limit) for key, limit in _limits(field, value, dialect)]
    if not tests:
        return everything

    def within(contact: Contact) -> bool:
        found = [_comparable(one) for one in field.values(contact)]
        return any(all(compare(one, limit) for compare, limit in tests) for one in found)

    return within


def _limits(field: Field, value: Any, dialect: Dialect) -> list[tuple[str, Any]]:
    if not isinstance(value, dict) or not value or value.keys() - _COMPARE.keys():
        raise _invalid_value(field)
    read = _number if field.kind == "number" else _moment
    limits = [(key, read(field, key, limit, dialect)) for key, limit in value.items()]
    return [(key, limit) for key, limit in limits if limit is not None]


def _number(field: Field, _key: str, limit: Any, _dialect: Dialect) -> float | None:
    if isinstance(limit, bool) or not isinstance(limit, (int, float)):
        raise _invalid_value(field)
    return limit


def _moment(field: Field, key: str, limit: Any, dialect: Dialect) -> int | None:
    """Read a date limit in milliseconds; None when it stands in a form that the server passes over."""
    form = "iso" if isinstance(limit, str) and not limit.isdigit() else "epoch_ms"
    if dialect.quirks.range_values not in (form, "both"):
        if dialect.quirks.other_range_values == "refused":
            raise _invalid_value(field)
        return None
    if form == "epoch_ms":
        if isinstance(limit, (str, int)) and not isinstance(limit, bool):
            return int(limit)
        raise _invalid_value(field)
    try:
        return _iso_moment(key, str(limit), UTC if field.kind == "day" else dialect.location.zone)
    except ValueError:
        raise _invalid_value(field) from None


def _iso_moment(key: str, text: str, zone: tzinfo) -> int:
    # A day without a time is one of the location's calendar (observed); its end counts for lte and gt.
    if is_date_only(text):
        start, end = day_bounds(text, zone)
        return end if key in ("lte", "gt") else start
    return to_ms(parse_instant(text, UTC))


def _comparable(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return to_ms(datetime.combine(date.fromisoformat(value), time.min, UTC))


def _folded(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _refuse_unknown(given: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(given.keys() - known)
    if unknown:
        raise unprocessable([f"property {name} should not exist" for name in unknown])


def _invalid_operator(op: object, name: object) -> Exception:
    return unprocessable([f"Invalid Operator ({op}) passed for field {name}"])


def _invalid_value(field: Field) -> Exception:
    return unprocessable([f"Invalid value passed for field {field.name}"])

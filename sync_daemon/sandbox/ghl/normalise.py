"""What GHL makes of the values it is given (facts: GHL §3)."""

import re
from collections.abc import Iterable
from datetime import date
from functools import lru_cache

import phonenumbers

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_DATE = re.compile(r"(?:(\d{4})([-/._])(\d\d)\2(\d\d)|(\d\d)([-/._])(\d\d)\6(\d{4}))")


def looks_like_email(text: str) -> bool:
    """Tell whether GHL's validator takes an address."""
    return _EMAIL.fullmatch(text) is not None


@lru_cache(maxsize=65_536)
def e164(number: str, region: str) -> str | None:
    """Write a phone number as `+14155550123`; without +CC it is one of `region`. None when it can't be one."""
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def tag(name: str) -> str:
    """Give a tag as GHL keeps it: trimmed and in lower case."""
    return name.strip().lower()


def tags(names: Iterable[str]) -> tuple[str, ...]:
    """Normalise tags, drop empty and repeated ones, keep their order."""
    return tuple(dict.fromkeys(name for name in map(tag, names) if name))


def birth_date(text: str) -> str | None:
    """Read YYYY-MM-DD or MM-DD-YYYY, also with `/`, `.` or `_` (documented); None when it is neither."""
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    year, month, day = found.group(1, 3, 4) if found.group(1) else found.group(8, 5, 7)
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None


def split_name(name: str) -> tuple[str, str]:
    """Split a full name into first and last name at its first space."""
    first, _, last = name.strip().partition(" ")
    return first, last.strip()

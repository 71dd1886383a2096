"""What EmailOctopus makes of a field's value, by the field's type (facts: value formats, §7)."""

import re
from datetime import date, datetime

from sync_daemon.sandbox.emailoctopus.model import Field, FieldValue
from sync_daemon.sandbox.emailoctopus.quirks import Quirks

_WHOLE_NUMBER = re.compile(r"[+-]?\d+")


class ValueRefusedError(ValueError):
    """A value that can't be stored; the text is the API's own detail."""


def wrong_type(expected: str, value: object) -> ValueRefusedError:
    """Word a wrong JSON type as the API does (documented: OpenAPI, example of 422)."""
    names = {bool: "bool", int: "int", float: "float", str: "string", list: "array", dict: "object"}
    got = names.get(type(value), "null")
    return ValueRefusedError(f"This value must be {expected} type, {got} provided.")


def stored_value(field: Field, value: object, quirks: Quirks) -> FieldValue | None:
    """Turn a sent value into the one that is stored, None to store nothing.

    Raises ValueRefusedError with the API's detail.
    """
    if value is None:
        return None
    if value == "" and quirks.empty_string != "stored":
        if quirks.empty_string == "refused":
            raise ValueRefusedError("This value should not be blank.")
        return None
    return _by_type(field, value, quirks)


def _by_type(field: Field, value: object, quirks: Quirks) -> FieldValue | None:
    if field.type == "number":
        return _number(value, quirks)
    if field.type == "choice_multiple":
        return _choices(field, value, quirks)
    if not isinstance(value, str):
        raise wrong_type("string", value)
    if field.type == "date":
        return _date(value, quirks)
    if field.type == "choice_single":
        return next(iter(_chosen(field, [value], quirks)), None)
    return _text(value, quirks)


def _text(value: str, quirks: Quirks) -> str | None:
    text = value.strip() if quirks.text_trimmed else value
    if not text and quirks.empty_string == "cleared":
        return None
    if len(text) <= quirks.text_limit or quirks.over_long_text == "stored":
        return text
    if quirks.over_long_text == "refused":
        raise ValueRefusedError(f"This value is too long. It should have {quirks.text_limit} characters or less.")
    return text[: quirks.text_limit]


def _number(value: object, quirks: Quirks) -> FieldValue:
    if isinstance(value, str) and quirks.number_string == "converted" and _WHOLE_NUMBER.fullmatch(value.strip()):
        return int(value)
    if value == "":
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_type("int", value)
    if isinstance(value, int):
        return value
    if quirks.decimal_number == "refused":
        raise wrong_type("int", value)
    return round(value) if quirks.decimal_number == "rounded" else value


def _date(value: str, quirks: Quirks) -> str:
    if value == "":
        return ""
    text = value.strip()
    try:
        return date.fromisoformat(text).isoformat() if len(text) == len("2015-12-01") else _day(text, quirks)
    except ValueError:
        raise ValueRefusedError("This value is not a valid date.") from None


def _day(value: str, quirks: Quirks) -> str:
    moment = datetime.fromisoformat(value)
    if quirks.date_time == "refused":
        raise ValueRefusedError("This value is not a valid date.")
    return value if quirks.date_time == "stored" else moment.date().isoformat()


def _choices(field: Field, value: object, quirks: Quirks) -> list[str] | None:
    if not isinstance(value, list) or not all(isinstance(choice, str) for choice in value):
        raise wrong_type("array", value)
    chosen = _chosen(field, value, quirks)
    return chosen if chosen or quirks.empty_choices == "stored" else None


def _chosen(field: Field, choices: list[str], quirks: Quirks) -> list[str]:
    unknown = [choice for choice in choices if choice not in field.choices]
    if unknown and quirks.wrong_choice == "refused":
        raise ValueRefusedError("The value you selected is not a valid choice.")
    return [choice for choice in choices if choice not in unknown or quirks.wrong_choice == "stored"]

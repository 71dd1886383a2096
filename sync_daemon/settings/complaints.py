"""What is wrong with a configuration, in words: the key's path, the file and line, and what to write."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from sync_daemon.model.errors import ConfigurationError
from sync_daemon.settings.document import KeyPath
from sync_daemon.settings.keys import known_keys


class Complaint(NamedTuple):
    """One mistake: the path of its key and a sentence about it."""

    path: KeyPath
    text: str


_EXPECTED = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "string": "a text",
    "dict": "keys of its own below it",
    "model": "keys of its own below it",
    "tuple": "a list (write [one, two], or one item a line after `- `)",
}
_EMPTY = {"missing": "is missing", "string_too_short": "must not be empty", "too_short": "must not be empty"}


@dataclass(frozen=True, slots=True)
class Told:
    """A complaint as it is told: where, and about which pair (None: about none), in whose keys its path is.

    `shared` says that other pairs have the same from the same place.
    """

    where: str
    complaint: Complaint
    pair: str | None = None
    shared: bool = False

    @property
    def line(self) -> str:
        """The complaint as a sentence of its own."""
        return f"{self.where}: {self.complaint.text}." if self.where else self.complaint.text


class Refusal(ConfigurationError):
    """A configuration with mistakes: its text tells all of them, one a line, and `told` each by itself."""

    def __init__(self, told: Sequence[Told]) -> None:
        super().__init__("\n".join(_lines(told)))
        self.told = tuple(told)


def _lines(told: Sequence[Told]) -> Iterator[str]:
    """Each complaint once; of what stands in a template or the defaults it is said whose it is."""
    concerned: dict[str, list[Told]] = {}
    for one in told:
        concerned.setdefault(one.line, []).append(one)
    for line, same in concerned.items():
        if not same[0].shared:
            yield line
            continue
        who = f"{same[0].pair} and {len(same) - 1} more take" if len(same) > 1 else f"{same[0].pair} takes"
        yield f"{line[:-1]} (pair {who} it from there)."


def of_validation(error: ValidationError, model: type[BaseModel]) -> Iterator[Complaint]:
    """What pydantic found, without the values, which may be secrets."""
    found = error.errors(include_url=False, include_input=False)
    for details in found:
        path = details["loc"]
        # A list whose items were refused counts for pydantic as too short, too; the items say it better.
        if details["type"] != "too_short" or not any(one["loc"][:-1][: len(path)] == path for one in found):
            yield Complaint(path, _sentence(details, model))


def nearest(word: str, known: tuple[str, ...]) -> str:
    """A hint at the known word that was probably meant, else all of them."""
    close = get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`" if close else f"known here: {', '.join(known)}"


def _sentence(details: Mapping[str, Any], model: type[BaseModel]) -> str:
    kind, path = details["type"], details["loc"]
    context: dict[str, Any] = details.get("ctx") or {}
    if kind == "extra_forbidden":
        return f"there is no such key; {nearest(str(path[-1]), known_keys(model, path[:-1]))}"
    if kind in _EMPTY:
        return _EMPTY[kind]
    if kind == "value_error":
        return str(context["error"])
    if "expected" in context:
        return f"expected {context['expected'].replace(chr(39), '')}"
    expected = _EXPECTED.get(kind.split("_")[0])
    return f"expected {expected}" if expected else details["msg"].replace("Input should be", "must be")

"""What the catalogue tells of an operation: where it goes, what it takes, what it does. Pure."""

from enum import StrEnum
from typing import Any, Literal

import msgspec

from sync_daemon.systems.ghl.settings import Version

Type = Literal["string", "number", "integer", "boolean", "date-time", "array", "object", "any"]
Effect = Literal["read", "write", "delete"]


class Mark(StrEnum):
    """What a parameter does that somebody may have to know, or forbid."""

    EMAIL_DND = "email_dnd"
    """Sets or lifts a contact's block for e-mail."""
    ADDRESS = "address"
    """Changes a contact's e-mail address or phone number."""
    ALL_TAGS = "all_tags"
    """Replaces or removes every tag of a contact."""
    REMOVES = "removes"
    """Makes of the operation one that deletes."""
    DUPLICATES = "duplicates"
    """Makes of the operation one that does more when it is sent twice."""


class Shape(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which values a parameter can have; of an array `items`, of an object `fields` (none: whatever they are).

    `mark` is true of every value, or only of `mark_values`.
    """

    type: Type
    nullable: bool = False
    enum: tuple[str | int | float, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    max_length: int | None = None
    max_items: int | None = None
    items: "Shape | None" = None
    fields: "tuple[Field, ...]" = ()
    mark: Mark | None = None
    mark_values: tuple[str | bool, ...] = ()


class Field(Shape, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A named value of an object. `only` is the family of versions that has it in this form."""

    name: str
    required: bool = False
    about: str = ""
    only: Literal["dated", "v3"] | None = None

    def is_in(self, version: Version) -> bool:
        """Whether a version has it."""
        return self.only is None or (self.only == "v3") == (version == "v3")


class Parameter(Field, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A value of the request itself.

    `location` says how it names locations: by one id, a list of ids, or the keys of an object. `preset` is sent when
    nothing is given; a list that is `joined` stands in the query as one value with commas.
    """

    place: Literal["path", "query", "body"] = msgspec.field(name="in")
    location: Literal["id", "ids", "keys"] | None = None
    preset: Any = None
    joined: bool = False


class Operation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One operation. `operation_id` is the vendor's own name of it, `version` the Version header unless v3 is spoken.

    `v3_path` None: v3 has done away with it, `instead` takes its place. `access` are the kinds of tokens that may call
    it, `scopes` what a token needs. `any_of`: one of these parameters at least must be given. A body of `list` is a
    list with the one object that is given.
    """

    name: str
    operation_id: str = msgspec.field(name="id")
    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    v3_path: str | msgspec.UnsetType | None = msgspec.UNSET
    instead: str | None = None
    version: Literal["2021-07-28", "2021-04-15"]
    scopes: tuple[str, ...]
    access: tuple[Literal["sub-account", "agency"], ...] = ("sub-account",)
    effect: Effect
    idempotent: bool
    body: Literal["none", "object", "list"] = "none"
    answer: Literal["json", "file"] = "json"
    any_of: tuple[str, ...] = ()
    note: str = ""
    parameters: tuple[Parameter, ...]
    category: str = ""

    @property
    def kebab(self) -> str:
        """Its name for a shell: `create-contact-note`."""
        return kebab(self.name)

    def path_in(self, version: Version) -> str | None:
        """Its path in a version, None where that has done away with it."""
        return self.path if version != "v3" or self.v3_path is msgspec.UNSET else self.v3_path

    def takes(self, version: Version) -> dict[str, Parameter]:
        """Its parameters in a version, by name."""
        return {one.name: one for one in self.parameters if one.is_in(version)}


def kebab(name: str) -> str:
    """Letters and digits in lower case, whatever stands between them as one hyphen."""
    return "-".join("".join(letter if letter.isalnum() else " " for letter in name.lower()).split())

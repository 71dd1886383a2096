"""A pair's rules: what in EmailOctopus leads to which actions in GHL (contract, section 9)."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sync_daemon.model.engagement import OF_MAIL, OPT_OUTS, Kind


@dataclass(frozen=True, slots=True)
class When:
    """What has to happen, and to whom.

    `subject` is a glob over the tag that was added, or the tag of the field that changed. `campaign` is a glob over
    the campaign's name, None for any. `tags_any`, `tags_none` and `field` are asked of the GHL contact; `field` goes
    by GHL's names. `once_every` is how long after an occasion further ones of the same contact do nothing.
    """

    kind: Kind
    subject: str = ""
    campaign: str | None = None
    tags_any: tuple[str, ...] = ()
    tags_none: tuple[str, ...] = ()
    field: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    once_every: timedelta | None = None

    @property
    def event(self) -> str:
        """As the configuration writes it."""
        return f"{self.kind}:{self.subject}" if self.subject else self.kind.value

    @property
    def asks_contact(self) -> bool:
        """Whether the GHL contact must be read to tell."""
        return bool(self.tags_any or self.tags_none or self.field)


@dataclass(frozen=True, slots=True)
class AddTag:
    """Add a tag to the GHL contact."""

    tag: str


@dataclass(frozen=True, slots=True)
class RemoveTag:
    """Take a tag from the GHL contact."""

    tag: str


@dataclass(frozen=True, slots=True)
class CreateTask:
    """Create a task, due so long after the rule acts."""

    title: str
    due_in: timedelta = timedelta()
    body: str | None = None


@dataclass(frozen=True, slots=True)
class CreateNote:
    """Write a note."""

    body: str


@dataclass(frozen=True, slots=True)
class AddToWorkflow:
    """Enrol the contact in a workflow."""

    workflow_id: str


@dataclass(frozen=True, slots=True)
class CallOperation:
    """Call an operation of GHL's catalogue, with values that may hold templates.

    `takes_contact` says that it names the contact by `contactId`, `destructive` that it takes something away.
    """

    operation: str
    values: Mapping[str, Any] = field(default_factory=dict)
    takes_contact: bool = False
    destructive: bool = False


Action = AddTag | RemoveTag | CreateTask | CreateNote | AddToWorkflow | CallOperation


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `key` is the digest of what it says: a rule that says something else is another one.

    `place` is where it stands, in words: `rules[0]`.
    """

    key: str
    place: str
    when: When
    then: tuple[Action, ...]
    resolved: Mapping[str, str] = field(default_factory=dict)
    """What templates call fields -> GHL's names of them."""


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All rules of a pair, and how often campaign reports are read for them."""

    rules: tuple[Rule, ...] = ()
    poll_every: timedelta = timedelta(minutes=15)

    def __bool__(self) -> bool:
        return bool(self.rules)

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds that some rule acts on."""
        return frozenset(rule.when.kind for rule in self.rules)

    @property
    def listens_to(self) -> AbstractSet[Kind]:
        """The kinds of mail events to be kept: an unsubscribe isn't told from a bounce by its status."""
        return (self.kinds & OF_MAIL) | (OPT_OUTS if Kind.UNSUBSCRIBED in self.kinds else frozenset())

    @property
    def ghl_names(self) -> frozenset[str]:
        """The GHL fields that conditions and templates ask about."""
        return frozenset(name for rule in self.rules for name in (*rule.when.field, *rule.resolved.values()))


NO_RULES = RuleBook()

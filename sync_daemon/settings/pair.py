"""One pair's section of the configuration, and the policy that the rest of the program reads of it."""

from pydantic import Field, PrivateAttr, SecretStr

from sync_daemon.model.policy import (
    AddressChange,
    Blanks,
    ConflictRule,
    DeletedInEmailOctopus,
    DeletedInGhl,
    DeleteRule,
    Direction,
    FieldRule,
    GuardLimits,
    NewContactStatus,
    OnLeaveScope,
    PairPolicy,
    Resubscribe,
    ScopeRule,
    TagRule,
)
from sync_daemon.model.rules import RuleBook
from sync_daemon.model.sharing import UnsubscribeMeans
from sync_daemon.settings.activity import ActivitySection
from sync_daemon.settings.document import Document, KeyPath
from sync_daemon.settings.layers import Layer, WrittenPair
from sync_daemon.settings.rule_book import rules_of
from sync_daemon.settings.rules import RuleSection
from sync_daemon.settings.values import Count, Credential, Id, Percent, Secret, Section, Text, Texts


class OAuthSection(Section):
    """The keys of a GHL Marketplace app."""

    client_id: Text
    client_secret: Secret


class GhlAccount(Section):
    """Which GHL location a pair keeps in sync, and the credentials for it."""

    location_id: Id
    token: Credential | None = None
    oauth: OAuthSection | None = None


class EmailOctopusAccount(Section):
    """Which EmailOctopus list a pair keeps in sync, and the credentials for it."""

    list_id: Id
    api_key: Credential
    webhook_secret: SecretStr = SecretStr("")


class FieldSection(Section):
    """One row of the mapping."""

    ghl: Text
    emailoctopus: Text
    direction: Direction = Direction.BOTH
    conflict: ConflictRule = ConflictRule.GHL
    blanks: Blanks = Blanks.KEEP


class TagsSection(Section):
    """Which tags travel."""

    sync: bool = True
    include: Texts = ("*",)
    exclude: Texts = ()
    prefix_from_emailoctopus: str = ""


class ScopeSection(Section):
    """Which GHL contacts take part."""

    tags_any: Texts = ()
    tags_all: Texts = ()
    tags_none: Texts = ()
    field: dict[Text, Texts] = Field(default_factory=dict)
    types: Texts = ()
    add_tags: Texts = ()


class DeletesSection(Section):
    """What deletions do on the other side."""

    in_ghl: DeletedInGhl = DeletedInGhl.UNSUBSCRIBE
    in_emailoctopus: DeletedInEmailOctopus = DeletedInEmailOctopus.SUPPRESS
    tag: Text = DeleteRule().tag


class GuardSection(Section):
    """How much a day may destroy or create before a person is asked."""

    max_destructive_percent: Percent = 10
    max_destructive_count: Count = 20
    max_create_percent: Percent = 50
    max_create_count: Count = 1000


class PairSection(Section):
    """One GHL location and one EmailOctopus list."""

    name: Text
    template: Text | None = None
    ghl: GhlAccount
    emailoctopus: EmailOctopusAccount
    fields: tuple[FieldSection, ...] = ()
    create_missing_fields: bool = True
    tags: TagsSection = TagsSection()
    scope: ScopeSection = ScopeSection()
    on_leave_scope: OnLeaveScope = OnLeaveScope.KEEP
    create_in_ghl: bool = True
    create_in_emailoctopus: bool = True
    create_suppressed: bool = False
    create_without_phone: bool = False
    new_contact_status: NewContactStatus = NewContactStatus.LIST_DEFAULT
    resubscribe: Resubscribe = Resubscribe.NEVER
    unsubscribe_means: UnsubscribeMeans = UnsubscribeMeans.THIS_LIST
    address_change: AddressChange = AddressChange.HOLD
    deletes: DeletesSection = DeletesSection()
    guard: GuardSection = GuardSection()
    activity: ActivitySection = ActivitySection()
    rules: tuple[RuleSection, ...] = ()
    _written: WrittenPair | None = PrivateAttr(default=None)

    def remember(self, written: WrittenPair) -> None:
        """Note where this pair was written, for errors that only the accounts bring to light."""
        self._written = written

    @property
    def written(self) -> WrittenPair:
        """Where this pair was written."""
        unknown = Document("the configuration", {"pairs": [{"name": self.name}]})
        return self._written or WrittenPair((Layer(unknown, ("pairs", 0)),))

    def where(self, path: KeyPath) -> str:
        """The file, line and path of one of this pair's keys, as errors name it."""
        return self.written.where(path)

    def place(self, path: KeyPath) -> str:
        """The file and line of one of this pair's keys."""
        layer = self.written.layer_of(path)
        return layer.document.place((*layer.path, *path))

    @property
    def accounts(self) -> tuple[str, str]:
        """The location and the list that it is about, which its state belongs to."""
        return self.ghl.location_id, self.emailoctopus.list_id

    def says_the_same(self, other: "PairSection") -> bool:
        """Whether two sections have the same settings, wherever they were written."""
        return dict(self) == dict(other)

    def ghl_names(self) -> dict[str, str]:
        """GHL's name of each mapped EmailOctopus field, by its tag."""
        return {row.emailoctopus: row.ghl for row in self.fields}

    def rule_book(self) -> RuleBook:
        """The pair's rules, and how often reports are read for them."""
        return RuleBook(rules_of(self.rules, self.ghl_names()), self.activity.poll_every)

    def policy(self, *, double_opt_in: bool = False, country: str | None = None) -> PairPolicy:
        """The pair's policy on a list with this opt-in setting and a location in this country."""
        return PairPolicy(
            name=self.name,
            fields=tuple(FieldRule(**dict(row)) for row in self.fields),
            tags=TagRule(
                sync=self.tags.sync,
                include=self.tags.include,
                exclude=self.tags.exclude,
                prefix=self.tags.prefix_from_emailoctopus,
            ),
            scope=ScopeRule(**dict(self.scope)),
            on_leave_scope=self.on_leave_scope,
            create_in_ghl=self.create_in_ghl,
            create_in_emailoctopus=self.create_in_emailoctopus,
            create_suppressed=self.create_suppressed,
            create_without_phone=self.create_without_phone,
            create_missing_fields=self.create_missing_fields,
            new_contact_status=self.new_contact_status,
            resubscribe=self.resubscribe,
            address_change=self.address_change,
            deletes=DeleteRule(**dict(self.deletes)),
            guard=GuardLimits(**dict(self.guard)),
            double_opt_in=double_opt_in,
            country=country,
        )

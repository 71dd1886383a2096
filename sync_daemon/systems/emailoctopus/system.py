"""EmailOctopus behind the ports: one list of one account."""

import hashlib
from collections.abc import Callable, Collection
from typing import Self

import msgspec

from sync_daemon.http.allowance import TokenBucket
from sync_daemon.http.bearer import FixedToken
from sync_daemon.http.limits import Limiter
from sync_daemon.http.session import Observe, Session, Transport
from sync_daemon.model.contact import AccountSchema, FieldSpec
from sync_daemon.model.errors import IncompleteRead, Refused, Unreachable
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Actions, ActivityReader, Automations, Clock, Engagement, Rates, Reader, Usage, Writer
from sync_daemon.systems.blanks import Blanks
from sync_daemon.systems.emailoctopus import wire
from sync_daemon.systems.emailoctopus.automations import EmailOctopusAutomations
from sync_daemon.systems.emailoctopus.bundles import MAX_BATCH
from sync_daemon.systems.emailoctopus.client import Client, list_path
from sync_daemon.systems.emailoctopus.errors import Refusals
from sync_daemon.systems.emailoctopus.mapping import Columns
from sync_daemon.systems.emailoctopus.reader import EmailOctopusReader, pages
from sync_daemon.systems.emailoctopus.reports import EmailOctopusReports
from sync_daemon.systems.emailoctopus.settings import EmailOctopusSettings
from sync_daemon.systems.emailoctopus.writer import EmailOctopusWriter

_BURST, _PER_SECOND = 100, 10.0
"""Documented: a bucket of 100 requests, refilled by 10 a second (OpenAPI)."""
_BLOCKED_S = 60.0
"""Documented: a refusal can last up to a minute (help article 91)."""
_ADDRESS_FIELD = "EmailAddress"
"""Built in, and perhaps listed among the fields: the address is a property of its own."""


class EmailOctopusSystem:
    """One list. `with_schema` makes the copy that reads and writes a pair's fields."""

    name = SystemName.EMAILOCTOPUS
    max_batch = MAX_BATCH

    def __init__(self, session: Session, client: Client, columns: Columns, blanks: Blanks) -> None:
        self._session = session
        self._client = client
        self.reader: Reader = EmailOctopusReader(client, columns)
        self.writer: Writer = EmailOctopusWriter(client, columns, blanks)
        self.automations: Automations | None = EmailOctopusAutomations(client)
        self.activity: ActivityReader | None = None
        self.engagement: Engagement | None = EmailOctopusReports(client, client.list_id)
        self.actions: Actions | None = None
        self._blanks = blanks
        self.blanks = blanks.found

    def read_schema(self) -> AccountSchema:
        """The list's fields, setting and counts, in one request. Raises `ConfigurationError` for an unknown list."""
        try:
            return _schema_of(self._client.get_list())
        except Refused as refusal:
            raise Unreachable(self.name, f"EmailOctopus doesn't tell the list's fields: {refusal}") from refusal

    def lists(self) -> dict[str, AccountSchema]:
        """The account's lists by id, whichever one this is. Raises `IncompleteRead`."""
        rows = [row for page in pages("lists", self._client.list_lists) for row in page.data]
        try:
            found = [msgspec.json.decode(row, type=wire.MailingList) for row in rows]
        except msgspec.MsgspecError as error:
            raise IncompleteRead(f"EmailOctopus tells of a list in a form that isn't documented: {error}.") from error
        return {one.id: _schema_of(one) for one in found}

    def with_schema(self, schema: AccountSchema, names: Collection[str]) -> Self:
        """The same list, reading the fields `names` that the schema has."""
        found = {name: schema.field(name) for name in names}
        columns = {name: spec for name, spec in found.items() if spec is not None}
        return type(self)(self._session, self._client, columns, self._blanks)

    def usage(self) -> Usage:
        """Requests since the start of the process."""
        return self._session.usage()

    def seconds_for(self, requests: int) -> float:
        """The least time that many requests take under the limits known now."""
        return self._session.seconds_for(requests)


def connect(
    settings: EmailOctopusSettings,
    clock: Clock,
    *,
    transport: Transport | None = None,
    patience_s: float = 60.0,
    before_each: Callable[[], None] = lambda: None,
    observe: Observe = lambda _status, _seconds: None,
    rates: Rates | None = None,
) -> EmailOctopusSystem:
    """The list that the settings name; all with the same `rates` keep to one limit for each account."""
    system = SystemName.EMAILOCTOPUS
    allowance = TokenBucket(_BURST, _PER_SECOND, settings.share)
    refusals = Refusals(settings)
    session = Session(
        system,
        settings.base_url,
        {"Accept": "application/json"},
        Limiter(
            system,
            allowance,
            clock,
            refill_s=_BLOCKED_S,
            patience_s=patience_s,
            rates=rates,
            account=account_of(settings.api_key),
        ),
        clock,
        classify=refusals.classify,
        probe=list_path(settings.list_id),
        bearer=FixedToken(settings.api_key),
        patience_s=patience_s,
        transport=transport,
        before_each=before_each,
        observe=observe,
    )
    return EmailOctopusSystem(session, Client(session, refusals, settings.list_id), {}, Blanks())


def _schema_of(mailing_list: wire.MailingList) -> AccountSchema:
    specs = [
        FieldSpec(field.tag, field.tag, field.type, field.label, tuple(field.choices or ()))
        for field in mailing_list.fields
        if field.tag != _ADDRESS_FIELD
    ]
    return AccountSchema(
        system=SystemName.EMAILOCTOPUS,
        fields={spec.name: spec for spec in specs},
        title=mailing_list.name,
        double_opt_in=mailing_list.double_opt_in,
        counts=mailing_list.count_by_status,
    )


def account_of(api_key: str) -> str:
    """What tells one account's key from another's, and nothing of the key."""
    return hashlib.sha256(api_key.encode()).hexdigest()[:32]

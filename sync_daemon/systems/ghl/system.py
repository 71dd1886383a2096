"""One GHL location as a System: its rooms behind the ports."""

from collections.abc import Callable, Collection
from typing import Self

from sync_daemon.http.allowance import SlidingWindow
from sync_daemon.http.bearer import FixedToken
from sync_daemon.http.limits import Limiter
from sync_daemon.http.session import Observe, Session, Transport
from sync_daemon.model.contact import AccountSchema
from sync_daemon.model.errors import ConfigurationError, CredentialsRefused, Refused, SyncError, Unreachable
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Actions, ActivityReader, Automations, Clock, Engagement, Rates, Reader, Usage, Writer
from sync_daemon.systems.ghl.actions import GhlActions
from sync_daemon.systems.ghl.activity import GhlActivity
from sync_daemon.systems.ghl.bundles import MAX_BULK
from sync_daemon.systems.ghl.catalogue.prepare import PreparedCall
from sync_daemon.systems.ghl.client import Client
from sync_daemon.systems.ghl.dialect import Dialect
from sync_daemon.systems.ghl.errors import Forbidden, classifier
from sync_daemon.systems.ghl.fields import Columns, columns_of, schema_of
from sync_daemon.systems.ghl.reader import GhlReader
from sync_daemon.systems.ghl.settings import GhlSettings
from sync_daemon.systems.ghl.writer import GhlWriter

_WINDOW_REQUESTS, _WINDOW_S = 25, 10.0
"""Where the limiter starts: measured with private integration tokens; the headers tell better (facts: section 2)."""
_AT_ONCE = 8
_NOBODY = "nobody@example.com"
_FAULTS = ("malformed", "server_error")
"""Refusals that are GHL's own trouble, whatever was asked."""


class GhlSystem:
    """A GHL location. It reads and writes no field until `with_schema` names some."""

    name = SystemName.GHL
    max_batch = MAX_BULK

    def __init__(self, client: Client, columns: Columns, dialect: Dialect) -> None:
        self.reader: Reader = GhlReader(client, columns, dialect)
        self.writer: Writer = GhlWriter(client, columns, dialect)
        self.activity: ActivityReader | None = GhlActivity(client)
        self.automations: Automations | None = None
        self.actions: Actions | None = GhlActions(client)
        self.engagement: Engagement | None = None
        self._client = client
        self._dialect = dialect
        self.blanks = dialect.blanks.found

    def read_schema(self) -> AccountSchema:
        """The location's settings and fields. Raises `ConfigurationError` when the token's location is another."""
        try:
            return schema_of(self._client.location(), self._client.custom_fields())
        except (Refused, Forbidden) as refusal:
            raise _no_schema(refusal, self._client.settings.key) from refusal

    def locations(self) -> dict[str, str]:
        """The locations that the token sees, id to name; none where GHL tells none to such a token.

        Raises `CredentialsRefused` for a token that isn't one, or that lacks the scope for it.
        """
        try:
            return {one.id: one.name or one.id for one in self._client.locations() if one.id}
        except (Refused, Forbidden):
            return {}

    def refused_reads(self) -> list[CredentialsRefused]:
        """What the token isn't allowed of all that a cycle reads: each lacking scope, or that it opens nothing at all.

        Whether it may write shows only in writing.
        """
        client, refused = self._client, dict[str, CredentialsRefused]()
        for read in (client.location, client.custom_fields, client.tags, lambda: client.duplicate(_NOBODY)):
            try:
                read()
            except CredentialsRefused as error:
                refused.setdefault(str(error), error)
            except Refused:
                continue  # `read_schema` tells of a location that isn't there
        return list(refused.values())

    def with_schema(self, schema: AccountSchema, names: Collection[str]) -> Self:
        """The same location, reading and writing the fields named as far as the account has them."""
        return type(self)(self._client, columns_of(schema, names), self._dialect)

    def call(self, prepared: PreparedCall) -> bytes:
        """Any operation of the catalogue, under the same limits; its answer as it came. Raises as `Client.call`."""
        return self._client.call(prepared)

    def usage(self) -> Usage:
        """Requests since the start of the process."""
        return self._client.usage()

    def seconds_for(self, requests: int) -> float:
        """The least time that many requests take under the limits known now."""
        return self._client.seconds_for(requests)


def _no_schema(refusal: Refused | Forbidden, key: str) -> SyncError:
    """Why the location can't be told: its own trouble, or an id that isn't this token's."""
    if isinstance(refusal, Refused) and refusal.code in _FAULTS:
        return Unreachable(SystemName.GHL, f"GHL doesn't tell the location's settings and fields: {refusal}")
    copy = "Copy the id from the sub-account's Settings > Business Profile"
    if isinstance(refusal, Forbidden):
        return ConfigurationError(f"{refusal} {copy}.")
    return ConfigurationError(
        f"GHL gives no location for `{key}.location_id`: {refusal.message.rstrip('.')}. {copy}; "
        "the token must belong to the same sub-account."
    )


def connect(
    settings: GhlSettings,
    clock: Clock,
    *,
    transport: Transport | None = None,
    patience_s: float = 60.0,
    before_each: Callable[[], None] = lambda: None,
    observe: Observe = lambda _status, _seconds: None,
    rates: Rates | None = None,
    at_once: int = _AT_ONCE,
) -> GhlSystem:
    """Open a location; nothing is sent yet. One request is tried for `patience_s`, `at_once` of them side by side.

    All that share `rates` keep to one limit for each location.
    """
    allowance = SlidingWindow(_WINDOW_REQUESTS, _WINDOW_S, settings.share)
    limiter = Limiter(
        SystemName.GHL,
        allowance,
        clock,
        refill_s=_WINDOW_S,
        patience_s=patience_s,
        rates=rates,
        account=settings.location_id,
    )
    session = Session(
        SystemName.GHL,
        settings.base_url,
        {
            "Version": settings.version,
            "Accept": "application/json",
            "User-Agent": "sync-daemon",
        },
        limiter,
        clock,
        classify=classifier(settings),
        probe=f"/locations/{settings.location_id}",
        bearer=settings.bearer or FixedToken(settings.token),
        patience_s=patience_s,
        at_once=at_once,
        transport=transport,
        before_each=before_each,
        observe=observe,
    )
    return GhlSystem(Client(session, settings), {}, Dialect())

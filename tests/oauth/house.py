"""A location, or an agency, of the sandbox over HTTP, whose tokens are in a real state store."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import httpx

from sync_daemon.model.oauth import KeptTokens, OwnerKind, TokenOwner
from sync_daemon.ports import System
from sync_daemon.store.crypto import Secrets
from sync_daemon.store.engine import open_engine
from sync_daemon.store.installation import StateStore
from sync_daemon.store.oauth import OAuthStore
from sync_daemon.systems.ghl.oauth.authority import Authority
from sync_daemon.systems.ghl.oauth.bearer import StoredBearer, first_tokens
from sync_daemon.systems.ghl.oauth.wire import App
from sync_daemon.systems.ghl.settings import Version
from sync_daemon.wiring.oauth.bearers import Locations
from tests.contract.ghl_place import Place, Stage, SteppingClock
from tests.oauth.keys import ADVICE, AGENCY_APP, APP, BACK, SCOPES, SECRET


@dataclass
class House:
    """`requests` tells the requests to the token routes and their statuses."""

    place: Place
    store: OAuthStore
    app: App = APP
    version: Version = "2021-07-28"
    transport: httpx.BaseTransport | None = None

    def __post_init__(self) -> None:
        accounts = self.place.world.accounts
        accounts.add_app(APP.client_id, APP.client_secret, [BACK])
        accounts.add_app(AGENCY_APP.client_id, AGENCY_APP.client_secret, [BACK], "Company")
        self.place.sandbox.ghl.limiter.settings.enabled = False

    @property
    def clock(self) -> SteppingClock:
        return self.place.clock

    @property
    def location(self) -> TokenOwner:
        return TokenOwner(OwnerKind.LOCATION, self.place.sandbox.location_id)

    @property
    def agency(self) -> TokenOwner:
        return TokenOwner(OwnerKind.AGENCY, self.place.world.company_id)

    @property
    def authority(self) -> Authority:
        return Authority(self.place.url, self.version, self.app, self.clock, self.transport)

    def code(self) -> str:
        """What GHL sends back when somebody agrees."""
        world = self.place.world
        app = world.accounts.apps[self.app.client_id]
        location = world.location if app.target == "Location" else None
        return world.accounts.consent(app, location, world.company_id, SCOPES, BACK)

    def log_in(self) -> KeptTokens:
        """Somebody logs in with the app; the request isn't counted."""
        agency = self.app is AGENCY_APP
        issued = self.authority.trade(self.code(), BACK, agency=agency)
        self.place.sandbox.ghl.log.clear()
        owner = self.agency if agency else self.location
        return self.store.put(owner, first_tokens(self.app.client_id, issued, self.clock.now()))

    def bearer(self, store: OAuthStore | None = None) -> StoredBearer:
        """The location's bearer, as another process would have it."""
        return Locations(store or self.store, self.authority, self.clock, ADVICE).bearer(self.location.id)

    def system(self, bearer: StoredBearer | None = None) -> System:
        """The location, opened by the stored tokens."""
        return self.place.bare(token="", bearer=bearer or self.bearer(), version=self.version)

    def kept(self) -> KeptTokens:
        found = self.store.find(self.location)
        assert found is not None
        return found

    def to_the_end(self, *, minutes_before: float = 0) -> None:
        """Let time pass until so long before the end of the location's token."""
        left = self.kept().tokens.ends_at - self.clock.now() - timedelta(minutes=minutes_before)
        self.clock.advance(left.total_seconds())

    @property
    def requests(self) -> list[tuple[str, int | None]]:
        log = self.place.sandbox.ghl.log.exchanges()
        return [(one.path, one.status) for one in log if one.path.startswith("/oauth/")]


@contextmanager
def house(
    stage: Stage, url: str, database_url: str, app: App = APP, version: Version = "2021-07-28"
) -> Iterator[House]:
    """A house on a stage, its store in a database."""
    place = Place.on(stage, url)
    with StateStore(open_engine(database_url), Secrets(SECRET), place.clock) as store:
        yield House(place, store.oauth, app, version)

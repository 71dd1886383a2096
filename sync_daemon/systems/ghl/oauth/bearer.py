"""The bearer that keeps its tokens new: ahead of their end, one process at a time, stored before they are used."""

import secrets
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from sync_daemon.model.errors import (
    CredentialsRefused,
    QuotaExhausted,
    Refused,
    Stopped,
    StopSystem,
    ToldToStop,
    Unreachable,
)
from sync_daemon.model.oauth import KeptTokens, TokenOwner, Tokens
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Clock, TokenStore
from sync_daemon.systems.ghl.oauth.authority import GrantRefused
from sync_daemon.systems.ghl.oauth.lifetime import Age, age_of
from sync_daemon.systems.ghl.oauth.wire import Issued
from sync_daemon.threads import Threads

LOCK_S = 30.0
"""How long a refresh has to itself; one that dies lets others at it by then."""
_LOOK_EVERY_S = 0.25
_TRUSTED_S = 30.0
"""How long tokens are used before it is looked again whether they were revoked here, or made new by another."""
_AGAIN_AFTER_S = 60.0
"""How long after a refresh that came to nothing, while the tokens are still good, the next is tried."""
_GHL = SystemName.GHL
_log = structlog.get_logger(__name__)

Renewal = Callable[[Tokens], Issued]
"""Gets the tokens that follow some. Raises as `Authority`."""


class StoredBearer:
    """`http.bearer.Bearer` on the tokens of one owner in the state store.

    `renewal` gets the next tokens, `first` the first ones where none are stored (None: nobody can). `advice` says
    what to do when neither can be had.
    """

    def __init__(
        self,
        owner: TokenOwner,
        client_id: str,
        store: TokenStore,
        clock: Clock,
        *,
        renewal: Renewal,
        first: Callable[[], KeptTokens | None],
        advice: str,
    ) -> None:
        self._owner = owner
        self._client_id = client_id
        self._store = store
        self._clock = clock
        self._renewal = renewal
        self._first = first
        self._advice = advice
        self._holder = secrets.token_hex(8)
        self._one_at_a_time = threading.Lock()
        self._seen: KeptTokens | None = None
        self._look_at = self._refresh_at = clock.monotonic()

    def token(self) -> str:
        """The token to send now; made new when its end is near, and waited for when it is over."""
        with self._one_at_a_time:
            return self._good("").tokens.access_token

    def renew(self, refused: str) -> bool:
        """Get another token than the one that was refused as expired; whoever refreshed it meanwhile did it for all."""
        with self._one_at_a_time:
            self._seen = None
            return self._good(refused).tokens.access_token != refused

    def current(self) -> KeptTokens:
        """The tokens in use, made new where need be, for whoever tells of them."""
        with self._one_at_a_time:
            return self._good("")

    def _good(self, refused: str) -> KeptTokens:
        while True:
            kept = self._look()
            age = self._age(kept, refused)
            if age is Age.FRESH or (age is Age.DUE and self._clock.monotonic() < self._refresh_at):
                return kept
            locked = self._store.lock(self._owner, self._holder, LOCK_S)
            if locked is not None:
                return self._refreshed(locked, refused)
            if age is Age.DUE:
                return kept  # another one is at it
            self._wait()

    def _look(self) -> KeptTokens:
        """The tokens as they are stored, or were a moment ago. Raises `CredentialsRefused` where there are none."""
        now = self._clock.monotonic()
        if self._seen is None or now >= self._look_at:
            self._seen = self._store.find(self._owner)
            if self._seen is None or self._seen.tokens.client_id != self._client_id:
                self._seen = self._begun()
            self._look_at = now + _TRUSTED_S
        if self._seen is None:
            raise CredentialsRefused(_GHL, f"Nobody has logged in for the {self._named} with this app. {self._advice}")
        return self._seen

    def _begun(self) -> KeptTokens | None:
        try:
            return self._first()
        except Refused as error:  # which would be taken for a refusal of what the token is for
            raise self._not_renewed(error) from error

    def _refreshed(self, locked: KeptTokens, refused: str) -> KeptTokens:
        """Make locked tokens new, unless somebody has done it since they were looked at."""
        self._seen = locked
        try:
            if self._age(locked, refused) is Age.FRESH:
                return locked
            with Threads(max_workers=1) as pool:  # Ctrl-C lets it finish: a lost answer can't be had again
                return pool.submit(self._renewed, locked, refused).result()
        finally:
            self._store.unlock(self._owner, self._holder)

    def _renewed(self, kept: KeptTokens, refused: str) -> KeptTokens:
        asked_at = self._clock.now()
        try:
            issued = self._renewal(kept.tokens)
        except GrantRefused as refusal:
            return self._overtaken(kept, refusal)
        except (Unreachable, QuotaExhausted, Refused) as error:
            if self._age(kept, refused) is Age.ENDED:
                raise self._not_renewed(error) from error
            _log.warning("token_not_renewed", owner=self._named, why=type(error).__name__)
            self._refresh_at = self._clock.monotonic() + _AGAIN_AFTER_S
            return kept
        self._seen = self._store.replace(kept, following(kept.tokens, issued, asked_at))
        _log.info("token_renewed", owner=self._named)
        return self._look()  # None is what a revocation meanwhile has left

    def _overtaken(self, kept: KeptTokens, refusal: GrantRefused) -> KeptTokens:
        """The tokens of who was quicker, as a lock can end too early. Raises `CredentialsRefused` where nobody was."""
        found = self._store.find(self._owner)
        if found is not None and found.edition != kept.edition:
            self._seen = found
            return found
        self._store.refuse(kept)
        raise CredentialsRefused(
            _GHL,
            f"GHL refused the refresh token of the {self._named} ({refusal}): the app was uninstalled there, the token "
            f"lay unused for a year, or the answer that held its successor was lost. {self._advice}",
        ) from refusal

    def _not_renewed(self, error: StopSystem | Refused) -> StopSystem:
        if isinstance(error, StopSystem):
            return error
        return Unreachable(_GHL, f"GHL gave no new token for the {self._named}, and is asked again: {error.shown}")

    def _age(self, kept: KeptTokens, refused: str) -> Age:
        return age_of(kept.tokens, self._clock.now(), refused)

    def _wait(self) -> None:
        self._look_at = self._clock.monotonic()
        try:
            self._clock.sleep(_LOOK_EVERY_S)
        except ToldToStop as told:
            raise Stopped(_GHL) from told

    @property
    def _named(self) -> str:
        return f"{self._owner.kind} {self._owner.id}"


def first_tokens(client_id: str, issued: Issued, asked_at: datetime, agency_id: str = "") -> Tokens:
    """What was just issued, asked for at a moment; `agency_id` where it was given for an agency's tokens."""
    return Tokens(
        client_id=client_id,
        access_token=issued.access_token,
        refresh_token="" if agency_id else issued.refresh_token,
        ends_at=asked_at + timedelta(seconds=issued.expires_in),
        agency_id=agency_id,
    )


def following(before: Tokens, issued: Issued, asked_at: datetime) -> Tokens:
    """The tokens that follow some."""
    new = first_tokens(before.client_id, issued, asked_at, before.agency_id)
    return new if new.refresh_token else replace(new, refresh_token=before.refresh_token)

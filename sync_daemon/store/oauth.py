"""Tokens of OAuth, encrypted, and who refreshes them now; and the logins that wait for GHL's answer.

A holder that dies keeps the lock until its time has run out, and no longer.
"""

import secrets as dice
from datetime import timedelta
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Engine, bindparam, delete, insert, or_, select, update

from sync_daemon.model.oauth import KeptTokens, Login, LoginEnd, OwnerKind, TokenOwner, Tokens
from sync_daemon.ports import Clock
from sync_daemon.store.crypto import Secrets
from sync_daemon.store.engine import reading, writing
from sync_daemon.store.moments import to_datetime, to_micros
from sync_daemon.store.room import AnyRow
from sync_daemon.store.tables import oauth_logins, oauth_tokens
from sync_daemon.store.upsert import Upsert

_EDITIONS = 2**62
_OWNED = (oauth_tokens.c.owner_kind == bindparam("kind")) & (oauth_tokens.c.owner_id == bindparam("id"))
_KEPT = (
    oauth_tokens.c.owner_kind,
    oauth_tokens.c.owner_id,
    oauth_tokens.c.client_id,
    oauth_tokens.c.agency_id,
    oauth_tokens.c.tokens,
    oauth_tokens.c.ends_at,
    oauth_tokens.c.edition,
    oauth_tokens.c.refused_at,
)
_ALL = select(*_KEPT).order_by(oauth_tokens.c.owner_kind, oauth_tokens.c.owner_id)
_LOCK = (
    update(oauth_tokens)
    .where(
        _OWNED,
        or_(oauth_tokens.c.lock_holder == bindparam("by"), oauth_tokens.c.locked_until <= bindparam("now")),
    )
    .values(lock_holder=bindparam("by"), locked_until=bindparam("until"))
)
_SHORTEN = (
    update(oauth_tokens)
    .where(_OWNED, oauth_tokens.c.locked_until > bindparam("until"))
    .values(locked_until=bindparam("until"))
)
_UNLOCK = (
    update(oauth_tokens)
    .where(_OWNED, oauth_tokens.c.lock_holder == bindparam("by"))
    .values(lock_holder="", locked_until=0)
)
_PUT = Upsert(oauth_tokens, ("owner_kind", "owner_id"))
_OF_STATE = oauth_logins.c.state == bindparam("digest")


class _Sealed(msgspec.Struct):
    access_token: str
    refresh_token: str


class OAuthStore:
    """`ports.TokenStore`, and the logins under way. Every method may raise `StateStoreError`."""

    def __init__(self, engine: Engine, secrets: Secrets, clock: Clock) -> None:
        self._engine = engine
        self._secrets = secrets
        self._clock = clock

    def find(self, owner: TokenOwner) -> KeptTokens | None:
        """The tokens of an owner, None when nobody logged in for it."""
        with reading(self._engine) as connection:
            return self._find(connection, owner)

    def every(self) -> list[KeptTokens]:
        """All tokens, in order of their owners."""
        return self._select()

    def agencies(self, client_id: str) -> list[KeptTokens]:
        """The agencies that an app is installed in."""
        return self._select(oauth_tokens.c.owner_kind == str(OwnerKind.AGENCY), oauth_tokens.c.client_id == client_id)

    def put(self, owner: TokenOwner, tokens: Tokens) -> KeptTokens:
        """Keep new tokens, whatever was kept before."""
        row = self._row(tokens)
        with writing(self._engine, durable=True) as connection:
            unlocked = {"lock_holder": "", "locked_until": 0}
            _PUT.write(connection, [{"owner_kind": str(owner.kind), "owner_id": owner.id, **row, **unlocked}])
        return KeptTokens(owner, tokens, row["edition"])

    def replace(self, before: KeptTokens, tokens: Tokens) -> KeptTokens | None:
        """Keep new tokens instead of `before` for good; None, and nothing, when those aren't kept any more."""
        row = self._row(tokens)
        with writing(self._engine, durable=True) as connection:
            replaced = connection.execute(
                update(oauth_tokens).where(_OWNED, oauth_tokens.c.edition == before.edition).values(**row),
                _named(before.owner),
            )
        return KeptTokens(before.owner, tokens, row["edition"]) if replaced.rowcount else None

    def refuse(self, kept: KeptTokens) -> None:
        """Note that the refresh token was refused for good; nothing when others are kept meanwhile."""
        with writing(self._engine) as connection:
            connection.execute(
                update(oauth_tokens)
                .where(_OWNED, oauth_tokens.c.edition == kept.edition)
                .values(refused_at=to_micros(self._clock.now())),
                _named(kept.owner),
            )

    def forget(self, owner: TokenOwner) -> None:
        """Forget an owner's tokens; an agency's together with those of locations that came of them."""
        with writing(self._engine, erasing=True) as connection:
            connection.execute(delete(oauth_tokens).where(_OWNED), _named(owner))
            if owner.kind is OwnerKind.AGENCY:
                connection.execute(delete(oauth_tokens).where(oauth_tokens.c.agency_id == owner.id))

    def lock(self, owner: TokenOwner, holder: str, seconds: float) -> KeptTokens | None:
        """Be the only one to refresh an owner's tokens for `seconds` at most; the tokens as they are now.

        None while another holder does, or when there are none. A lock that ends later than that was taken before the
        clock was turned back, or by a host whose clock is ahead: from now on it has `seconds`.
        """
        now = self._clock.now()
        moments = {"now": to_micros(now), "until": to_micros(now + timedelta(seconds=seconds))}
        with writing(self._engine) as connection:
            taken = connection.execute(_LOCK, {**_named(owner), "by": holder, **moments})
            if taken.rowcount:
                return self._find(connection, owner)
            connection.execute(_SHORTEN, {**_named(owner), "until": moments["until"]})
            return None

    def unlock(self, owner: TokenOwner, holder: str) -> None:
        """Let others refresh; nothing happens when `holder` isn't the one."""
        with writing(self._engine) as connection:
            connection.execute(_UNLOCK, {**_named(owner), "by": holder})

    def begin(self, state: str, login: Login, seconds: float) -> None:
        """Let whoever comes back with `state` finish this login, for `seconds`; those whose time is over go."""
        now = self._clock.now()
        row = {
            "state": _digest(state),
            "client_id": login.client_id,
            "redirect_uri": login.redirect_uri,
            "agency": login.agency,
            "expires_at": to_micros(now + timedelta(seconds=seconds)),
            "taken": False,
            "owner_kind": "",
            "owner_id": "",
            "problem": "",
        }
        with writing(self._engine) as connection:
            connection.execute(delete(oauth_logins).where(oauth_logins.c.expires_at <= to_micros(now)))
            connection.execute(insert(oauth_logins), row)

    def take(self, state: str) -> Login | None:
        """The login that waits for `state`, once: None for whoever comes second, or too late, or unasked."""
        now = {"digest": _digest(state), "now": to_micros(self._clock.now())}
        waiting = _OF_STATE & oauth_logins.c.taken.is_(False) & (oauth_logins.c.expires_at > bindparam("now"))
        with writing(self._engine) as connection:
            taken = connection.execute(update(oauth_logins).where(waiting).values(taken=True), now)
            if not taken.rowcount:
                return None
            row = connection.execute(select(oauth_logins).where(_OF_STATE), now).one()
        return Login(client_id=row.client_id, redirect_uri=row.redirect_uri, agency=row.agency)

    def conclude(self, state: str, end: LoginEnd) -> None:
        """Tell whoever waits what came of a login."""
        owner = (str(end.owner.kind), end.owner.id) if end.owner is not None else ("", "")
        told = {"owner_kind": owner[0], "owner_id": owner[1], "problem": end.problem}
        with writing(self._engine) as connection:
            connection.execute(update(oauth_logins).where(_OF_STATE).values(**told), {"digest": _digest(state)})

    def end_of(self, state: str) -> LoginEnd | None:
        """What came of a login; None while it waits."""
        with reading(self._engine) as connection:
            row = connection.execute(select(oauth_logins).where(_OF_STATE), {"digest": _digest(state)}).one_or_none()
        if row is None or not (row.owner_id or row.problem):
            return None
        return LoginEnd(TokenOwner(OwnerKind(row.owner_kind), row.owner_id) if row.owner_id else None, row.problem)

    def _find(self, connection: Connection, owner: TokenOwner) -> KeptTokens | None:
        row = connection.execute(_ALL.where(_OWNED), _named(owner)).one_or_none()
        return self._kept(row) if row is not None else None

    def _select(self, *where: ColumnElement[bool]) -> list[KeptTokens]:
        with reading(self._engine) as connection:
            return [self._kept(row) for row in connection.execute(_ALL.where(*where)).all()]

    def _kept(self, row: AnyRow) -> KeptTokens:
        sealed = msgspec.json.decode(self._secrets.decrypt(row.tokens), type=_Sealed)
        tokens = Tokens(
            client_id=row.client_id,
            access_token=sealed.access_token,
            refresh_token=sealed.refresh_token,
            ends_at=to_datetime(row.ends_at),
            agency_id=row.agency_id,
        )
        owner = TokenOwner(OwnerKind(row.owner_kind), row.owner_id)
        return KeptTokens(owner, tokens, row.edition, to_datetime(row.refused_at))

    def _row(self, tokens: Tokens) -> dict[str, Any]:
        sealed = msgspec.json.encode(_Sealed(tokens.access_token, tokens.refresh_token))
        return {
            "client_id": tokens.client_id,
            "agency_id": tokens.agency_id,
            "tokens": self._secrets.encrypt(sealed),
            "ends_at": to_micros(tokens.ends_at),
            "edition": dice.randbelow(_EDITIONS),
            "refused_at": None,
        }


def _named(owner: TokenOwner) -> dict[str, str]:
    return {"kind": str(owner.kind), "id": owner.id}


def _digest(state: str) -> str:
    return sha256(state.encode()).hexdigest()

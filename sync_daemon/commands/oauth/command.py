"""`sync-daemon oauth`: log in at GHL with a Marketplace app, see which logins there are, forget one."""

import sys
from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import App, Parameter
from cyclopts.validators import Number

from sync_daemon.commands.exits import CREDENTIALS, DONE
from sync_daemon.commands.oauth.showing import Opened, as_json, opened_locations, rows, shown_moment, told
from sync_daemon.commands.oauth.waiting import await_end, redirect_of
from sync_daemon.commands.options import DEFAULT_CONFIG, Chosen, Config, Json, PairName, choose
from sync_daemon.commands.printing import console, print_json, table
from sync_daemon.model.errors import ConfigurationError
from sync_daemon.model.oauth import OwnerKind, TokenOwner
from sync_daemon.store.oauth import OAuthStore
from sync_daemon.wiring.clock import SystemClock
from sync_daemon.wiring.oauth.apps import UsedApp, apps_of
from sync_daemon.wiring.oauth.logins import Logins
from sync_daemon.wiring.state import open_store

app = App(
    name="oauth",
    help="Logins at GoHighLevel with a Marketplace app: login, list, revoke.",
    help_epilogue="Example: sync-daemon oauth list",
)

_COLUMNS = ("whose", "id", "pairs", "app", "token until", "state")
_STILL_INSTALLED = (
    "Its tokens are forgotten here. The app stays installed in GHL, and GHL honours tokens that others may have, until "
    "you uninstall it there: App Marketplace, Installed Apps, Uninstall."
)


@app.command(help_epilogue="Example: sync-daemon oauth login --pair main")
def login(
    *,
    config: Config = DEFAULT_CONFIG,
    pair: PairName = None,
    agency: Annotated[
        bool, Parameter(name="--agency", negative="", help="For an agency: its login opens all of its locations.")
    ] = False,
    redirect_uri: Annotated[
        str | None, Parameter(help="The app's redirect address; left out, the service's own on this computer.")
    ] = None,
    timeout: Annotated[float, Parameter(help="Seconds to wait for you.", validator=Number(gt=0))] = 300,
    json: Json = False,
) -> int:
    """Log in at GHL for a location, or an agency: open the address that is shown, and choose.

    The answer comes back by itself where this computer, or the running service, has the redirect address. Else paste
    the address that the browser ends at, or the code in it.
    """
    chosen = choose(config, pair)
    used = _one_app(chosen)
    redirect = redirect_of(redirect_uri, chosen.settings.service.http)
    with open_store(chosen.settings) as store:
        logins = Logins(chosen.settings, store.oauth, SystemClock())
        begun = logins.begin(used, redirect.uri, timeout, agency=agency)
        end = await_end(logins, begun, redirect, timeout)
        if end is None or end.owner is None:
            sys.stderr.write(f"{end.problem if end is not None else f'Nobody logged in within {timeout:g} s.'}\n")
            return CREDENTIALS
        return _answer(end.owner, opened_locations(end.owner, used, chosen.settings, store.oauth), json=json)


@app.command(name="list", help_epilogue="Example: sync-daemon oauth list --json")
def list_(*, config: Config = DEFAULT_CONFIG, pair: PairName = None, json: Json = False) -> None:
    """Show whose tokens are stored, until when they work, and which pairs nobody has logged in for."""
    chosen = choose(config, pair)
    with open_store(chosen.settings) as store:
        found = rows(store.oauth.every(), chosen.pairs, only=pair is not None)
    if json:
        print_json({"logins": found})
    elif not found:
        console().print("No pair logs in with OAuth. `ghl.oauth` in a pair's configuration names a Marketplace app.")
    else:
        console().print(table(_COLUMNS, [_cells(one) for one in found]))


@app.command(help_epilogue="Example: sync-daemon oauth revoke ve9EPM428h8vShlRW1KT")
def revoke(
    owner: Annotated[str | None, Parameter(name="ID", help="A location or agency, as `oauth list` shows it.")] = None,
    /,
    *,
    config: Config = DEFAULT_CONFIG,
    pair: PairName = None,
    json: Json = False,
) -> None:
    """Forget the tokens of a location or an agency. GHL isn't asked: uninstall the app there, too."""
    chosen = choose(config, pair)
    with open_store(chosen.settings) as store:
        found = _stored(store.oauth, _wanted(owner, pair, chosen))
        store.oauth.forget(found)
    if json:
        print_json({"revoked": {"owner": found.kind, "id": found.id}})
    else:
        console().print(f"{found.kind} {found.id}: {_STILL_INSTALLED[0].lower()}{_STILL_INSTALLED[1:]}")


def _answer(owner: TokenOwner, opened: Sequence[Opened], *, json: bool) -> int:
    if json:
        print_json({"owner": owner.kind, "id": owner.id, "locations": [as_json(one) for one in opened]})
    else:
        for sentence in told(owner, opened):
            console().print(sentence)
    return DONE if all(not one.problem for one in opened) else CREDENTIALS


def _one_app(chosen: Chosen) -> UsedApp:
    """The one app to log in with. Raises `ConfigurationError` where there is none, or more than one."""
    apps = apps_of(chosen.pairs)
    if len(apps) > 1:
        names = ", ".join(used.pairs[0].name for used in apps.values())
        raise ConfigurationError(
            f"The pairs use several apps: say which by a pair that uses it, --pair one of {names}."
        )
    if not apps:
        raise ConfigurationError(
            "No pair that was chosen logs in with OAuth: give one `ghl.oauth` with the client_id and client_secret of "
            "your Marketplace app, in place of `ghl.token`."
        )
    every = apps_of(chosen.settings.pairs)  # the person may choose the location of any of them
    return every[next(iter(apps))]


def _wanted(owner: str | None, pair: str | None, chosen: Chosen) -> str:
    if owner is not None:
        return owner
    if pair is None:
        raise ConfigurationError("Say whose tokens to forget: an id that `sync-daemon oauth list` shows, or --pair.")
    return chosen.pairs[0].ghl.location_id


def _stored(store: OAuthStore, wanted: str) -> TokenOwner:
    """Whose tokens are meant. Raises `ConfigurationError` for what isn't stored, or would come back by itself."""
    kept = next((one for one in store.every() if one.owner.id == wanted), None)
    if kept is None:
        raise ConfigurationError(f"No tokens of {wanted} are stored; `sync-daemon oauth list` shows which are.")
    if kept.owner.kind is OwnerKind.LOCATION and kept.tokens.agency_id:
        raise ConfigurationError(
            f"The tokens of location {wanted} come from its agency's login and would come again: forget that one, with "
            f"sync-daemon oauth revoke {kept.tokens.agency_id}."
        )
    return kept.owner


def _cells(one: dict[str, Any]) -> tuple[object, ...]:
    return (
        one["owner"],
        one["id"],
        ", ".join(one["pairs"]) or "-",
        one["client_id"],
        shown_moment(one["ends_at"]),
        one["state"],
    )

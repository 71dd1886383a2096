"""The Marketplace apps that pairs name, and the locations that log in with them."""

from collections.abc import Iterable
from dataclasses import dataclass

from sync_daemon.settings.pair import OAuthSection, PairSection
from sync_daemon.systems.ghl.oauth.wire import App


@dataclass(frozen=True, slots=True)
class UsedApp:
    """An app, and the pairs that use it."""

    app: App
    pairs: tuple[PairSection, ...]

    @property
    def locations(self) -> dict[str, list[str]]:
        """The names of the pairs of each location."""
        found: dict[str, list[str]] = {}
        for pair in self.pairs:
            found.setdefault(pair.ghl.location_id, []).append(pair.name)
        return found


def keys_of(section: OAuthSection) -> App:
    """The keys that a section names."""
    return App(section.client_id, section.client_secret.get_secret_value())


def apps_of(sections: Iterable[PairSection]) -> dict[str, UsedApp]:
    """Every app by its client id."""
    found: dict[str, UsedApp] = {}
    for section in sections:
        if section.ghl.oauth is not None:
            app = keys_of(section.ghl.oauth)
            before = found[app.client_id].pairs if app.client_id in found else ()
            found[app.client_id] = UsedApp(app, (*before, section))
    return found

"""`sync-daemon pairs remove`: a pair out of the database; what is known of its people stays."""

from sync_daemon.commands.asking import Yes, ask
from sync_daemon.commands.exits import BAD_USAGE, DONE
from sync_daemon.commands.options import DEFAULT_CONFIG, Config, Json, outside_pairs
from sync_daemon.commands.pairs.saving import refuse_elsewhere
from sync_daemon.commands.printing import console, plural, print_json
from sync_daemon.settings.installation import InstallationSection
from sync_daemon.store.configured_pairs import remove_from
from sync_daemon.wiring.configuration import stored_names
from sync_daemon.wiring.state import open_locked_store, opened

_NOT_DONE = "Nothing was done: say it with --yes."


def remove(name: str, /, *, config: Config = DEFAULT_CONFIG, yes: Yes = False, json: Json = False) -> int:
    """Take a pair out of the database: nothing of it is read or written any more, on either side.

    What is known of its people stays: a pair of this name, location and list goes on from there.
    """
    outside = outside_pairs(config)
    if name not in stored_names(outside):
        refuse_elsewhere(config, name, "take it out there")
    links = _links(outside, name)
    if not json:
        console().print(_what_stays(name, links))
    agreed = yes or (not json and ask("yes"))
    if agreed:
        with opened(outside.database_url.get_secret_value()) as engine:
            remove_from(engine, name)
    if json:
        print_json({"pair": name, "links": links, "done": agreed})
    else:
        console().print(f"The pair {name} is taken out." if agreed else _NOT_DONE)
    return DONE if agreed else BAD_USAGE


def _links(outside: InstallationSection, name: str) -> int:
    with open_locked_store(outside) as store:
        found = [pair.counts["links"] for pair in store.pairs() if pair.name == name] if store is not None else []
    return sum(found)


def _what_stays(name: str, links: int) -> str:
    return (
        f"Taking out the pair {name} changes no contact. A service that runs lets go of it within seconds. What is "
        f"known of its people ({plural(links, 'link')}, who revoked, what was deleted) stays in the database: a pair "
        "of this name, location and list goes on from there."
    )

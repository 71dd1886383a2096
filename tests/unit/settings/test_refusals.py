"""Every mistake in a configuration is told with the key's path, the file and the line."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from sync_daemon.model.errors import ConfigurationError
from sync_daemon.settings.load import load
from sync_daemon.settings.variables import Variables
from tests.unit.settings.configurations import SMALL, loaded

OTHER = SMALL.removeprefix("pairs:\n").replace("main", "other")
LEADS = "    fields:\n      - {ghl: city, emailoctopus: City, direction: to_ghl}\n"
SHOWS = "    activity: {notes: {latest: City}}\n"
ROW = "    fields:\n      - {ghl: firstName, emailoctopus: FirstName}\n"


def refusal(folder: Path, text: str, variables: Mapping[str, str] | None = None) -> str:
    with pytest.raises(ConfigurationError) as caught:
        loaded(folder, text, variables)
    return str(caught.value).replace(f"{folder}/", "")


def two_apps(second: str) -> str:
    """Two pairs of one location, each with an app."""
    first = SMALL.replace("token: pit-abc", "oauth: {client_id: a, client_secret: b}")
    twin = first.removeprefix("pairs:\n").replace("main", "twin").replace("000001", "000002")
    return first + twin.replace("client_id: a, client_secret: b", f"client_id: {second}")


@pytest.mark.parametrize(
    ("added", "line", "path", "text"),
    [
        ("servce: {}\n", 5, "servce", "there is no such key; did you mean `service`"),
        ("    create_in_gohighlevel: true\n", 5, "pairs.main.create_in_gohighlevel", "there is no such key; "),
        ("service: {poll_evry: 60s}\n", 5, "service.poll_evry", "did you mean `poll_every`"),
        ("service:\n  http:\n    porte: 1\n", 7, "service.http.porte", "did you mean `port`"),
        ("service: {poll_every: 60}\n", 5, "service.poll_every", "expected a duration such as 90s, 10m, 24h or 90d"),
        ("service: {poll_every: 0s}\n", 5, "service.poll_every", "must be longer than nothing"),
        ("service: {poll_every: -5m}\n", 5, "service.poll_every", "expected a duration"),
        ("ghl: {index_lag: 99999999999d}\n", 5, "ghl.index_lag", "must be at most 3650d"),
        ("service: {http: {port: eighty}}\n", 5, "service.http.port", "expected a whole number"),
        ("service: {http: {port: 70000}}\n", 5, "service.http.port", "must be less than or equal to 65535"),
        ("ghl: {share: 0}\n", 5, "ghl.share", "must be greater than 0"),
        ("ghl: {version: v4}\n", 5, "ghl.version", "expected 2021-07-28 or v3"),
        ("ghl: {base_url: services.example.com}\n", 5, "ghl.base_url", "expected an address that starts with https://"),
        ("ghl: {base_url: 'https://a.example:99999'}\n", 5, "ghl.base_url", "the host or the port"),
        ("ghl: {base_url: 'https://[::1'}\n", 5, "ghl.base_url", "the host or the port"),
        ("ghl: {base_url: 'https://a..example'}\n", 5, "ghl.base_url", "the host or the port"),
        ("ghl: {base_url: 'https://:443'}\n", 5, "ghl.base_url", "the host or the port"),
        ("ghl: {base_url: 'https://a.example/?b=c'}\n", 5, "ghl.base_url", "expected an address"),
        ("secret_key: short\n", 5, "secret_key", "must be at least 32 characters long and has 5"),
        ("database_url: mysql://u:pw@h/d\n", 5, "database_url", "which isn't supported"),
        ("alerts: {urls: mailto://x}\n", 5, "alerts.urls", "expected a list"),
        ("    create_in_ghl: maybe\n", 5, "pairs.main.create_in_ghl", "expected true or false"),
        ("    tags: [a]\n", 5, "pairs.main.tags", "expected keys of its own below it"),
        ("    tags: {include: vip}\n", 5, "pairs.main.tags.include", "expected a list"),
        ("    new_contact_status: unsubscribed\n", 5, "pairs.main.new_contact_status", "expected list_default, "),
        ("    resubscribe: always\n", 5, "pairs.main.resubscribe", "expected never, pending or allow"),
        ("    address_change: ${GHL-TOKEN}\n", 5, "pairs.main.address_change", "a reference is written ${NAME} or"),
        ("    address_change: x-${GHL_TOKEN\n", 5, "pairs.main.address_change", "a reference is written ${NAME} or"),
        ("    address_change: '${A:-${B}}'\n", 5, "pairs.main.address_change", "no other one in the default"),
        ("    guard: {max_create_count: -1}\n", 5, "pairs.main.guard.max_create_count", "must be greater than"),
        ("    scope: {field: {lastname: [Ada]}}\n", 5, "pairs.main.scope.field.lastname", "did you mean `lastName`"),
        ("    rules:\n      - when: {event: oppened}\n        then: [{add_tag: x}]\n", 6,
         "pairs.main.rules[0].when.event", "expected one of opened"),
        ("    rules:\n      - when: {event: opened}\n        then:\n        - {add_tag: x, create_note: y}\n", 8,
         "pairs.main.rules[0].then[0]", "expected exactly one action"),
        ("    activity: {tasks: {opencount: X}}\n", 5, "pairs.main.activity.tasks.opencount", "mean `open_count`"),
        ("    activity: {tasks: {next_title: A}, appointments: {next_title: A}}\n", 5,
         "pairs.main.activity.appointments.next_title", "shows something else already (activity.tasks.next_title)"),
        ("    activity: {tasks: {next_title: next task}}\n", 5,
         "pairs.main.activity.tasks.next_title", "an EmailOctopus field is named by its tag"),
        ("    activity: {notes: {latest: EmailAddress}}\n", 5, "pairs.main.activity.notes.latest", "isn't the address"),
        (ROW + "    activity: {notes: {latest: FirstName}}\n", 7,
         "pairs.main.activity.notes.latest", "the field FirstName is in the mapping"),
        ("    activity: {tasks: {on_completed: abc}}\n", 5,
         "pairs.main.activity.tasks.on_completed", "expected keys of its own below it"),
        ("    activity: {notes: {latest: A, max_length: 0}}\n", 5,
         "pairs.main.activity.notes.max_length", "must be greater than"),
        (ROW + "      - {ghl: firstName, emailoctopus: Other}\n", 7, "pairs.main.fields[1].ghl", "another row maps"),
        (ROW + "      - {ghl: lastName, emailoctopus: FirstName}\n", 7, "pairs.main.fields[1].emailoctopus",
         "another row maps this"),
        (ROW + "      - {ghl: email, emailoctopus: Mail}\n", 7, "pairs.main.fields[1]", "always kept in sync"),
        (ROW + "      - {ghl: lastname, emailoctopus: LastName}\n", 7, "pairs.main.fields[1].ghl",
         "did you mean `lastName`"),
        (ROW + "      - {ghl: companyName, emailoctopus: Company}\n", 7, "pairs.main.fields[1].direction",
         "write `direction: to_emailoctopus`"),
        (ROW + "      - {ghl: type, emailoctopus: Type, direction: to_ghl}\n", 7, "pairs.main.fields[1].direction",
         "GHL doesn't let type be written"),
        (ROW + "      - {ghl: city, emailoctopus: The City}\n", 7, "pairs.main.fields[1].emailoctopus", "by its tag"),
        (ROW + "      - {ghl: city, emailoctopus: City, direction: sideways}\n", 7, "pairs.main.fields[1].direction",
         "expected both, to_ghl or to_emailoctopus"),
        (ROW + "      - {ghl: city}\n", 7, "pairs.main.fields[1].emailoctopus", "is missing"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_path_and_line(tmp_path: Path, added: str, line: int, path: str, text: str) -> None:
    told = refusal(tmp_path, SMALL + added)

    assert told.startswith(f"sync.yaml, line {line}: {path}: ")
    assert len(told.splitlines()) == 1
    assert text in told


@pytest.mark.parametrize(
    ("configuration", "told"),
    [
        ("", "sync.yaml: pairs: is missing"),
        ("pairs:\n", "sync.yaml, line 1: pairs: is missing"),
        ("pairs: []\n", "sync.yaml, line 1: pairs: must not be empty"),
        ("- a\n", "sync.yaml, line 1: expected keys such as `pairs:` here"),
        ("pairs: [\n", "sync.yaml, line 2: this isn't valid YAML"),
        ("a: {b: ${C}}\n", "expected ',' or '}', but got '{' (put quotes around ${…} between braces)"),
        ("a: b: c\n", "sync.yaml, line 1: this isn't valid YAML"),
        (SMALL.replace("token: pit-abc", "tokn: pit-abc"), "pairs.main.ghl.tokn: there is no such key; did you mean"),
        (SMALL.replace(", token: pit-abc", ""), "sync.yaml, line 3: pairs.main.ghl.token: is missing"),
        (SMALL.replace("pit-abc", '""'), "sync.yaml, line 3: pairs.main.ghl.token: must not be empty"),
        (SMALL.replace("pit-abc", ""), "sync.yaml, line 3: pairs.main.ghl.token: is missing"),
        (SMALL.replace("pit-abc", "pit-…"), "sync.yaml, line 3: pairs.main.ghl.token: holds spaces or characters"),
        (SMALL.replace("eo_abc", '"eo_a\\n"'), "line 4: pairs.main.emailoctopus.api_key: holds spaces or characters"),
        (SMALL.replace("ve9EPM428h8vShlRW1KT", "../contacts"), "line 3: pairs.main.ghl.location_id: an id has letters"),
        (SMALL.replace("list_id: ", "list_id: https://x/"), "line 4: pairs.main.emailoctopus.list_id: an id has"),
        ("pairs: &a [*a]\n", "sync.yaml: its keys are nested too deeply, or an alias (*) stands inside itself"),
        ("a: 1\n---\nb: 2\n", "sync.yaml, line 2: a second document begins here; remove this `---`"),
        ("a: 1\n? [b, c]\n: 2\n", "sync.yaml, line 2: a key must be a plain text"),
        (
            SMALL.replace("token: pit-abc", "token: pit-abc, oauth: {client_id: a, client_secret: b}"),
            "line 3: pairs.main.ghl.oauth: there is a `token`, too: take one of the two out",
        ),
        (SMALL.replace("token: pit-abc", "oauth: {client_id: a}"), "pairs.main.ghl.oauth.client_secret: is missing"),
        (two_apps("other, client_secret: b"), "pairs.twin.ghl.oauth.client_id: another pair of this location uses"),
        (two_apps("a, client_secret: c"), "pairs.twin.ghl.oauth.client_secret: another pair names another secret"),
        (SMALL + SMALL.removeprefix("pairs:\n"), "sync.yaml, line 5: pairs.main.name: another pair has this name"),
        (
            SMALL + SMALL.removeprefix("pairs:\n").replace("main", "other"),
            "sync.yaml, line 7: pairs.other.emailoctopus: another pair keeps the same location and list in sync",
        ),
        (
            SMALL + LEADS + OTHER.replace("000001", "000002") + LEADS,
            "pairs.other.fields[0].direction: the list of pair main leads city of this location already (to_ghl)",
        ),
        (
            SMALL + LEADS + OTHER.replace("ve9EPM", "ve9EPN") + SHOWS,
            "pairs.other.activity.notes.latest: the field City is in the mapping of pair main, which has the same list",
        ),
        (
            "service: {}\n" + SMALL + "service: {}\n",
            "sync.yaml, line 6: `service` stands here twice, already in line 1",
        ),
    ],
)
def test_what_is_wrong_with_the_file_as_a_whole(tmp_path: Path, configuration: str, told: str) -> None:
    assert told in refusal(tmp_path, configuration)


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    told = refusal(tmp_path, SMALL + "servce: {}\nghl: {share: 2}\n")

    assert [line.split(": ")[1] for line in told.splitlines()] == ["ghl.share", "servce"]


def test_a_missing_file_says_where_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no configuration file .*absent\.yaml.*sync\.example\.yaml"):
        _load_path(tmp_path / "absent.yaml")


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "sync.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match="isn't UTF-8 text"):
        _load_path(tmp_path / "sync.yaml")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="can't be read: Is a directory"):
        _load_path(tmp_path)


def test_no_message_repeats_a_secret(tmp_path: Path) -> None:
    secrets = "secret_key: hunter2hunter2\ndatabase_url: mysql://user:hunter2@host/db\nalerts: {urls: hunter2}\n"
    assert "hunter2" not in refusal(tmp_path, SMALL.replace("eo_abc", "[hunter2]") + secrets)


def _load_path(path: Path) -> None:
    load(path, Variables({}))

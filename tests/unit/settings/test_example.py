"""The example configuration is right, whole, and shows the defaults."""

import re
from pathlib import Path

from sync_daemon.settings.document import parse
from sync_daemon.settings.installation import Settings
from sync_daemon.settings.keys import known_keys
from sync_daemon.settings.load import load
from sync_daemon.settings.variables import Variables

EXAMPLE = Path(__file__).parents[3] / "config" / "sync.example.yaml"
VARIABLES = {
    "GHL_LOCATION_ID": "ve9EPM428h8vShlRW1KT",
    "GHL_TOKEN": "pit-abc",
    "EMAILOCTOPUS_LIST_ID": "00000000-0000-0000-0000-000000000001",
    "EMAILOCTOPUS_API_KEY": "eo_abc",
}
NOT_SHOWN = {"pairs.0.ghl.oauth", "pairs.0.activity", "pairs.0.rules", "service.http.users"}
"""`oauth` stands in for `token`; activity, rules and users have no defaults to show and are shown as examples."""

WRITTEN_OUT = {"pairs": 0, "fields": 2, "rules": 0, "then": 0}
"""The lists of mappings, and which of their items shows every key."""


def test_it_loads_with_the_defaults_it_claims(tmp_path: Path) -> None:
    shown = load(EXAMPLE, Variables(VARIABLES))
    (tmp_path / "bare.yaml").write_text(
        "pairs:\n"
        "  - name: main\n"
        "    ghl: {location_id: ve9EPM428h8vShlRW1KT, token: pit-abc}\n"
        "    emailoctopus: {list_id: 00000000-0000-0000-0000-000000000001, api_key: eo_abc}\n"
        "    fields:\n"
        "      - {ghl: firstName, emailoctopus: FirstName}\n"
        "      - {ghl: lastName, emailoctopus: LastName}\n"
        "      - {ghl: phone, emailoctopus: Phone, direction: to_emailoctopus}\n"
    )
    assert shown.model_dump() == load(tmp_path / "bare.yaml", Variables({})).model_dump()


def test_it_shows_every_key() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    keys = set(re.findall(r"([a-z_]+):", text))
    assert sorted(path for path in every_key() if path.split(".")[-1] not in keys and ".oauth" not in path) == []


def test_it_writes_down_every_key_with_a_default() -> None:
    places = {".".join(map(str, path)) for path in parse(EXAMPLE.read_text(encoding="utf-8"), "example").places}
    assert sorted(path for path in every_key() - places if not hidden(path)) == []


def test_its_examples_of_activity_and_rules_load(tmp_path: Path) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    for name in ("activity", "rules"):
        text = re.sub(rf"^    {name}: .*$", "", text, flags=re.MULTILINE)
        block = re.search(rf"^    #   {name}:\n(?:    #  .*\n)+", text, flags=re.MULTILINE)
        assert block is not None
        text += re.sub(r"^    #   ", "    ", block[0], flags=re.MULTILINE)
    (tmp_path / "sync.yaml").write_text(text, encoding="utf-8")

    pair = load(tmp_path / "sync.yaml", Variables(VARIABLES)).pairs[0]

    assert pair.activity.appointments is not None
    assert len(pair.rules[0].then) == 6


def every_key(path: tuple[str | int, ...] = ()) -> set[str]:
    """The dotted path of every key, as an item of the list where the example writes it out."""
    found: set[str] = set()
    for key in known_keys(Settings, path):
        below = (*path, key)
        found.add(".".join(map(str, below)))
        found |= every_key((*below, WRITTEN_OUT[key]) if key in WRITTEN_OUT else below)
    return found


def hidden(path: str) -> bool:
    """Whether a key stands below one that is shown as an example only."""
    return any(path == shown or path.startswith(f"{shown}.") for shown in NOT_SHOWN)

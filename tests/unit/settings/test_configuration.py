"""Pairs from three places: what has changed since the last look, what it costs to see that, and what is refused."""

import os
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest

from sync_daemon.model.errors import ConfigurationError
from sync_daemon.settings import configuration
from sync_daemon.settings.configuration import NO_CHANGES, Changes, Configuration
from sync_daemon.settings.document import Document
from sync_daemon.settings.reading import Main, Unit, pairs_of
from sync_daemon.settings.variables import Variables
from tests.unit.settings.configurations import SMALL

FOLDER = "pairs_folder: pairs.d\n"
TEMPLATE = "templates:\n  small: {guard: {max_create_count: 5}}\n"


def pair(name: str, more: str = "") -> str:
    """The text of one pair."""
    return (
        f"name: {name}\nghl: {{location_id: l-{name}, token: pit-1}}\n"
        f"emailoctopus: {{list_id: m-{name}, api_key: eo_1}}\n{more}"
    )


class Rows:
    """The pairs in a database."""

    def __init__(self) -> None:
        self.texts: dict[str, tuple[int, str]] = {}
        self.number = 0
        self.asked: list[int] = []

    def put(self, name: str, text: str) -> None:
        self.number += 1
        self.texts[name] = (self.number, text)

    def remove(self, name: str) -> None:
        self.number += 1
        del self.texts[name]

    def revision(self) -> int:
        return self.number

    def changed_since(self, revision: int) -> Mapping[str, str]:
        self.asked.append(revision)
        return {name: text for name, (number, text) in self.texts.items() if number > revision}

    def names(self) -> Collection[str]:
        return sorted(self.texts)


class House:
    """A configuration in a folder, with a folder of pairs and a database beside it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path, self.folder, self.rows = folder / "sync.yaml", folder / "pairs.d", Rows()
        self.folder.mkdir()
        self.main(FOLDER + TEMPLATE + SMALL)
        self.parsed: list[str] = []

        def noted(document: Document, main: Main, variables: Variables | None = None) -> Unit:
            self.parsed.append(document.name)
            return pairs_of(document, main, variables)

        monkeypatch.setattr(configuration, "pairs_of", noted)
        self.times = 0

    def main(self, text: str) -> None:
        self._put(self.path, text)

    def file(self, name: str, text: str) -> None:
        self._put(self.folder / name, text)

    def _put(self, path: Path, text: str) -> None:
        path.write_text(text, encoding="utf-8")
        self.times = getattr(self, "times", 0) + 1
        os.utime(path, (self.times, self.times))

    def open(self) -> Configuration:
        opened = Configuration(self.path, Variables({}), lambda _: self.rows)
        self.parsed.clear()
        return opened

    def refused(self, configuration: Configuration) -> str:
        with pytest.raises(ConfigurationError) as caught:
            configuration.look()
        return str(caught.value).replace(f"{self.path.parent}/", "")


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    return House(tmp_path, monkeypatch)


def names(changes: Changes) -> tuple[list[str], list[str], list[str]]:
    return [p.name for p in changes.added], [p.name for p in changes.changed], list(changes.removed)


def test_pairs_come_from_all_three_in_order(house: House) -> None:
    house.file("b.yaml", pair("berlin"))
    house.file("a.yml", "pairs:\n  - " + pair("aachen").replace("\n", "\n    ").rstrip() + "\n")
    house.file(".draft.yaml", "nothing: here\n")
    house.file("notes.txt", "nothing here")
    house.rows.put("zug", pair("zug", "template: small\n"))

    pairs = house.open().settings.pairs

    assert [one.name for one in pairs] == ["main", "aachen", "berlin", "zug"]
    assert [one.place(("name",)).replace(f"{house.path.parent}/", "") for one in pairs] == [
        "sync.yaml, line 5", "pairs.d/a.yml, line 2", "pairs.d/b.yaml, line 1", "pair zug in the database, line 1",
    ]  # fmt: skip
    assert pairs[3].guard.max_create_count == 5


def test_only_what_changed_is_read_again(house: House) -> None:
    house.file("a.yaml", pair("aachen"))
    house.file("b.yaml", pair("berlin"))
    house.rows.put("zug", pair("zug"))
    configuration = house.open()
    assert configuration.look() is NO_CHANGES

    house.file("b.yaml", pair("berlin", "create_in_ghl: false\n"))
    house.file("c.yaml", pair("celle"))
    house.rows.put("ulm", pair("ulm"))
    assert names(configuration.look()) == (["celle", "ulm"], ["berlin"], [])
    assert [Path(name).name for name in house.parsed] == ["b.yaml", "c.yaml", "pair ulm in the database"]
    assert house.rows.asked == [0, 1]

    (house.folder / "a.yaml").unlink()
    house.rows.remove("zug")
    house.parsed.clear()
    assert names(configuration.look()) == ([], [], ["aachen", "zug"])
    assert house.parsed == []
    assert [one.name for one in configuration.settings.pairs] == ["main", "berlin", "celle", "ulm"]


def test_a_line_more_changes_no_pair(house: House) -> None:
    house.file("a.yaml", pair("aachen"))
    configuration = house.open()
    house.file("a.yaml", "# said twice\n" + pair("aachen"))
    assert names(configuration.look()) == ([], [], [])
    assert configuration.settings.pairs[1].place(("name",)).endswith("a.yaml, line 2")


def test_a_template_changes_who_uses_it(house: House) -> None:
    house.rows.put("zug", pair("zug", "template: small\n"))
    house.rows.put("ulm", pair("ulm"))
    configuration = house.open()
    house.main(FOLDER + TEMPLATE.replace("5", "6") + SMALL + "service: {poll_every: 5m}\n")

    changes = configuration.look()

    assert names(changes) == ([], ["zug"], [])
    assert changes.outside == ("service",)


def test_a_broken_edit_keeps_what_was_and_is_told_once(house: House) -> None:
    house.file("a.yaml", pair("aachen"))
    configuration = house.open()
    before = configuration.settings
    house.file("a.yaml", pair("aachen", "create_in_gohighlevel: true\n"))
    house.rows.put("zug", pair("zug"))

    assert house.refused(configuration).startswith("pairs.d/a.yaml, line 4: pairs.aachen.create_in_gohighlevel: there")
    assert configuration.look() is NO_CHANGES
    assert configuration.settings is before

    house.file("a.yaml", pair("aachen", "create_in_ghl: false\n"))
    assert names(configuration.look()) == (["zug"], ["aachen"], [])


def test_a_mistake_taken_back_is_no_change(house: House) -> None:
    house.file("a.yaml", pair("aachen"))
    configuration = house.open()
    house.file("b.yaml", "pairs: [")
    assert "b.yaml, line" in house.refused(configuration)
    (house.folder / "b.yaml").unlink()
    assert configuration.look() is NO_CHANGES


def test_a_file_is_read_when_it_stayed_the_same_for_two_looks(house: House) -> None:
    configuration = house.open()
    house.file("a.yaml", pair("aachen"))
    assert configuration.look(at_once=False) is NO_CHANGES
    house.file("a.yaml", pair("aachen", "create_in_ghl: false\n"))
    assert configuration.look(at_once=False) is NO_CHANGES
    assert names(configuration.look(at_once=False)) == (["aachen"], [], [])


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.yaml", pair("main"), "a.yaml, line 1: pairs.main.name: another pair has this name: sync.yaml, line 5."),
        ("a.yaml", pair("x", "defaults: {}\n"), "pairs.d/a.yaml, line 4: pairs.x.defaults: there is no such key"),
        ("a.yaml", "pairs: []\nghl: {}\n", "a.yaml, line 2: ghl: here it isn't known: a file of pairs has"),
        ("a.yaml", "pairs: {}\n", "pairs.d/a.yaml, line 1: pairs: expected a list."),
        ("a.yaml", "- a\n", "pairs.d/a.yaml, line 1: expected keys"),
        ("a.yaml", pair("x").replace("pit-1", '"${NONE}"'), "a.yaml, line 2: pairs.x.ghl.token: the variable NONE"),
        ("a.yaml", pair("x").replace("name: x\n", ""), "pairs.d/a.yaml, line 1: pairs.0.name: is missing."),
    ],
)  # fmt: skip
def test_what_is_wrong_beside_the_file(house: House, name: str, text: str, told: str) -> None:
    configuration = house.open()
    house.file(name, text)
    assert told in house.refused(configuration)


def test_a_name_in_the_database_and_a_file_is_told_with_both_places(house: House) -> None:
    house.file("a.yaml", pair("zug"))
    house.rows.put("zug", pair("zug"))
    with pytest.raises(ConfigurationError) as caught:
        house.open()
    assert "pair zug in the database, line 1: pairs.zug.name: another pair has this name: " in str(caught.value)
    assert "a.yaml, line 1" in str(caught.value)


def test_a_folder_that_isnt_there_is_told(house: House) -> None:
    house.main(FOLDER.replace("pairs.d", "away") + SMALL)
    with pytest.raises(ConfigurationError, match=r"The folder .*away of pairs can't be read: No such file"):
        house.open()


def test_a_variable_set_in_env_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "sync.yaml"
    path.write_text(SMALL.replace("pit-abc", '"${SAID}"'), encoding="utf-8")
    (tmp_path / ".env").write_text("SAID=pit-1\n", encoding="utf-8")
    configuration = Configuration(path, Variables.of_process(tmp_path))
    (tmp_path / ".env").write_text("SAID=pit-22\n", encoding="utf-8")
    assert names(configuration.look()) == ([], ["main"], [])
    token = configuration.settings.pairs[0].ghl.token
    assert token is not None
    assert token.get_secret_value() == "pit-22"

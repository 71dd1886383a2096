"""`pairs`: listed from three places; added, edited, removed, imported in the database; and what wrong input is told."""

import io
import sys
from pathlib import Path

import pytest

from sync_daemon.store.engine import open_engine, reading
from sync_daemon.store.tables import configured_pairs
from tests.e2e.terminal import Terminal
from tests.e2e.trial import Answer, Trial

pytestmark = pytest.mark.usefixtures("with_tables")

SHARED = """\
pairs_folder: pairs.d
defaults:
  emailoctopus: {{api_key: {key}}}
templates:
  agency:
    fields: [{{ghl: firstName, emailoctopus: FirstName}}]
"""
Place = tuple[str, str, str]


@pytest.fixture(autouse=True)
def _shared(trial: Trial) -> None:
    (trial.folder / "pairs.d").mkdir()
    trial.config += SHARED.format(key=trial.sandbox.emailoctopus_key)


def tenant(trial: Trial) -> Place:
    """One more location and list: the ids, and the location's token."""
    location = trial.ghl.add_location()
    made = trial.emailoctopus.create_list("Another one")
    return str(location.id), trial.ghl.private_token(location_id=location.id), str(made.id)


def given(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def added(trial: Trial, monkeypatch: pytest.MonkeyPatch, name: str = "berlin", *more: str) -> Place:
    """A pair of the template in the database."""
    location, token, list_id = place = tenant(trial)
    given(monkeypatch, f"{token}\n")
    options = ("--template", "agency", "--location", location, "--list", list_id, "--ghl-token", "-", "--yes")
    answer = trial.run("pairs", "add", name, *options, *more)
    assert answer.status == 0, answer.err
    return place


def listed(trial: Trial) -> dict[str, str]:
    return {row["pair"]: row["in"] for row in trial.run("pairs", "list", "--json").json["pairs"]}


def refused(answer: Answer) -> str:
    assert (answer.status, answer.out) == (2, "")
    return answer.err


def test_a_pair_is_added_works_is_edited_and_removed(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    location, token, list_id = added(trial, monkeypatch)
    trial.ghl.create(location_id=location, email="ada@example.com", firstName="Ada")
    assert listed(trial) == {"sandbox": "file", "berlin": "database"}
    assert trial.run("reconcile", "--pair", "berlin").status == 0
    assert [one.fields["FirstName"] for one in trial.emailoctopus.lists[list_id].contacts] == ["Ada"]

    answer = trial.run("pairs", "edit", "berlin", "--set", "deletes.in_ghl=ignore", "--set", "template=", "--yes")
    assert (answer.status, answer.out) == (
        0,
        "The pair berlin is changed. A service that runs takes it up within seconds.\n",
    )
    assert trial.run("pairs", "list", "--json").json["pairs"][1]["template"] is None
    assert trial.run("pairs", "edit", "berlin", "--set", "deletes.in_ghl=ignore").out == "Nothing was changed.\n"

    engine = open_engine(f"sqlite:///{trial.folder / 'sync.db'}")
    with reading(engine) as connection:
        (row,) = connection.execute(configured_pairs.select()).all()
    engine.dispose()
    assert (row.name, row.revision) == ("berlin", 2)
    assert token.encode() not in row.settings

    answer = trial.run("pairs", "remove", "berlin")
    assert answer.status == 2
    assert "1 link, who revoked, what was deleted) stays in the database" in answer.out
    assert answer.out.endswith("Nothing was done: say it with --yes.\n")
    assert trial.run("pairs", "remove", "berlin", "--yes", "--json").json == {
        "pair": "berlin",
        "links": 1,
        "done": True,
    }
    assert listed(trial) == {"sandbox": "file"}


def test_what_it_would_do_is_shown_before_it_is_saved(trial: Trial) -> None:
    location, token, list_id = tenant(trial)
    trial.ghl.create(location_id=location, email="ada@example.com", firstName="Ada")
    (trial.folder / "berlin.yaml").write_text(
        f"# by hand\ntemplate: agency\nghl: {{location_id: {location}, token: {token}}}\n"
        f"emailoctopus: {{list_id: {list_id}}}\n"
    )
    answer = trial.run("pairs", "add", "berlin", "--file", "berlin.yaml")
    assert answer.status == 2
    assert "berlin: what would be written" in answer.out
    assert answer.out.endswith("Nothing was saved: say it with --yes.\n")
    told = trial.run("pairs", "add", "berlin", "--file", "berlin.yaml", "--json").json
    assert (told["done"], [one["action"] for one in told["plan"]["pairs"][0]["operations"]]) == (False, ["create"])
    assert listed(trial) == {"sandbox": "file"}
    assert trial.run("pairs", "add", "berlin", "--file", "berlin.yaml", "--yes", "--json").json["done"]
    assert listed(trial) == {"sandbox": "file", "berlin": "database"}


WRONG: list[tuple[tuple[str, ...], str, str]] = [
    (("add", "b"), "", "pair b as given, line 1: pairs.b.ghl: is missing."),
    (("add", "b", "--location", "l", "--list", "m"), "", ".token: is missing.\nA credential is given with"),
    (("add", "b", "--location", "l", "--list", "m", "--ghl-token", "pit-1"), "", "--ghl-token takes no credential"),
    (("add", "b", "--location", "l", "--list", "m", "--ghl-token", "-"), "", "--ghl-token -: nothing came on"),
    (("add", "b", "--location", "a/b", "--list", "m", "--ghl-token", "-"), "pit-1", "b.ghl.location_id: an id"),
    (("add", "b", "--location", "l", "--list", "m", "--ghl-token", "${NONE}"), "", "the variable NONE is unset"),
    (("add", "sandbox", "--location", "l", "--list", "m", "--ghl-token", "-"), "pit-1",
     "pairs.sandbox.name: another pair has this name: "),
    (("add", "b", "--file", "none.yaml"), "", "none.yaml can't be read: No such file or directory."),
    (("add", "b", "--file", "-", "--list", "m"), "", "--file has all of the pair's settings"),
    (("add", "b", "--file", "-"), "pairs: []", "standard input: expected the keys of one pair, without `pairs:`"),
    (("add", "b", "--file", "-"), "name: c", "standard input: the pair's name is b, and here it is c."),
    (("add", "b", "--file", "-"), "ghl: [", "standard input, line 1: this isn't valid YAML"),
    (("add", "berlin", "--file", "-"), "", "There is a pair berlin in the database already: `sync"),
    (("edit", "sandbox", "--set", "tags.sync=false"), "", "The pair sandbox isn't in the database, it stands in "),
    (("edit", "berln", "--set", "tags.sync=false"), "", "There is no pair berln; it has sandbox, berlin."),
    (("edit", "berlin"), "", "Nobody is at a terminal to use an editor"),
    (("edit", "berlin", "--set", "tags.sync"), "", "--set tags.sync: write it as KEY=VALUE"),
    (("edit", "berlin", "--set", "tags.sync=maybe"), "", "pair berlin in the database, line "),
    (("edit", "berlin", "--set", "ghl.token=pit-9"), "", "--set ghl.token= takes no credential itself"),
    (("edit", "berlin", "--set", "name=munich"), "", "the pair's name is berlin, and here it is munich."),
    (("edit", "berlin", "--set", "template.x=1"), "", "template.x: template has no keys below it"),
    (("edit", "berlin", "--file", "-", "--set", "a=b"), "", "leave --set away"),
    (("remove", "sandbox"), "", "The pair sandbox isn't in the database, it stands in "),
    (("remove", "x"), "", "There is no pair x; it has sandbox, berlin."),
    (("import", "none.csv"), "", "none.csv can't be read: No such file or directory."),
]  # fmt: skip
"""Arguments, what stands on standard input, and what is told."""


def test_wrong_input(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    added(trial, monkeypatch)
    for arguments, typed, told in WRONG:
        given(monkeypatch, typed)
        said = refused(trial.run("pairs", *arguments))
        assert told in said, arguments
        assert "Traceback" not in said
        assert "pit-" not in said
    assert listed(trial) == {"sandbox": "file", "berlin": "database"}


def test_a_table_is_imported_all_or_none(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    places = [tenant(trial) for _ in range(3)]
    rows = [
        f"b{number};{location};{token};{list_id};agency" for number, (location, token, list_id) in enumerate(places)
    ]
    table = trial.folder / "locations.csv"
    table.write_text("\ufeff" + "\n".join(["name;location_id;token;list_id;template", *rows, ";;;;"]), encoding="utf-8")
    answer = trial.run("pairs", "import", "locations.csv")
    assert (answer.status, answer.out.splitlines()[-2:]) == (
        2, ["3 to be added, 0 to be changed, 0 as they are.", "Nothing was saved: say it with --yes."],
    )  # fmt: skip
    assert trial.run("pairs", "import", "locations.csv", "--yes").status == 0
    assert list(listed(trial)) == ["sandbox", "b0", "b1", "b2"]

    table.write_text("\n".join(["name;location_id;token;list_id;template", rows[0], rows[1] + "x", "n;l n;;;agency"]))
    said = refused(trial.run("pairs", "import", "locations.csv", "--yes")).splitlines()
    assert [line.split(": ")[:2] for line in said] == [
        ["locations.csv, line 3", "pairs.b1.template"],
        ["locations.csv, line 4", "pairs.n.ghl.location_id"],
        ["locations.csv, line 4", "pairs.n.emailoctopus.list_id"],
    ]
    table.write_text("\n".join(["name;location_id;token;list_id", rows[0].removesuffix(";agency"), rows[1]]))
    assert "locations.csv, line 3: it has more cells than the first line." in refused(
        trial.run("pairs", "import", str(table))
    )
    table.write_text("\n".join(["name;location_id;token;list_id", rows[0].removesuffix(";agency")]))
    assert trial.run("pairs", "import", str(table), "--yes", "--json").json == {
        "added": [], "changed": ["b0"], "unchanged": 0, "done": True,
    }  # fmt: skip


def test_what_is_wrong_with_a_table(trial: Trial) -> None:
    for text, told in (
        ("nam,location_id\n", "line 1: there is no column `nam`; did you mean `name`."),
        ("location_id,token\n", "line 1: expected the names of columns: name, template, location_id, token, list_id, "),
        ("name,token\na,pit-1\na,pit-2\n", "line 3: the pair a is there already, in "),
        ("name,token\n,pit-1\n", "line 2: name is empty."),
        ("name,token\na\n", "line 2: it has fewer cells than the first line."),
        ("name,token\n", "holds no pair."),
    ):
        (trial.folder / "t.csv").write_text(text, encoding="utf-8")
        assert told in refused(trial.run("pairs", "import", "t.csv", "--yes"))


def test_yaml_is_imported_with_its_comments_from_a_folder(trial: Trial) -> None:
    places = [tenant(trial) for _ in range(3)]
    texts = [
        f"name: b{number}  # number {number}\ntemplate: agency\nghl: {{location_id: {location}, token: {token}}}\n"
        f"emailoctopus: {{list_id: {list_id}}}\n"
        for number, (location, token, list_id) in enumerate(places)
    ]
    folder = trial.folder / "many"
    folder.mkdir()
    (folder / "one.yaml").write_text(texts[0])
    items = "".join("  - " + text.replace("\n", "\n    ").rstrip() + "\n" for text in texts[1:])
    (folder / "two.yaml").write_text(f"pairs:\n{items}")
    (folder / "three.yaml").write_text("pairs:\n  - {ghl: {}}\n")
    assert "three.yaml, line 2: expected a pair with a `name`." in refused(
        trial.run("pairs", "import", "many", "--yes")
    )
    (folder / "three.yaml").write_text(f"pairs:\n{items.replace('b1', 'b7').replace('agency', 'agncy')}")
    said = refused(trial.run("pairs", "import", "many", "--yes"))
    assert "two.yaml" in said
    assert "is there already" in said
    (folder / "three.yaml").unlink()
    assert trial.run("pairs", "import", "many", "--yes").status == 0
    assert list(listed(trial)) == ["sandbox", "b0", "b1", "b2"]
    (folder / "two.yaml").write_text((folder / "two.yaml").read_text().replace("template: agency", "template: none", 1))
    assert f"{Path('many') / 'two.yaml'}, line 3: pairs.b1.template: there is no template none" in refused(
        trial.run("pairs", "import", "many", "--yes")
    )


def test_a_template_that_is_gone_can_be_mended(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    added(trial, monkeypatch)
    trial.config = trial.config.replace("agency:", "bureau:")
    assert "pair berlin in the database, line 2: pairs.berlin.template: there is no template agency" in refused(
        trial.run("pairs", "list")
    )
    assert trial.run("pairs", "edit", "berlin", "--set", "template=bureau", "--yes").status == 0
    assert listed(trial) == {"sandbox": "file", "berlin": "database"}


def test_without_any_pair_the_first_one_can_be_added(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    trial.config = trial.config.split("pairs:\n")[0] + SHARED.format(key=trial.sandbox.emailoctopus_key)
    assert trial.run("pairs", "list").out.startswith("There are no pairs yet. ")
    assert "sync.yaml: pairs: is missing: name a pair there" in refused(trial.run("status"))
    added(trial, monkeypatch)
    assert trial.run("check", "--pair", "berlin").status == 0


def test_at_a_terminal_credentials_are_asked_for_and_an_editor_is_opened(trial: Trial) -> None:
    location, token, list_id = tenant(trial)
    config = ("--config", str(trial.write()))
    editor = trial.folder / "editor.sh"
    editor.write_text(
        'case $(cat "$1") in *tags*) sed -i "s/maybe/false/" "$1";; *) echo "tags: {sync: maybe}" >> "$1"; esac'
    )
    options = ("--location", location, "--list", list_id)
    with Terminal("pairs", "add", "berlin", *options, *config, folder=trial.folder, variables={}) as terminal:
        terminal.answer("GHL's token (a private integration of the location)", token)
        terminal.wait_for("berlin: nothing to write")
        terminal.answer("Type `save` to do it:", "save")
        terminal.wait_for("The pair berlin is added.")
        assert terminal.ended() == 0
    assert token not in terminal.shown
    variables = {"VISUAL": f"sh {editor}"}
    with Terminal("pairs", "edit", "berlin", "--yes", *config, folder=trial.folder, variables=variables) as terminal:
        terminal.wait_for("pairs.berlin.tags.sync: expected true or false")
        terminal.answer("Enter goes back to the editor", "")
        terminal.wait_for("The pair berlin is changed.")
        assert terminal.ended() == 0

"""`run` follows pairs as they come, change and go, in all three places; other pairs don't notice."""

import signal
from pathlib import Path

import pytest

from sync_daemon.cli import run as command_line
from tests.e2e.test_pairs import SHARED, tenant
from tests.e2e.test_service import Running, service, until
from tests.e2e.trial import Trial


def firsts(trial: Trial, list_id: str) -> list[object]:
    return [one.fields.get("FirstName") for one in trial.emailoctopus.lists[list_id].contacts]


def text(name: str, place: tuple[str, str, str], more: str = "") -> str:
    location, token, list_id = place
    return (
        f"name: {name}\ntemplate: agency\nghl: {{location_id: {location}, token: {token}}}\n"
        f"emailoctopus: {{list_id: {list_id}}}\n{more}"
    )


def look(here: Running) -> None:
    here.process.send_signal(signal.SIGHUP)


def put(path: Path, content: str) -> None:
    """A file that is there whole or not at all."""
    draft = path.with_suffix(".draft")
    draft.write_text(content, encoding="utf-8")
    draft.replace(path)


def follow(here: Running, event: str, pair: str, count: int = 1) -> None:
    """Ask the service to look, and wait for what it says."""
    look(here)
    until(lambda: sum(one.get("pair") == pair for one in here.events(event)) >= count, f"{event} {pair}")


def cycles(here: Running, pair: str) -> int:
    return sum(one["pair"] == pair for one in here.events("cycle_ended"))


@pytest.mark.usefixtures("with_tables")
def test_pairs_come_change_and_go_in_the_running_service(trial: Trial) -> None:
    folder = trial.folder / "pairs.d"
    folder.mkdir()
    trial.config += SHARED.format(key=trial.sandbox.emailoctopus_key)
    place, other, moved = tenant(trial), tenant(trial), tenant(trial)
    trial.ghl.create(location_id=other[0], email="bob@example.com", firstName="Bob")
    with service(trial) as here:
        quiet = cycles(here, "sandbox")

        # a file comes, without anybody asking for a look
        put(folder / "berlin.yaml", text("berlin", place, "create_in_emailoctopus: false\n"))
        until(lambda: cycles(here, "berlin"), "the added pair is worked on")
        assert [one["pair"] for one in here.events("pair_added")] == ["berlin"]
        assert firsts(trial, place[2]) == []

        # it is changed: the next cycle works by it
        put(folder / "berlin.yaml", text("berlin", place))
        follow(here, "configuration_taken", "berlin")
        ada = trial.ghl.create(location_id=place[0], email="ada@example.com", firstName="Ada")
        until(lambda: firsts(trial, place[2]) == ["Ada"], "somebody new under the changed settings")

        # a broken edit is told once, with file and line; what was goes on
        put(folder / "berlin.yaml", text("berlin", place, "tags: {sink: true}\n"))
        look(here)
        until(lambda: here.events("configuration_refused"), "the mistake is told")
        assert (
            "berlin.yaml, line 5: pairs.berlin.tags.sink: there is no such key"
            in here.events("configuration_refused")[0]["why"]
        )
        trial.ghl.edit(ada.id, firstName="Augusta")
        until(lambda: firsts(trial, place[2]) == ["Augusta"], "the last good settings")

        # from the database meanwhile: not before the mistake is mended
        table = trial.folder / "one.csv"
        table.write_text(f"name,location_id,token,list_id,template\nbonn,{','.join(other)},agency\n")
        config = ("--config", str(trial.path))
        mended = text("berlin", place, "tags: {exclude: [internal]}\n")
        put(folder / "berlin.yaml", mended)
        assert command_line(["pairs", "import", str(table), "--yes", *config]) == 0
        follow(here, "pair_added", "bonn")
        until(lambda: firsts(trial, other[2]) == ["Bob"], "the pair of the database")
        assert len(here.events("configuration_refused")) == 1

        # another list: refused as long as links hold it to the old one, the others go on
        put(folder / "berlin.yaml", text("berlin", (place[0], place[1], moved[2])))
        follow(here, "pair_refused", "berlin")
        assert firsts(trial, moved[2]) == []
        put(folder / "berlin.yaml", mended)
        follow(here, "pair_added", "berlin", count=2)

        # it goes: nothing of it is written any more
        (folder / "berlin.yaml").unlink()
        assert command_line(["pairs", "remove", "bonn", "--yes", *config]) == 0
        follow(here, "pair_removed", "bonn")
        until(lambda: len(here.events("pair_removed")) >= 2, "berlin is gone")
        trial.ghl.edit(ada.id, firstName="Nobody")
        assert here.get("/readyz").status_code == 200
        assert "berlin" not in here.get("/readyz").text
        assert cycles(here, "sandbox") == quiet
        assert firsts(trial, place[2]) != ["Nobody"]
        assert here.stop().status == 0

"""Whatever happens to a few people, what `explain` foretells of each is what the next cycle does with him."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sync_daemon.model.report import Mode
from tests.explained import explained, foretold_lines, ids_of, logged
from tests.worlds import EMAILOCTOPUS, GHL, World, world

NAMES = ("ada", "bob", "eve")
DEEDS = (
    "create", "subscribe", "edit_ghl", "edit_emailoctopus", "blank_ghl", "blank_emailoctopus", "move_ghl",
    "move_emailoctopus", "unsubscribe", "block", "unblock", "opt_in", "tag_ghl", "tag_emailoctopus", "delete_ghl",
    "delete_emailoctopus", "refuse",
)  # fmt: skip
WORDS = ("Word", "Other", "Third")
ACT = st.tuples(st.sampled_from(DEEDS), st.sampled_from(NAMES), st.sampled_from(WORDS))
BEFORE = st.lists(ACT, max_size=6)
AFTER = st.lists(ACT, min_size=1, max_size=5)
MODES = st.sampled_from([Mode.INCREMENTAL, Mode.FULL])


def address(name: str) -> str:
    return f"{name}@example.com"


class Outside:
    """What people do, where it is possible."""

    def __init__(self, here: World) -> None:
        self.here = here

    def ids(self, system: Any, name: str) -> list[str]:
        rows = self.here.people() if system is GHL else self.here.subscribers()
        key = "email" if system is GHL else "email_address"
        return [one for one, row in rows.items() if (row.get(key) or "").lower() == address(name)]

    def addresses(self) -> set[str]:
        """Everybody's but the neighbours'."""
        rows = (*self.here.people().values(), *self.here.subscribers().values())
        found = {str(row.get("email") or row.get("email_address") or "") for row in rows}
        return {one for one in found if one and not one.startswith("neighbour")}

    def act(self, deed: str, name: str, word: str) -> None:
        self.here.clock.advance(1)
        ghl, emailoctopus = self.ids(GHL, name), self.ids(EMAILOCTOPUS, name)
        if deed == "create":
            self.here.person(address(name), word)
        elif deed == "refuse":
            self.here.fault(GHL, kind="error", method="PUT", status=422)
        elif deed == "subscribe" and not emailoctopus:
            self.here.subscriber(address(name), word)
        if ghl:
            self.in_ghl(deed, ghl[0], name, word)
        if emailoctopus:
            self.in_emailoctopus(deed, emailoctopus[0], name, word)

    def in_ghl(self, deed: str, contact_id: str, name: str, word: str) -> None:
        other = NAMES[(NAMES.index(name) + 1) % len(NAMES)]
        match deed:
            case "edit_ghl" | "blank_ghl":
                self.here.edit_person(contact_id, firstName=word if deed == "edit_ghl" else "")
            case "move_ghl":
                self.here.edit_person(contact_id, email=address(other if word == "Other" else name + word.lower()))
            case "block" | "unblock":
                status = "active" if deed == "block" else "inactive"
                self.here.edit_person(contact_id, dndSettings={"Email": {"status": status}})
            case "tag_ghl":
                self.here.edit_person(contact_id, tags=[word.lower()])
            case "delete_ghl":
                self.here.ghl.delete(contact_id)

    def in_emailoctopus(self, deed: str, contact_id: str, name: str, word: str) -> None:
        match deed:
            case "edit_emailoctopus" | "blank_emailoctopus":
                self.here.edit_subscriber(contact_id, FirstName=word if deed == "edit_emailoctopus" else "")
            case "move_emailoctopus" if not self.ids(EMAILOCTOPUS, name + word.lower()):
                self.here.emailoctopus.change_address(contact_id, address(name + word.lower()))
            case "unsubscribe" | "opt_in":
                self.here.emailoctopus.set_status(contact_id, "unsubscribed" if deed == "unsubscribe" else "subscribed")
            case "tag_emailoctopus":
                self.here.emailoctopus.add_tags(contact_id, [word.lower()])
            case "delete_emailoctopus":
                self.here.emailoctopus.delete(contact_id)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("foretold")


@given(before=BEFORE, after=AFTER, mode=MODES)
@settings(max_examples=10, phases=[Phase.reuse, Phase.generate])  # to make a broken one smaller takes five minutes
def test_what_is_foretold_comes_true(
    sqlite_template: Path, folder: Path, before: list[Any], after: list[Any], mode: Mode
) -> None:
    path = folder / "sync.db"
    for one in folder.glob("sync.db*"):
        one.unlink()
    shutil.copyfile(sqlite_template, path)
    with world(f"sqlite:///{path}") as here:
        outside = Outside(here)
        for number in range(8):  # so that no scan comes back short
            here.person(f"neighbour{number}@example.com", f"N{number}")
        outside.act("create", "ada", "Ada")
        outside.act("create", "bob", "Bob")
        here.reconcile()
        for act in before:
            outside.act(*act)
        here.later(minutes=15)
        here.reconcile()
        here.later(minutes=15)
        for act in after:
            outside.act(*act)
        here.sandbox.ghl.weather.faults.clear()
        here.later(minutes=12)  # GHL's index shows them by then

        foretold = [
            (ids_of(person), foretold_lines(forecast))
            for asked in sorted(outside.addresses())
            for person in explained(here, asked).persons
            for forecast in [
                person.full_scan if mode is Mode.FULL and person.full_scan is not None else person.next_cycle
            ]
            if forecast is not None
        ]
        report = here.reconcile(mode)

        for ids, lines in foretold:
            assert lines == logged(here, report.run_id, ids), ids

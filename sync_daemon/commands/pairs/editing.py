"""`sync-daemon pairs edit`: a pair of the database, in an editor, from a file or key by key."""

import os
import shlex
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from cyclopts import Parameter

from sync_daemon.commands.asking import Yes
from sync_daemon.commands.exits import DONE
from sync_daemon.commands.options import DEFAULT_CONFIG, Config, Json
from sync_daemon.commands.pairs.adding import File
from sync_daemon.commands.pairs.credentials import credential
from sync_daemon.commands.pairs.saving import Draft, checked, finish, given_text, refuse_elsewhere, stored_text
from sync_daemon.commands.pairs.texts import SECRETS, named, setting, with_settings
from sync_daemon.commands.printing import console, print_json
from sync_daemon.model.errors import ConfigurationError
from sync_daemon.settings.configuration import in_database
from sync_daemon.settings.reading import read_pairs

_NO_EDITOR = (
    "Nobody is at a terminal to use an editor: give the settings with --file, or single ones with --set key=value."
)

Set = Annotated[
    tuple[str, ...],
    Parameter(
        name="--set",
        negative="",
        help="KEY=VALUE, such as deletes.in_ghl=ignore: one key otherwise; without a value, left out. May be repeated.",
    ),
]


def edit(
    name: str,
    /,
    *,
    config: Config = DEFAULT_CONFIG,
    file: File = None,
    set_: Set = (),
    yes: Yes = False,
    json: Json = False,
) -> int:
    """Change a pair of the database: in your $EDITOR, by a file, or key by key; the service follows within seconds.

    Shows first what a full reconcile would do by it, and asks; `--yes` saves without either.
    """
    if file is not None and set_:
        raise ConfigurationError("--file has all of the pair's settings: leave --set away.")
    before = stored_text(config, name)
    if before is None:
        refuse_elsewhere(config, name, "edit it there; the service follows by itself")
    if file is None and not set_:
        draft = _by_hand(config, name, before)
    else:
        after = given_text(file) if file is not None else with_settings(before, in_database(name), map(_set, set_))
        draft = _draft(config, name, after, before)
    if draft.texts[name] == before:
        if json:
            print_json({"pair": name, "plan": None, "done": False})
        else:
            console().print("Nothing was changed.")
        return DONE
    return finish(draft, name, f"The pair {name} is changed.", yes=yes, json=json)


def _draft(config: Path, name: str, text: str, before: str) -> Draft:
    called = in_database(name)
    text = named(text, name, called)
    return checked(config, {name: text}, {name: before}, {name: read_pairs(text, called)})


def _set(given: str) -> tuple[tuple[str, ...], Any]:
    path, value = setting(given)
    return (path, credential(f"--set {'.'.join(path)}=", value)) if path in SECRETS and value else (path, value)


def _by_hand(config: Path, name: str, before: str) -> Draft:
    """The text as somebody leaves it in his editor, who may mend it where it isn't valid."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigurationError(_NO_EDITOR)
    text = before
    while True:
        text = _edited(name, text)
        try:
            return _draft(config, name, text, before)
        except ConfigurationError as error:
            sys.stderr.write(f"{error.shown}\nEnter goes back to the editor, Ctrl-C gives up: ")
            sys.stderr.flush()
            if not sys.stdin.readline():
                raise


def _edited(name: str, text: str) -> str:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with TemporaryDirectory(
        prefix="sync-daemon-"
    ) as folder:  # which nobody else may enter: credentials are in the text
        path = Path(folder) / "pair.yaml"
        path.write_text(text, encoding="utf-8")
        try:
            ended = subprocess.run([*shlex.split(editor), str(path)], check=False)  # noqa: S603 - the user's own editor
        except OSError as error:
            raise ConfigurationError(
                f"The editor {editor} can't be started: {error.strerror}. Name one in $EDITOR."
            ) from None
        if ended.returncode:
            raise ConfigurationError(f"The editor ended with {ended.returncode}: the pair {name} stays as it was.")
        return path.read_text(encoding="utf-8")

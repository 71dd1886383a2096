"""What a newcomer asks first: `--help` of everything has an example that is right, and shells can complete it all."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cyclopts import App

from sync_daemon.cli import application, run

COMMANDS = [name for name in application() if not name.startswith("-")]
_EXAMPLE = re.compile(r"^Example: (.+)$", re.MULTILINE)


def paths(app: App, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """A command and all below it."""
    yield above
    for name in app:
        if not name.startswith("-"):
            yield from paths(app[name], (*above, name))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_subcommand_has_an_example_that_can_be_called(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    app = application()
    for path in paths(app[command], (command,)):
        assert run([*path, "--help"]) == 0
        found = _EXAMPLE.search(capsys.readouterr().out)
        assert found is not None, path
        before_the_pipe = re.split(r"[|>]", found[1])[0]
        program, *words = shlex.split(before_the_pipe)
        assert (program, tuple(words[: len(path)])) == ("sync-daemon", path)
        app.parse_args(words, exit_on_error=False, print_error=False)


def test_help_of_the_whole_says_where_to_start(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    told = capsys.readouterr().out
    assert "Start with: sync-daemon demo" in told
    assert all(command in told for command in COMMANDS)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_knows_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert [command for command in COMMANDS if command not in script] == []
    assert "sync-daemon" in script


def test_bash_completes_commands_subcommands_options_and_files(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(["completion", "bash"]) == 0
    script = capsys.readouterr().out

    def completed(*words: str) -> set[str]:
        line = " ".join(shlex.quote(word) for word in ("sync-daemon", *words))
        ask = f'COMP_WORDS=({line}); COMP_CWORD={len(words)}; _sync_daemon; printf "%s\\n" "${{COMPREPLY[@]}}"'
        answer = subprocess.run(
            ["bash", "--norc", "-c", f"{script}\n{ask}"], capture_output=True, text=True, check=True, cwd=tmp_path
        )
        assert answer.stderr == ""
        return set(answer.stdout.split())

    assert completed("rec") == {"reconcile"}
    assert {"list", "approve", "discard"} <= completed("held", "")
    assert completed("reconcile", "--fu") == {"--full"}
    assert completed("completion", "") >= {"bash", "zsh", "fish"}


def test_a_shell_nobody_knows_is_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", "tcsh"]) == 2
    assert "bash" in capsys.readouterr().err

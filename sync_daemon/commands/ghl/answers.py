"""Where the answer to a call goes: to the terminal for reading, as JSON, or into a file."""

import sys
from pathlib import Path

import msgspec
from rich.json import JSON

from sync_daemon.commands.printing import console
from sync_daemon.model.errors import ConfigurationError
from sync_daemon.systems.ghl.catalogue.operation import Operation


def free(operation: Operation, out: Path | None, *, json: bool) -> None:
    """Make sure, before anything is sent, that the answer has a place to go. Raises `ConfigurationError`."""
    if operation.answer == "json":
        if out is not None:
            raise ConfigurationError(f"{operation.name} answers in JSON: write `--json > {out}` instead of --out.")
        return
    if json:
        raise ConfigurationError(f"{operation.name} answers with a file: write --out FILE instead of --json.")
    if out is None:
        if sys.stdout.isatty():
            raise ConfigurationError(f"{operation.name} answers with a file: name one by --out FILE.")
    elif out.exists() or not out.parent.is_dir():
        why = "exists already" if out.exists() else f"can't be made: there is no folder {out.parent}"
        raise ConfigurationError(f"{out} {why}. Name another file.")


def show(operation: Operation, answer: bytes, out: Path | None, *, json: bool) -> None:
    """Give an answer out."""
    if operation.answer == "file":
        _store(answer, out)
    elif not answer.strip():
        print("null" if json else "Done; GHL answered without a word.")
    elif json:
        print(msgspec.json.format(answer, indent=2).decode())
    else:
        console().print(JSON(answer.decode()))


def _store(answer: bytes, out: Path | None) -> None:
    if out is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(answer)
        return
    try:
        with out.open("xb") as file:
            file.write(answer)
    except OSError as error:
        raise ConfigurationError(f"{out} can't be written: {error.strerror}.") from None
    print(f"{len(answer):,} bytes are in {out}.")

"""`sync-daemon export-csv`: who would be created in EmailOctopus, as the CSV that its dashboard imports."""

import csv
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TextIO

from cyclopts import Parameter

from sync_daemon.commands.options import DEFAULT_CONFIG, Config, PairName, choose
from sync_daemon.commands.printing import plural
from sync_daemon.commands.progress import shown_progress
from sync_daemon.cycle.exporting import Export, open_export
from sync_daemon.cycle.pair import EMAILOCTOPUS, Pair
from sync_daemon.model.contact import Consent
from sync_daemon.model.errors import ConfigurationError
from sync_daemon.reconcile.mapping_check import NewField
from sync_daemon.systems.emailoctopus.imports import Columns
from sync_daemon.wiring.installation import open_installation

_OWNER_ALONE = 0o600


def export_csv(
    *,
    config: Config = DEFAULT_CONFIG,
    pair: PairName = None,
    out: Annotated[
        Path | None, Parameter(name="--out", help="A new file for its owner alone, instead of standard output.")
    ] = None,
) -> None:
    """Write who would be created in EmailOctopus as the CSV its dashboard imports: the fast way for a first load.

    Import it as subscribed, with existing contacts skipped; the next `reconcile --full` adopts them. Nobody is in it
    who was ever blocked or unsubscribed, or has to confirm.
    """
    chosen = choose(config, pair)
    if len(chosen.pairs) > 1:
        names = ", ".join(section.name for section in chosen.pairs)
        raise ConfigurationError(f"Each list is imported by itself: say which pair with --pair ({names}).")
    with (
        _target(out) as file,
        open_installation(chosen.settings) as installation,
        shown_progress() as progress,
        installation.foresee(chosen.pairs[0], progress) as (foreseen, new_fields),
    ):
        progress.begin(foreseen.name, lambda system, requests: foreseen.systems[system].seconds_for(requests))
        _refuse_confirmation(foreseen)
        _say(_about_missing(new_fields))
        export = open_export(foreseen)
        columns = _columns(export)
        _say(_about_impossible(columns))
        told = _write(export, columns, file)
    _say(_about(told, export))


def _refuse_confirmation(pair: Pair) -> None:
    """Raise `ConfigurationError` where reconcile would ask everybody new to confirm: an import asks nobody."""
    if pair.policy.new_status is Consent.PENDING:
        raise ConfigurationError(
            f"{pair.name}: whoever is new to the list is asked by mail to confirm, and an import asks nobody: so "
            "nobody can be exported. Let reconcile create them; or, if all of them have agreed to your mails already, "
            "set new_contact_status: subscribed."
        )


def _columns(export: Export) -> Columns:
    """A column for each field that travels to EmailOctopus, in the mapping's order."""
    rules = (mapped.rule for mapped in export.run.mapped_fields())
    names = [rule.emailoctopus for rule in rules if rule.direction.leader is not EMAILOCTOPUS]
    specs = (export.run.schemas[EMAILOCTOPUS].field(name) for name in names)
    return Columns.of(spec for spec in specs if spec is not None)


def _write(export: Export, columns: Columns, file: TextIO) -> Counter[str]:
    """Write line by line, as contacts are decided; how many contacts, and what of them didn't fit, are counted."""
    lines, told = csv.writer(file), Counter[str]()
    lines.writerow(columns.header)
    for creation in export.creations():
        line = columns.line(creation.address or "", creation.fields, creation.tags)
        if line is None:
            export.left_out["with an address that a spreadsheet would run as a formula"] += 1
            continue
        lines.writerow(line.cells)
        told.update(contacts=1, blank=len(line.blank), tags=len(line.tags))
    return told


@contextmanager
def _target(path: Path | None) -> Iterator[TextIO]:
    """Standard output, or a new file that is gone again when it can't be written whole."""
    if path is None:
        yield sys.stdout
        sys.stdout.flush()
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ALONE)
    except FileExistsError:
        raise ConfigurationError(f"{path} exists already. Name another file, or remove it first.") from None
    except OSError as error:
        raise ConfigurationError(f"{path} can't be written: {error.strerror}.") from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise ConfigurationError(f"{path} can't be written: {error.strerror}.") from None
        raise


def _about_missing(new_fields: Iterable[NewField]) -> Iterator[str]:
    missing = [f"{new.spec.name} ({new.spec.type})" for new in new_fields if new.system is EMAILOCTOPUS]
    if missing:
        yield (
            f"The list lacks {plural(len(missing), 'field')}: {', '.join(missing)}. Make them in its dashboard before "
            "you import, with these tags and types: else their columns have no place, and reconcile writes them."
        )


def _about_impossible(columns: Columns) -> Iterator[str]:
    if columns.impossible:
        names = ", ".join(spec.name for spec in columns.impossible)
        yield f"Left to reconcile, as a cell can't hold several choices: {names}."


def _about(told: Counter[str], export: Export) -> Iterator[str]:
    yield f"{plural(told['contacts'], 'contact')} exported, as they stand now."
    if export.left_out:
        reasons = ", ".join(f"{count:,} {why}" for why, count in export.left_out.items())
        yield f"Left to reconcile: {reasons}."
    if told["blank"]:
        yield f"{plural(told['blank'], 'value')} left to reconcile, as a spreadsheet would run it as a formula."
    if told["tags"]:
        yield f"{plural(told['tags'], 'tag')} left to reconcile: with a comma, or like a formula."
    if told["contacts"]:
        yield (
            "What was written holds personal data: keep it to yourself, and delete it after the import. Import it "
            "soon, as subscribed, existing contacts skipped. Then run `sync-daemon reconcile --full` before anything "
            "is mailed: who unsubscribes meanwhile is in it still."
        )


def _say(sentences: Iterable[str]) -> None:
    for sentence in sentences:
        sys.stderr.write(f"{sentence}\n")

"""The proposed mapping, as somebody sees it and takes it or leaves it."""

import re
from dataclasses import dataclass

from sync_daemon.commands.init.questions import Questions
from sync_daemon.commands.printing import console, plural, table
from sync_daemon.model.policy import Direction
from sync_daemon.reconcile.mapping_proposal import Proposal, ProposedRow

_ARROWS = {Direction.BOTH: "<->", Direction.TO_EMAILOCTOPUS: "->", Direction.TO_GHL: "<-"}
_NUMBERS = re.compile(r"\d+(?:[\s,]+\d+)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Mapping:
    """The rows that were taken, and those left out."""

    taken: tuple[ProposedRow, ...]
    left_out: tuple[ProposedRow, ...] = ()


def show(proposal: Proposal) -> None:
    """Print what is proposed, and what has no partner."""
    out = console()
    columns = ("#", "GHL", "type", "", "EmailOctopus", "type", "conversion")
    rows = [
        (
            number,
            row.rule.ghl,
            row.ghl.type,
            _ARROWS[row.rule.direction],
            row.rule.emailoctopus,
            row.emailoctopus.type,
            row.fidelity,
        )
        for number, row in enumerate(proposal.rows, 1)
    ]
    out.print(table(columns, rows, "The mapping that is proposed"))
    for number, row in enumerate(proposal.rows, 1):
        if row.remark:
            one_way = " goes to EmailOctopus alone" if row.rule.direction is Direction.TO_EMAILOCTOPUS else ""
            out.print(f"{number}, {row.rule.ghl}{one_way}: {row.remark}.")
    if proposal.possible:
        names = ", ".join(one.ghl.label or one.ghl.name for one in proposal.possible)
        out.print(f"Only GHL has {plural(len(proposal.possible), 'custom field')}, written down as comments: {names}.")
    if proposal.unmapped:
        out.print(f"Only EmailOctopus has: {', '.join(one.name for one in proposal.unmapped)}.")


def choose(proposal: Proposal, questions: Questions) -> Mapping:
    """All rows, or those that somebody doesn't leave out."""
    if not questions.anybody or not proposal.rows:
        return Mapping(proposal.rows)
    while True:
        answer = questions.text("Enter to take it, or the numbers of rows to leave out (1,2)", "--yes", empty=True)
        if not answer:
            return Mapping(proposal.rows)
        numbers = set(map(int, re.findall(r"\d+", answer))) if _NUMBERS.fullmatch(answer) else set()
        if numbers and numbers <= set(range(1, len(proposal.rows) + 1)):
            return Mapping(
                tuple(row for number, row in enumerate(proposal.rows, 1) if number not in numbers),
                tuple(row for number, row in enumerate(proposal.rows, 1) if number in numbers),
            )
        questions.tell(f"Numbers from 1 to {len(proposal.rows)}, such as 1,2.")

"""Do the tests of the pure rooms bite? Each small change to the code there must make one of them fail.

    python -m tests.mutants [FILE ...]      (make mutants FILES="reconcile/consent.py")

mutmut makes the changes and runs the tests (`[tool.mutmut]` in pyproject.toml says which); this prints what came of
it, file by file, and each survivor with its place and its difference. Exit status 1 when there is a survivor that no
comment explains, or an explanation where nothing survives. An explanation stands at the end of the changed line, or
on the lines above it, and says why no test can or should tell the difference:

    # survives: why

All of it takes an hour or two. A file whose verdicts are there, and since which neither the program nor a test has
changed, isn't run again: after a break the same command goes on with the next one.
"""

import ast
import hashlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from fnmatch import fnmatch
from pathlib import Path

import libcst
from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import read_functions_from_index
from mutmut.stats import status_by_exit_code
from mutmut.utils.file_utils import walk_mutatable_files
from mutmut.utils.format_utils import orig_function_and_class_names_from_key

ROOT = Path(__file__).parents[1]
MARK = "# survives: "
CAUGHT = ("killed", "timeout", "caught by type check", "segfault")
LIVES = "20"
"""How many lives of the pure rule machine may notice a change."""
CHILDREN = "2"
DONE = Path("mutants/done.json")
"""Of each file that was run to its end, what the program and the tests were then."""
STATS = Path("mutants/mutmut-stats.json")
"""Where mutmut keeps which tests run which function; it never notices that a test changed."""


@dataclass(frozen=True)
class Survivor:
    """A change that no test noticed: where, and what."""

    path: Path
    line: int
    status: str
    difference: str


def main(names: list[str]) -> int:
    """Run, print, and answer with the exit status."""
    os.chdir(ROOT)
    paths = [path for path in sorted(walk_mutatable_files()) if not names or any(fnmatch(path, f"*{n}") for n in names)]
    if not paths:
        print(f"none of the pure rooms' files ends in: {', '.join(names)}", file=sys.stderr)
        return 2
    try:
        for number, path in enumerate(paths, 1):  # one after another, so that a long run shows what it has found
            print(f"[{number}/{len(paths)}] {path}", end=": ", flush=True)
            if not run(path):
                return 2
            print(told(path), flush=True)
    except KeyboardInterrupt:
        print("stopped; the same command goes on with this file", file=sys.stderr)
        return 130
    return verdict(paths)


def run(path: Path) -> bool:
    """Let mutmut judge each mutant of a file, unless that is done; False, and why, when it can't."""
    done: dict[str, str] = json.loads(DONE.read_text()) if DONE.exists() else {}
    now = fingerprint()
    if done.get(str(path)) == now:
        return True
    if now not in done.values():  # whichever tests reach a function has to be asked anew
        STATS.unlink(missing_ok=True)
    ran = subprocess.run(
        [sys.executable, "-m", "mutmut", "run", "--max-children", CHILDREN, f"{module(path)}.*"],
        env={**os.environ, "SYNC_DAEMON_LIVES": LIVES},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if ran.returncode:
        print(last_lines(ran.stdout), file=sys.stderr)
        return False
    DONE.write_text(json.dumps({**done, str(path): now}, indent=1))
    return True


def fingerprint() -> str:
    """What a verdict rests on: the program, the tests, and how they are run."""
    files = [Path("pyproject.toml"), *sorted(Path("sync_daemon").rglob("*.py")), *sorted(Path("tests").rglob("*.py"))]
    return hashlib.sha256(b"\0".join(str(one).encode() + one.read_bytes() for one in files)).hexdigest()


def module(path: Path) -> str:
    """The dotted name of a file."""
    return ".".join(path.with_suffix("").parts)


def last_lines(output: str) -> str:
    """The end of what mutmut said, without the lines of its progress bar."""
    return "\n".join(re.split(r"[\r\n]+", output)[-30:])


def told(path: Path) -> str:
    """How one file fared."""
    count = Counter(statuses(path).values())
    return f"{sum(count[status] for status in CAUGHT)} of {count.total()} caught"


def statuses(path: Path) -> dict[str, str]:
    """What became of each mutant of a file."""
    data = SourceFileMutationData(path=path)
    data.load()
    return {name: status_by_exit_code[code] for name, code in data.exit_code_by_key.items()}


def verdict(paths: Sequence[Path]) -> int:
    """Print the survivors and what is wrong with their explanations; 0 when nothing is."""
    wrong = 0
    for path in paths:
        explained = explanations(path)
        survivors = list(survivors_of(path))
        for one in survivors:
            why = explained.get(one.line)
            wrong += why is None
            print(f"\n{one.path}:{one.line}: {one.status}; {why or 'UNEXPLAINED'}\n{one.difference}")
        for line in sorted(explained.keys() - {one.line for one in survivors}):
            wrong += 1
            print(f"\n{path}:{line}: the explanation is of no use: nothing survives here")
    count = Counter(status for path in paths for status in statuses(path).values())
    print(f"\n{count.total()} changes, {sum(count[status] for status in CAUGHT)} of them caught")
    print(f"{wrong} to be killed or explained" if wrong else "every survivor is explained")
    return 1 if wrong else 0


def explanations(path: Path) -> dict[int, str]:
    """Why what survives may, by line number."""
    lines = path.read_text(encoding="utf-8").splitlines()
    found: dict[int, str] = {}
    above = ""
    for number, line in enumerate(lines, 1):
        code, mark, why = line.partition(MARK)
        if not code.strip() and mark:
            above = why
        elif above and line.strip().startswith("#"):
            above += line.strip().removeprefix("#")
        elif mark or above:
            found[number] = why or above
            above = ""
    return found


def survivors_of(path: Path) -> Iterator[Survivor]:
    """The mutants of a file that no test noticed, in the order of their lines."""
    places = def_lines(path)
    found = [survivor(path, name, status, places) for name, status in statuses(path).items() if status not in CAUGHT]
    yield from sorted(found, key=lambda one: one.line)


def survivor(path: Path, name: str, status: str, places: dict[tuple[str | None, str], int]) -> Survivor:
    """One mutant's place in the file, and its difference."""
    functions = read_functions_from_index(name, path)
    assert functions is not None, f"mutmut's index of {path} is out of date: remove the folder `mutants`"
    before, after = (libcst.Module([function]).code.strip().splitlines() for function in functions)
    function, class_name = orig_function_and_class_names_from_key(name)
    first = next(i for i, (one, other) in enumerate(zip([*before, ""], [*after, ""], strict=False)) if one != other)
    start = next(i for i, line in enumerate(before) if line.lstrip().startswith("def "))
    line = places[class_name, function.rpartition(".")[-1]] + first - start
    difference = list(unified_diff(before, after, lineterm="", n=1))[2:]
    return Survivor(path, line, status, "\n".join(f"    {one}" for one in difference))


def def_lines(path: Path) -> dict[tuple[str | None, str], int]:
    """The line of each function's `def`, by class and name."""
    found: dict[tuple[str | None, str], int] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        class_name = node.name if isinstance(node, ast.ClassDef) else None
        found.update({(class_name, one.name): one.lineno for one in inside if isinstance(one, ast.FunctionDef)})
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

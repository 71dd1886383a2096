"""Contract, law L9: a whole life of the program, with every fault at hand, told to nobody.

Unmistakable people, tokens and keys live on both sides; the program is refused with messages that repeat what it
sent, throttled, lied to and broken; whatever it wrote to standard error, to the database and to the JSON answers of
`reconcile`, `status` and `check` is searched for each of them, in every form in which it might have slipped through.
"""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from sqlalchemy import make_url

from sync_daemon.sandbox.weather import Fault, Weather
from sync_daemon.store.engine import open_engine, reading
from sync_daemon.store.tables import metadata
from tests.e2e.trial import Answer, Trial, let_leases_run_out

SECRET_KEY = "Xylophon-Quarz_secret~key of this life 4711"
FIRST_NAMES = ("Zebulonia", "Ægidia-Þorbjörg", "O'Quillfeather", "Wrthlmpf")
LAST_NAMES = ("Grimbaldeston", "Łączyńskaja", 'Mc"Quotient', "Ngqrxhosa")
CITIES = ("Llanfairpwll", "Zwölfaxing")
LOCAL_PARTS = ("zebulonia.grimbald", "aegidia+plus_list", "o'quillfeather", "wrthlmpf-77")
ADDRESSES = tuple(f"{local}@sub.example.org" for local in LOCAL_PARTS)
MOVED = "moved.elsewhere-99@sub.example.org"
PHONES = ("+14155550177", "+12125550188", "+13055550166", "+16025550155")
WORDS = (*FIRST_NAMES, *LAST_NAMES, *CITIES, *LOCAL_PARTS, *ADDRESSES, MOVED, *PHONES)


# how a text is looked for


def forms(text: str) -> Iterator[bytes]:
    """A text in every form in which it may lie somewhere without being secret."""
    for one in {text, text.lower(), text.upper()}:
        yield one.encode("utf-16-le")
        yield one.encode("latin-1", "ignore") if len(one.encode("latin-1", "ignore")) > 5 else one.encode()
        for escaped in (one, json.dumps(one)[1:-1], quote(one), quote_plus(one), quote(one, safe=""), repr(one)[1:-1]):
            yield escaped.encode()
        yield one.encode("unicode_escape")
        yield one.encode().hex().encode()
        yield one.encode().hex().upper().encode()
        yield from _base64(one.encode())


def _base64(plain: bytes) -> Iterator[bytes]:
    """The part of a base64 text that tells of some bytes, whatever stands around them."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for before in range(3):
            coded = encode(b"\0" * before + plain)
            yield coded[(0, 2, 3)[before] : len(coded) - (0, 4, 4)[(before + len(plain)) % 3] or None]


def found(texts: Iterator[str] | tuple[str, ...], haystack: bytes) -> list[tuple[str, bytes]]:
    return [(text, form) for text in texts for form in forms(text) if form in haystack]


@pytest.mark.parametrize("text", WORDS)
@pytest.mark.parametrize(
    "plant",
    [
        str.encode,
        lambda text: json.dumps({"name": text}).encode(),
        lambda text: json.dumps({"name": text}, ensure_ascii=False).encode(),
        lambda text: f"GET /x?email={quote_plus(text)}&page=2".encode(),
        lambda text: text.encode().hex().encode(),
        lambda text: base64.b64encode(f"a{text}b".encode()),
        lambda text: base64.b64encode(f"ab{text}".encode()),
        lambda text: base64.urlsafe_b64encode(f"abc{text} more".encode()),
        lambda text: f"ValueError({text.upper()!r})".encode(),
        lambda text: text.encode("utf-16-le"),
    ],
)
def test_a_planted_leak_is_found_in_every_form(text: str, plant: Callable[[str], bytes]) -> None:
    assert found((text,), b"\x00\xffbefore" + plant(text) + b"after\xfe")
    assert not found((text,), b'{"event": "parked", "ghl_id": "bH6xnAbnBEoonCrbZINl", "what": "firstName=FirstName"}')


# a life


class Life:
    """A trial whose every word is kept. What may show values to a person, on standard output alone, isn't searched."""

    def __init__(self, trial: Trial, database_url: str, environment: pytest.MonkeyPatch) -> None:
        self.trial = trial
        self.environment = environment
        self.said: list[str] = []
        self.seen: list[bytes] = []
        self.told: list[str] = []
        """What was told on standard error alone, to see that there was something to search."""
        trial.config = f"secret_key: {SECRET_KEY}\n" + trial.config.replace(
            f"sqlite:///{trial.folder / 'sync.db'}", database_url
        )
        self.database_url = database_url
        trial.sandbox.ghl.limiter.settings.enabled = trial.sandbox.emailoctopus.limiter.settings.enabled = False

    def run(self, *arguments: str, for_persons: bool = False) -> Answer:
        """One command; the logs of every second one are written as they are for a terminal."""
        self.environment.setenv("SYNC_DAEMON_LOG_FORMAT", ("json", "console")[len(self.told) % 2])
        answer = self.trial.run(*arguments)
        assert "Traceback" not in answer.out
        self.said += [answer.err] if for_persons else [answer.err, answer.out]
        self.told.append(answer.err)
        return answer

    def weather(self, ghl: list[Fault] | None = None, emailoctopus: list[Fault] | None = None) -> None:
        self.trial.sandbox.ghl.weather = Weather(faults=ghl or [])
        self.trial.sandbox.emailoctopus.weather = Weather(faults=emailoctopus or [])

    def stored(self) -> Iterator[bytes]:
        """Everything the database holds: each value of each row, and for SQLite each file as it lies there."""
        engine = open_engine(self.database_url)
        with reading(engine) as connection:
            for table in metadata.sorted_tables:
                for row in connection.execute(table.select()):
                    yield from (value if isinstance(value, bytes) else str(value).encode() for value in row)
        if self.database_url.startswith("sqlite"):
            path = Path(make_url(self.database_url).database or "")
            yield from (file.read_bytes() for file in path.parent.iterdir() if file.name.startswith(path.name))
        engine.dispose()

    def look(self) -> None:
        """Keep what lies in the database now: nothing may stand there in the clear at any time."""
        self.seen.extend(self.stored())

    def secrets(self) -> tuple[str, ...]:
        sandbox = self.trial.sandbox
        return (SECRET_KEY, sandbox.ghl_token, sandbox.emailoctopus_key)


@pytest.fixture
def life(trial: Trial, database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Life:
    monkeypatch.setenv("SYNC_DAEMON_LOG_LEVEL", "debug")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    return Life(trial, database_url, monkeypatch)


def people(trial: Trial) -> list[tuple[str, str]]:
    """Two people on both sides, one in GHL, one in EmailOctopus; GHL ids and EmailOctopus ids of the first two."""
    for number in (0, 1, 2):
        trial.ghl.create(
            email=ADDRESSES[number],
            firstName=FIRST_NAMES[number],
            lastName=LAST_NAMES[number],
            phone=PHONES[number],
            city=CITIES[number % 2],
            tags=["vip"],
        )
    for number in (0, 1, 3):
        fields = {"FirstName": FIRST_NAMES[number], "LastName": LAST_NAMES[number - 1], "Phone": PHONES[number]}
        trial.emailoctopus.add(trial.sandbox.list_id, ADDRESSES[number], fields)
    rows = {row.email: row.id for row in trial.ghl.contacts}
    there = {one.email_address: one.id for one in trial.emailoctopus.lists[trial.sandbox.list_id].contacts}
    return [(rows[address], there[address]) for address in ADDRESSES[:2]]


def test_a_whole_life_tells_nobody(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = life.trial
    ids = people(trial)
    first_load(life)
    changes(life, ids)
    trouble(life, ids)
    unforeseen(life, monkeypatch)
    settle(life)
    life.look()

    told = "\n".join(life.told)
    events = ("http.answered", "http.failed", "http.throttled", "parked", "conflict", "reported", "read_failed")
    assert [event for event in (*events, "unexpected_failure") if event not in told] == [], "there was much to search"
    everywhere = "\n".join(life.said).encode() + b"\n".join(life.seen)
    leftovers = b"".join(file.read_bytes() for file in (trial.folder / "scratch").rglob("*") if file.is_file())
    leaks = found((*WORDS, *life.secrets()), everywhere + leftovers)
    assert leaks == [], [
        everywhere[max(0, at - 300) : at + 100] for _, form in leaks if (at := everywhere.find(form)) >= 0
    ]


def refused(method: str, path: str) -> Fault:
    """Requests that are refused in words that repeat what was sent."""
    return Fault(kind="error", method=method, path=path, status=422, echo=True, times=99)


def first_load(life: Life) -> None:
    """Creations that are refused in words that repeat the person, on both sides; a first run that breaks off."""
    life.run("check", "--json")
    life.run("plan", "--full", "--json", for_persons=True)
    life.weather([refused("POST", "/contacts/$")], [refused("POST", "/contacts$")])
    assert life.run("reconcile", "--json").status == 3
    assert any(word in life.run("parked", "list", for_persons=True).out for word in WORDS), "here a person may see it"
    life.run("status", "--json")
    life.run("status")
    life.look()
    # A creation whose answer is lost is looked for by its address, which is refused, too.
    duplicate = Fault(kind="error", path="search/duplicate", status=422, echo=True, times=9)
    life.weather([Fault(kind="lost_answer", method="POST", path="/contacts/$", times=2), duplicate])
    life.run("parked", "retry", for_persons=True)
    life.run("reconcile")
    life.weather()
    life.run("parked", "retry", for_persons=True)
    life.run("reconcile")


def changes(life: Life, ids: list[tuple[str, str]]) -> None:
    """Edits on both sides, a conflict, an address that moves, an opt-out, tags, and updates that are refused."""
    trial = life.trial
    (zebulonia, there), (aegidia, _) = ids
    trial.ghl.edit(zebulonia, firstName=FIRST_NAMES[3], city=CITIES[1])
    trial.emailoctopus.edit(there, {"FirstName": FIRST_NAMES[2], "LastName": LAST_NAMES[3]})
    trial.ghl.edit(aegidia, email=MOVED)
    life.weather([refused("PUT", "/contacts/")], [refused("PUT", "/contacts")])
    life.run("plan", for_persons=True)
    assert life.run("reconcile", "--json").status == 3
    life.run("parked", "list", "--json", for_persons=True)
    life.look()
    life.weather()
    trial.emailoctopus.unsubscribe(there)
    trial.ghl.add_tags(aegidia, ["summer"])
    life.run("parked", "drop", for_persons=True)
    life.run("reconcile")


def trouble(life: Life, ids: list[tuple[str, str]]) -> None:
    """Refused credentials, forbidden places, a broken network, malformed records, odd words of an API."""
    trial = life.trial
    zebulonia, there = ids[0]
    for status in (401, 403):
        for side in ("ghl", "emailoctopus"):
            trial.ghl.touch(zebulonia)
            life.weather(**{side: [Fault(kind="error", status=status, echo=True, times=99)]})
            for command in (["reconcile"], ["check"]):
                assert life.run(*command).status in (2, 4)
    for kind in ("drop", "lost_answer", "truncate", "html_error", "throttle"):
        trial.ghl.edit(zebulonia, lastName=LAST_NAMES[len(kind) % 4])
        fault: Any = {"kind": kind, "status": 503, "times": 2}
        life.weather([Fault(**fault)] if kind != "throttle" else [], [Fault(**fault)])  # GHL's is a long one
        life.run("reconcile", "--json")
    for status in (400, 409):
        trial.ghl.edit(zebulonia, firstName=f"{FIRST_NAMES[0]} {status}")
        refusal: Any = {"kind": "error", "status": status, "echo": True, "times": 3}
        life.weather([Fault(**refusal)], [Fault(**refusal)])
        life.run("reconcile", "--full", "--json")
    life.weather()
    contact = trial.emailoctopus.contact(there)
    trial.emailoctopus.edit(there, {"FirstName": FIRST_NAMES[1]})
    contact.fields["City"] = {"deep": [FIRST_NAMES[0], ADDRESSES[0]]}  # type: ignore[assignment]
    life.run("reconcile")
    life.run("status", "--json")
    life.look()
    del contact.fields["City"]
    life.weather([Fault(kind="drop", times=999)])
    assert life.run("reconcile").status == 7


def unforeseen(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of the program with a person in its words, its cause and its variables."""
    life.weather()
    life.trial.ghl.edit(next(iter(life.trial.ghl.contacts)).id, city=CITIES[0])

    def look_up() -> None:
        raise KeyError(FIRST_NAMES[1], life.secrets()[1])

    def fail(*_: object, **__: object) -> None:
        name, address = FIRST_NAMES[0], ADDRESSES[0]
        try:
            look_up()
        except KeyError as error:
            raise ValueError(f"no {name} at {address}, {PHONES[0]}") from error

    with monkeypatch.context() as broken:
        broken.setattr("sync_daemon.cycle.running.conclude", fail)
        assert life.run("reconcile", "--json").status == 1
        broken.setattr("sync_daemon.commands.status.choose", fail)
        assert life.run("status").status == 1


def settle(life: Life) -> None:
    """Until nothing is staged any more: what lies in the inbox is encrypted, and then it is gone."""
    let_leases_run_out(life.database_url)
    life.run("parked", "retry", for_persons=True)
    for _ in range(2):
        life.run("reconcile", "--full", "--json")
    assert life.run("status", "--json").pair["staged"] == 0

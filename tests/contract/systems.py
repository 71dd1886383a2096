"""Each system on a sandbox of its own, and the hands of somebody outside, in words that fit all systems."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from sync_daemon.http.session import Transport
from sync_daemon.model.contact import Consent, Value
from sync_daemon.model.plan import Action, Operation
from sync_daemon.model.system import SystemName
from sync_daemon.ports import System
from sync_daemon.sandbox.context import Context
from sync_daemon.sandbox.emailoctopus.model import Contact as EmailOctopusContact
from sync_daemon.sandbox.emailoctopus.model import Field
from sync_daemon.sandbox.emailoctopus.quirks import Quirks
from sync_daemon.sandbox.emailoctopus.world import EmailOctopusWorld
from sync_daemon.sandbox.ghl.contact import Contact as GhlContact
from sync_daemon.sandbox.ghl.errors import ApiError
from sync_daemon.sandbox.ghl.quirks import GhlQuirks
from sync_daemon.sandbox.ghl.world import GhlWorld
from sync_daemon.sandbox.server import Sandbox, serve
from sync_daemon.systems.emailoctopus.settings import EmailOctopusSettings
from sync_daemon.systems.emailoctopus.system import connect as connect_emailoctopus
from sync_daemon.systems.ghl.settings import GhlSettings, Version
from sync_daemon.systems.ghl.system import connect as connect_ghl
from tests import grants
from tests.contract.emailoctopus_spec import Witness
from tests.plain import PLAIN
from tests.unit.http.virtual_clock import VirtualClock

Values = Mapping[str, Value]
"""Values by what kind of field they stand in: `text`, `number`, `date`, `many`."""

_SPOILT = r"\{'secret': 1\} is not valid"
"""What the specification says to a value that a test has spoilt."""

CHOICES = ("Apples", "Bread", "Coffee")


@dataclass(frozen=True)
class Person:
    """A contact as the system itself holds it."""

    address: str
    values: Values = field(default_factory=dict)
    tags: frozenset[str] = frozenset()
    consent: Consent = Consent.GRANTED


class Outside(Protocol):
    """Somebody who uses the system without its API."""

    fields: Mapping[str, str]
    """The configuration's name of each kind of field."""
    missing_id: str
    """An id that nobody has."""
    page_size: int
    """Contacts of a page of a listing."""
    bad_value: tuple[str, Value] | None
    """A field's configuration name and a value that the system refuses to store there, if it refuses any."""
    paths: Mapping[str, str]
    """Regular expressions of the paths that `create`, `list` and `one` contact."""

    def add(self, person: Person) -> str:
        """Somebody adds a contact; its id."""

    def person(self, contact_id: str) -> Person | None:
        """What the system holds."""

    def ids(self) -> set[str]:
        """The ids of all contacts."""

    def edit(self, contact_id: str, values: Values) -> None:
        """Somebody changes values."""

    def revoke(self, contact_id: str) -> None:
        """The person opts out."""

    def delete(self, contact_id: str) -> None:
        """Somebody deletes the contact."""

    def spoil(self, contact_id: str) -> None:
        """A mapped field comes to hold what its type can't."""

    def define_tag(self, name: str) -> None:
        """Somebody defines a tag."""


class EmailOctopusOutside:
    """EmailOctopus by hand."""

    fields: Mapping[str, str] = {"text": "FirstName", "number": "Visits", "date": "Birthday", "many": "Likes"}
    missing_id = "00000000-0000-4000-8000-000000000000"
    page_size = 100
    bad_value: tuple[str, Value] | None = ("Visits", "many")
    paths: Mapping[str, str] = {"create": "/contacts$", "list": "/contacts$", "one": "/contacts/[^/]+$"}

    def __init__(self, world: EmailOctopusWorld, list_id: str) -> None:
        self.world = world
        self.list_id = list_id
        world.add_field(list_id, Field("Visits", "Visits", "number"))
        world.add_field(list_id, Field("Birthday", "Birthday", "date"))
        world.add_field(list_id, Field("Likes", "Likes", "choice_multiple", list(CHOICES)))

    def add(self, person: Person) -> str:
        status = {Consent.GRANTED: "subscribed", Consent.PENDING: "pending", Consent.REVOKED: "unsubscribed"}
        tags = sorted(person.tags)
        return self.world.add(self.list_id, person.address, self._sent(person.values), tags, status[person.consent]).id  # type: ignore[arg-type]  # one of the three statuses

    def person(self, contact_id: str) -> Person | None:
        contact = self._contact(contact_id)
        if contact is None:
            return None
        values = {kind: contact.fields.get(name) for kind, name in self.fields.items()}
        consent = {"subscribed": Consent.GRANTED, "pending": Consent.PENDING}.get(contact.status, Consent.REVOKED)
        return Person(contact.email_address, plain(values), frozenset(contact.tags), consent)

    def ids(self) -> set[str]:
        return {contact.id for contact in self.world.lists[self.list_id].contacts}

    def edit(self, contact_id: str, values: Values) -> None:
        self.world.edit(contact_id, self._sent(values))

    def revoke(self, contact_id: str) -> None:
        self.world.unsubscribe(contact_id)

    def delete(self, contact_id: str) -> None:
        self.world.delete(contact_id)

    def spoil(self, contact_id: str) -> None:
        self.world.contact(contact_id).fields["FirstName"] = {"secret": 1}  # type: ignore[assignment]  # on purpose

    def define_tag(self, name: str) -> None:
        self.world.lists[self.list_id].tags[name] = 0

    def _contact(self, contact_id: str) -> EmailOctopusContact | None:
        return self.world.lists[self.list_id].contacts.find(contact_id)

    def _sent(self, values: Values) -> dict[str, Any]:
        return {self.fields[kind]: list(value) if isinstance(value, tuple) else value for kind, value in values.items()}


class GhlOutside:
    """GHL by hand."""

    missing_id = "NobodyHasThisId00000"
    page_size = 500
    paths: Mapping[str, str] = {"create": "/contacts/$", "list": "/contacts/search$", "one": "/contacts/[^/]+$"}

    def __init__(self, world: GhlWorld) -> None:
        self.world = world
        visits = world.add_field("Visits", "NUMERICAL")
        joined = world.add_field("Joined", "DATE")
        likes = world.add_field("Likes", "MULTIPLE_OPTIONS", list(CHOICES))
        self._custom = {"number": visits.id, "date": joined.id, "many": likes.id}
        self.fields: Mapping[str, str] = {
            "text": "firstName",
            "number": "custom.visits",
            "date": "custom.joined",
            "many": "custom.likes",
        }
        refuses = world.quirks.invalid_phone == "refused"
        self.bad_value: tuple[str, Value] | None = ("phone", "not a number") if refuses else None

    def add(self, person: Person) -> str:
        made = self.world.create(email=person.address, tags=sorted(person.tags), **self._sent(person.values))
        if person.consent is Consent.REVOKED:
            self.world.set_dnd(made.id)
        return made.id

    def person(self, contact_id: str) -> Person | None:
        contact = self._contact(contact_id)
        if contact is None:
            return None
        values = {kind: contact.custom.get(field_id) for kind, field_id in self._custom.items()}
        blocked = contact.dnd or contact.dnd_settings.get("Email", {}).get("status") in ("active", "permanent")
        consent = Consent.REVOKED if blocked else Consent.GRANTED
        values["text"] = contact.fields.get("firstName")
        return Person(contact.email or "", plain(values), frozenset(contact.tags), consent)

    def ids(self) -> set[str]:
        return {contact.id for contact in self.world.contacts}

    def edit(self, contact_id: str, values: Values) -> None:
        self.world.edit(contact_id, **self._sent(values))

    def revoke(self, contact_id: str) -> None:
        self.world.unsubscribe(contact_id)

    def delete(self, contact_id: str) -> None:
        self.world.delete(contact_id)

    def spoil(self, contact_id: str) -> None:
        contact = self.world.contacts.get(contact_id)
        self.world.contacts.save(contact, replace(contact, custom={self._custom["number"]: {"secret": 1}}))

    def define_tag(self, name: str) -> None:
        self.world.location.tags[name] = name

    def _contact(self, contact_id: str) -> GhlContact | None:
        try:
            return self.world.contacts.get(contact_id)
        except ApiError:
            return None

    def _sent(self, values: Values) -> dict[str, Any]:
        sent = {kind: list(value) if isinstance(value, tuple) else value for kind, value in values.items()}
        custom = {self._custom[kind]: value for kind, value in sent.items() if kind in self._custom}
        return {"custom": custom, **({"firstName": sent["text"]} if "text" in sent else {})}


def plain(values: Mapping[str, Any]) -> dict[str, Value]:
    """Values without blanks, several choices as a sorted tuple."""
    known = {kind: value for kind, value in values.items() if value not in (None, [])}
    return {kind: tuple(sorted(value)) if isinstance(value, list) else value for kind, value in known.items()}


@dataclass
class Stand:
    """A system in front of its sandbox, at a standing clock."""

    system: System
    outside: Outside
    context: Context[Any]
    clock: VirtualClock
    connect: Callable[..., System]
    """The same system anew; `token`, `account` (location or list id) and `transport` can be others."""

    def operation(self, action: Action, contact_id: str | None = None, **changes: Any) -> Operation:
        """A write to a contact of this system."""
        name = self.system.name
        ghl_id, emailoctopus_id = (contact_id, None) if name is SystemName.GHL else (None, contact_id)
        return grants.operation(name, action, ghl_id, emailoctopus_id, "a test", **changes)

    def revocation(self, contact_id: str) -> Operation:
        """What narrows a consent here."""
        if self.system.name is SystemName.GHL:
            return self.operation(Action.SET_DND, contact_id)
        return self.operation(Action.SET_STATUS, contact_id, consent=Consent.REVOKED)

    def grant(self, contact_id: str) -> Operation:
        """What lifts a revocation here."""
        if self.system.name is SystemName.GHL:
            return self.operation(Action.LIFT_DND, contact_id)
        return self.operation(Action.SET_STATUS, contact_id, consent=Consent.GRANTED)


class Stage:
    """One server for all tests of a module; each puts an application of its own on it."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None
        self.url = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)


@contextmanager
def stage() -> Iterator[Stage]:
    """A stage on a real socket."""
    theatre = Stage()
    with serve(theatre) as theatre.url:
        yield theatre


def emailoctopus_stand(stage: Stage, **quirks: Any) -> Stand:
    """EmailOctopus on the stage."""
    clock = VirtualClock()
    sandbox = Sandbox(seed=11, clock=clock, emailoctopus_quirks=Quirks(**quirks))
    stage.app = sandbox.emailoctopus_app
    outside = EmailOctopusOutside(sandbox.emailoctopus.world, sandbox.list_id)

    def connect(
        token: str = sandbox.emailoctopus_key, account: str = sandbox.list_id, transport: Transport | None = None
    ) -> System:
        settings = EmailOctopusSettings("main", account, token, base_url=stage.url)
        witness = Witness(sandbox.emailoctopus.world.quirks, tolerated=_SPOILT)
        return connect_emailoctopus(settings, clock, transport=transport or witness)

    return _stand(connect, outside, sandbox.emailoctopus, clock)


def ghl_stand(stage: Stage, version: Version = "2021-07-28", **quirks: Any) -> Stand:
    """GHL on the stage."""
    clock = VirtualClock()
    sandbox = Sandbox(seed=11, clock=clock, ghl_quirks=GhlQuirks(**quirks))
    stage.app = sandbox.ghl_app
    outside = GhlOutside(sandbox.ghl.world)

    def connect(
        token: str = sandbox.ghl_token, account: str = sandbox.location_id, transport: Transport | None = None
    ) -> System:
        settings = GhlSettings("main", account, token, base_url=stage.url, version=version)
        return connect_ghl(settings, clock, transport=transport)

    return _stand(connect, outside, sandbox.ghl, clock)


def _stand(connect: Callable[..., System], outside: Outside, context: Context[Any], clock: VirtualClock) -> Stand:
    blank = connect()
    names = [*outside.fields.values(), *([outside.bad_value[0]] if outside.bad_value else [])]
    system = blank.with_schema(blank.read_schema(), names)
    context.log.clear()
    return Stand(system, outside, context, clock, connect)


class Recorder(httpx.BaseTransport):
    """Passes requests on and keeps them."""

    def __init__(self) -> None:
        self._wire = httpx.HTTPTransport(verify=PLAIN)
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        return self._wire.handle_request(request)

    def close(self) -> None:
        self._wire.close()


STANDS: dict[str, Callable[[Stage], Stand]] = {
    "emailoctopus": emailoctopus_stand,
    "emailoctopus, other forms": lambda stage: emailoctopus_stand(
        stage,
        counts_shape="object",
        empty_fields="array",
        unset_fields="null",
        number_form="string",
        date_form="datetime",
        email_field_listed=True,
        conflict_slug="already-exists",
        last_page="null",
        next_url_keeps_filters=True,
        listing_order="updated_desc",
        list_tags_shown=0,
        rate_headers_on_success=False,
        retry_after_form="epoch",
        batch_null="refused",
        batch_empty_arrays=False,
        batch_error_form="uri",
    ),
    "emailoctopus, other habits": lambda stage: emailoctopus_stand(
        stage,
        last_page="paging_array",
        listing_order="created_desc",
        noop_touches=True,
        email_case="lowered",
        empty_string="refused",
        unknown_tag="refused",
        tags_case_sensitive=False,
        address_change_keeps_id=False,
        batch_null="ignored",
        retry_after_form="http_date",
        throttle_block_s=20.0,
        suppressed_reads_as="own",
    ),
    "ghl": ghl_stand,
    "ghl v3": lambda stage: ghl_stand(stage, "v3"),
    "ghl, other forms": lambda stage: ghl_stand(
        stage,
        email_case="kept",
        date_field_form="epoch_ms",
        range_values="epoch_ms",
        other_range_values="refused",
        hits_carry_dnd="always",
        unseen_dnd_matches_all=False,
        invalid_phone="kept",
        phone_region="contact",
    ),
    "ghl, other habits": lambda stage: ghl_stand(
        stage,
        null_clears=False,
        date_field_form="instant",
        range_values="epoch_ms",
        hits_carry_dnd="never",
        dnd_false_clears_channels=True,
        permanent_email_clearable=True,
        noop_touches=False,
        create_fails_though_created=True,
    ),
}
"""Every system, with the facts that could be either way as they are likelier and otherwise."""

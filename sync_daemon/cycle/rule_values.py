"""The contact's, the campaign's and the occasion's values for templates and conditions, as they are now."""

from dataclasses import dataclass, field

from sync_daemon.cycle.pair import GHL, Run
from sync_daemon.model.contact import Snapshot, Value
from sync_daemon.model.deeds import Deed
from sync_daemon.model.engagement import Kind, Occasion
from sync_daemon.model.rules import Rule
from sync_daemon.ports import Reader
from sync_daemon.reconcile.rules import event_id_of
from sync_daemon.reconcile.templates import Values

_NAMES = ("firstName", "lastName")


@dataclass(slots=True)
class Telling:
    """Reads what rules name, in one cycle."""

    run: Run
    _reader: Reader = field(init=False)

    def __post_init__(self) -> None:
        schema = self.run.schemas[GHL]
        names = {*_NAMES, *self.run.pair.rules.ghl_names}
        self._reader = self.run.pair.systems[GHL].with_schema(schema, names).reader

    def read(self, ghl_id: str) -> Snapshot | None:
        """The GHL contact by id, None when it doesn't exist. Raises `Refused`, `StopSystem`."""
        return self._reader.fetch(ghl_id)

    def values(self, rule: Rule, occasion: Occasion, contact: Snapshot | None) -> Values:
        """What templates of a rule may name. Times are the location's."""
        campaign = self.run.campaigns.get(occasion.campaign_id)
        return Values(
            first_name=_text(contact, "firstName"),
            last_name=_text(contact, "lastName"),
            email=(contact.address or "") if contact is not None else "",
            campaign_name=campaign.name if campaign is not None else "",
            campaign_subject=campaign.subject if campaign is not None else "",
            event=f"{occasion.kind}:{occasion.subject}" if occasion.subject else occasion.kind.value,
            occurred_at=occasion.at.astimezone(self.run.zone) if occasion.at is not None else None,
            fields={key: _value(contact, name) for key, name in rule.resolved.items()},
        )

    def remembered(self, deed: Deed) -> Occasion:
        """The occasion of a deed whose event was tidied away: all of it that the deed's key tells."""
        event_id = event_id_of(deed.key)
        kind, campaign, *_ = event_id.split(" ")
        named = campaign if campaign != "seen" else ""
        return Occasion(Kind(kind), deed.emailoctopus_id, event_id, deed.occurred_at, named)


def _value(contact: Snapshot | None, name: str) -> Value:
    return contact.fields.get(name) if contact is not None else None


def _text(contact: Snapshot | None, name: str) -> str:
    value = _value(contact, name)
    return "" if value is None else str(value)

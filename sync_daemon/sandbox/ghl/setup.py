"""What somebody sets up in an account: fields, users, calendars, workflows, tokens."""

from collections.abc import Iterable
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sync_daemon.sandbox.ghl.accounts import App, UserType
from sync_daemon.sandbox.ghl.custom_fields import DATA_TYPES, CustomField
from sync_daemon.sandbox.ghl.location import Identifier, Location
from sync_daemon.sandbox.ghl.moments import iso
from sync_daemon.sandbox.ghl.state import State


class SetUp(State):
    """The account's definitions, as its people make them."""

    def add_field(
        self, name: str, data_type: str = "TEXT", options: list[str] | None = None, location_id: str | None = None
    ) -> CustomField:
        """Somebody defines a custom field for contacts; options are those of a pick-list or a list of texts.

        Raises ValueError for a type that GHL doesn't have.
        """
        if data_type not in DATA_TYPES:
            raise ValueError(f"There is no type {data_type}, but {', '.join(sorted(DATA_TYPES))}.")
        location = self.location_of(location_id)
        boxes = options if data_type == "TEXTBOX_LIST" else None
        definition = CustomField(
            id=self.ids.record(),
            location_id=location.id,
            name=name,
            field_key=location.free_field_key("contact", name),
            data_type=data_type,
            position=len(location.custom_fields) * 50,
            options=[] if boxes else list(options or ()),
            text_boxes=[{"id": self.ids.record(), "label": label, "prefillValue": ""} for label in boxes or ()],
        )
        location.custom_fields[definition.id] = definition
        return definition

    def delete_field(self, field_id: str) -> None:
        """Somebody deletes a custom field; its values are no longer told. Raises KeyError."""
        owner = next((one for one in self.locations.values() if field_id in one.custom_fields), None)
        if owner is None:
            raise KeyError(f"No location has a custom field {field_id}.")
        del owner.custom_fields[field_id]

    def add_user(self, first_name: str, last_name: str, email: str) -> dict[str, Any]:
        """Somebody invites a colleague."""
        user = {"id": self.ids.record(), "name": f"{first_name} {last_name}"}
        user |= {"firstName": first_name, "lastName": last_name, "email": email, "phone": "+14155550100"}
        self.users[user["id"]] = user
        return user

    def add_calendar(self, name: str, group_id: str = "") -> dict[str, Any]:
        """Somebody makes a calendar."""
        body = {"name": name, "locationId": self.location.id, **({"groupId": group_id} if group_id else {})}
        return self.calendars.add_calendar(self.ids.record(), body)

    def add_workflow(
        self, name: str, status: Literal["draft", "published"] = "published", *, reentry: bool = True
    ) -> dict[str, Any]:
        """Somebody builds a workflow; without `reentry` it takes each contact once."""
        now = iso(self.now())
        workflow_id = self.ids.record()
        workflow = {"id": workflow_id, "name": name, "status": status, "version": 1}
        workflow |= {"createdAt": now, "updatedAt": now, "locationId": self.location.id}
        self.location.workflows[workflow_id] = workflow
        if not reentry:
            self.single_entry_workflows.add(workflow_id)
        return workflow

    def add_campaign(self, name: str, status: Literal["draft", "published"] = "published") -> dict[str, Any]:
        """Somebody builds a campaign."""
        campaign = {"id": self.ids.record(), "name": name, "status": status, "locationId": self.location.id}
        self.location.campaigns[campaign["id"]] = campaign
        return campaign

    def add_business(self, name: str) -> str:
        """Somebody enters a company; gives its id."""
        business_id = self.ids.record()
        self.location.businesses[business_id] = name
        return business_id

    def private_token(self, scopes: Iterable[str] | None = None, location_id: str | None = None) -> str:
        """Somebody makes a private integration token for a location, with every scope unless some are named."""
        location = self.location_of(location_id)
        if scopes is None:
            return self.accounts.add_private_token(self.company_id, location.id)
        return self.accounts.add_private_token(self.company_id, location.id, scopes)

    def expire_token(self, token: str, after_s: float = 0) -> None:
        """Somebody rotates a token: the old one ends now, or after a while. Raises KeyError."""
        if token not in self.accounts.tokens:
            raise KeyError("There is no such token.")
        self.accounts.expire(token, after_s)

    def add_app(
        self, client_id: str, client_secret: str, redirect_uris: list[str], target: UserType = "Location"
    ) -> App:
        """Somebody registers a Marketplace app, which /oauth/chooselocation then installs."""
        return self.accounts.add_app(client_id, client_secret, redirect_uris, target)

    def open_location(self, name: str, country: str = "US", timezone: str = "America/New_York") -> dict[str, Any]:
        """Somebody opens another location of the agency. Raises KeyError for an unknown time zone."""
        return self.add_location(name=name, country=country, timezone=ZoneInfo(timezone).key).document()

    def change_location(
        self,
        location_id: str | None = None,
        *,
        allow_duplicate_contact: bool | None = None,
        unique_identifiers: list[Identifier] | None = None,
        timezone: str | None = None,
        active: bool | None = None,
    ) -> dict[str, Any]:
        """Somebody changes a location's settings, the first one's unless one is named. Raises KeyError."""
        location = self.location_of(location_id)
        if timezone is not None:
            location.timezone = ZoneInfo(timezone).key
        if unique_identifiers is not None:
            location.unique_identifiers = tuple(unique_identifiers)
        if allow_duplicate_contact is not None:
            location.allow_duplicate_contact = allow_duplicate_contact
        if active is not None:
            location.active = active
        return location.document()

    def location_of(self, location_id: str | None) -> Location:
        """Give the location named, or the first one. Raises KeyError."""
        if location_id is None:
            return self.location
        if location_id not in self.locations:
            raise KeyError(f"There is no location {location_id}.")
        return self.locations[location_id]

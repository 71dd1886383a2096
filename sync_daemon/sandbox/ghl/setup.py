"""What somebody sets up in an account: fields, users, calendars, workflows, tokens."""

from collections.abc import Iterable
from typing import Any, Literal

from sync_daemon.sandbox.ghl.custom_fields import CustomField
from sync_daemon.sandbox.ghl.location import Location
from sync_daemon.sandbox.ghl.moments import iso
from sync_daemon.sandbox.ghl.state import State


class SetUp(State):
    """The account's definitions, as its people make them."""

    def add_field(
        self, name: str, data_type: str = "TEXT", options: list[str] | None = None, location_id: str | None = None
    ) -> CustomField:
        """Somebody defines a custom field for contacts; options are those of a pick-list or a list of texts."""
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
        """Somebody deletes a custom field; its values are no longer told."""
        for location in self.locations.values():
            location.custom_fields.pop(field_id, None)

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

    def location_of(self, location_id: str | None) -> Location:
        """Give the location named, or the first one."""
        return self.location if location_id is None else self.locations[location_id]

"""The account itself: what its owner sets up in the dashboard, besides contacts."""

from sync_daemon.sandbox.emailoctopus.model import Automation, Campaign, Contact, EventKind, Field, ReportEvent, Trigger
from sync_daemon.sandbox.emailoctopus.state import MailingList, State

BUILT_IN_FIELDS = ("FirstName", "LastName")


class Account(State):
    """Lists with their fields and tags, automations and campaigns."""

    def create_list(self, name: str, *, double_opt_in: bool = False) -> MailingList:
        """Somebody makes a list; it has the built-in fields."""
        now = self.seconds()
        mailing_list = MailingList(self.new_id(), name, now, now, double_opt_in)
        for tag, label in zip(BUILT_IN_FIELDS, ("First name", "Last name"), strict=True):
            mailing_list.fields[tag] = Field(label, tag, "text")
        self.lists[mailing_list.id] = mailing_list
        return mailing_list

    def set_double_opt_in(self, list_id: str, *, double_opt_in: bool) -> None:
        """Somebody turns double opt-in on or off."""
        self.lists[list_id].double_opt_in = double_opt_in

    def add_field(self, list_id: str, field: Field) -> Field:
        """Somebody adds a field to a list."""
        self.lists[list_id].fields[field.tag] = field
        return field

    def rename_field(self, list_id: str, old: str, new: str) -> None:
        """Somebody gives a field another tag; its values stay. Raises ValueError when the tag is taken."""
        mailing_list = self.lists[list_id]
        if new != old and new in mailing_list.fields:
            raise ValueError(f"The list {list_id} has a field {new} already.")
        field = mailing_list.fields.pop(old)
        field.tag = new
        mailing_list.fields[new] = field
        if old != new:
            for contact in mailing_list.contacts:
                if old in contact.fields:
                    contact.fields[new] = contact.fields.pop(old)

    def delete_field(self, list_id: str, tag: str) -> None:
        """Somebody deletes a field, and with it its values."""
        mailing_list = self.lists[list_id]
        del mailing_list.fields[tag]
        if not self.quirks.deleted_field_keeps_values:
            for contact in mailing_list.contacts:
                contact.fields.pop(tag, None)

    def rename_tag(self, list_id: str, old: str, new: str) -> None:
        """Somebody renames a tag, for all its contacts; that moves no contact's timestamp."""
        mailing_list = self.lists[list_id]
        mailing_list.tags[new] = mailing_list.tags.pop(old)
        for contact in mailing_list.contacts:
            if old in contact.tags:
                contact.tags = {new if name == old else name: None for name in contact.tags}

    def delete_tag(self, list_id: str, name: str) -> None:
        """Somebody deletes a tag."""
        mailing_list = self.lists[list_id]
        del mailing_list.tags[name]
        if self.quirks.deleted_tag_detaches:
            for contact in mailing_list.contacts:
                contact.tags.pop(name, None)

    def create_automation(
        self, list_id: str, trigger: Trigger = "api", watches: str = "", *, repeats: bool = False
    ) -> Automation:
        """Somebody builds an automation; `watches` is the tag or field of its trigger, any when empty."""
        automation = Automation(self.new_id(), self.lists[list_id].id, trigger, watches, repeats=repeats)
        return self.automations.add(automation)

    def create_campaign(self, name: str, list_ids: list[str], subject: str = "Hello") -> Campaign:
        """Somebody drafts a campaign."""
        known_ids = [self.lists[list_id].id for list_id in list_ids]
        campaign = Campaign(self.new_id(), name, subject, known_ids, self.seconds())
        self.campaigns[campaign.id] = campaign
        return campaign

    def send_campaign(self, campaign_id: str) -> Campaign:
        """Somebody sends a campaign to everybody who is subscribed to its lists."""
        campaign = self.campaigns[campaign_id]
        campaign.status, campaign.sent_at = "sent", self.seconds()
        for list_id in campaign.list_ids:
            for contact in self.lists[list_id].contacts:
                if contact.status == "subscribed":
                    self.report(contact, "sent", campaign_id)
        return campaign

    def report(self, contact: Contact, kind: EventKind, campaign_id: str, *, url: str = "", hard: bool = True) -> None:
        """Tell what happened with a contact's mail, and note it in the campaign, if it was in one."""
        if self.watcher is not None:
            self.watcher.mailed(contact, kind, campaign_id, hard=hard)
        if campaign_id:
            event = ReportEvent(kind, contact.id, contact.email_address, self.seconds(), url, hard)
            self.campaigns[campaign_id].events.append(event)

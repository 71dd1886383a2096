"""Rules, by webhook and by report: each event once, ever (contract, section 9)."""

from sync_daemon.model.engagement import Kind
from tests.rules import TASK, campaign, hear, rule, tasks, tell, with_rules
from tests.worlds import world


def test_a_click_that_a_webhook_tells_becomes_a_task_at_once(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        with_rules(here, rule("clicked", TASK))
        mail = campaign(here)
        tell(here, Kind.CLICKED, subscriber_id, mail.id)
        report = hear(here)
        assert tasks(here, ghl_id) == ["Call Ada"]
        assert report.outcome == "ok"
        tell(here, Kind.CLICKED, subscriber_id, mail.id, event="e2")
        hear(here)
        assert tasks(here, ghl_id) == ["Call Ada"]

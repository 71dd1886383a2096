"""Two pairs of one location, by command: what a list's unsubscribe means, planned, done and explained."""

from typing import Any

import pytest

from tests.e2e.trial import Trial
from tests.worlds import state_of

pytestmark = pytest.mark.usefixtures("with_tables")

ADA = "ada.byron@example.net"


def configuration(trial: Trial) -> str:
    """The sandbox's location with its list, and with a second one."""
    head, pairs, one = trial.config.partition("pairs:\n")
    one = one[: one.index("    fields:")] + "    fields:\n      - {ghl: firstName, emailoctopus: FirstName}\n"
    other = str(trial.emailoctopus.create_list("Events").id)
    return head + pairs + one + one.replace("name: sandbox", "name: events").replace(trial.sandbox.list_id, other)


def subscribers(trial: Trial) -> list[dict[str, Any]]:
    """Who Ada is in the lists."""
    rows = state_of(trial.sandbox.emailoctopus_app)
    found = [row for row in rows if row["email_address"] == ADA]
    return sorted(found, key=lambda row: bool(row["list_id"] != trial.sandbox.list_id))


def test_who_leaves_one_of_two_lists_isnt_blocked_and_explain_says_why(trial: Trial) -> None:
    trial.config = configuration(trial)
    trial.ghl.create(email=ADA, firstName="Ada")
    trial.run("reconcile")
    news, events = (str(row["id"]) for row in subscribers(trial))

    trial.emailoctopus.unsubscribe(news)
    planned = [one for pair in trial.run("plan", "--json").json["pairs"] for one in pair["operations"]]
    assert not [one for one in planned if news in (one["emailoctopus_id"], one["ghl_id"])]
    trial.run("reconcile")
    assert [row["status"] for row in subscribers(trial)] == ["unsubscribed", "subscribed"]
    told = trial.run("explain", ADA).out
    assert "unsubscribed from this list alone; GoHighLevel blocks once no list of the location has the person" in (
        " ".join(told.split())
    )

    trial.emailoctopus.unsubscribe(events)
    trial.run("reconcile")
    (person,) = [row for row in state_of(trial.sandbox.ghl_app) if row.get("email") == ADA]
    assert person["dndSettings"]["Email"]["status"] == "active"
    trial.forget_requests()
    trial.run("reconcile")
    assert trial.writes() == []

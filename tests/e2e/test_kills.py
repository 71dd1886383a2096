"""Contract, section 7: who comes after a crash. What a crash leaves is proved point by point in tests/kills."""

from signal import SIGKILL, Signals

from sync_daemon.model.system import SystemName
from tests.e2e.test_reconcile import differences
from tests.e2e.trial import Trial, finished


def test_who_comes_after_a_crash_waits_for_the_lease(trial: Trial) -> None:
    died = trial.start_and_signal(SystemName.EMAILOCTOPUS, 5, Signals.SIGKILL, "reconcile")
    assert finished(died).status == -SIGKILL
    assert differences(trial) != []

    assert finished(trial.start("reconcile")).status == 6
    again = finished(trial.start("reconcile", "--json", "--wait", "60"))

    assert (again.status, again.pair["outcome"], differences(trial)) == (0, "ok", [])

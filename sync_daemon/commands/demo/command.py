"""The demo's acts, in order."""

import os
import tempfile
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sync_daemon import logs
from sync_daemon.commands.demo.outside import live
from sync_daemon.commands.demo.serving import free_port, stay_up
from sync_daemon.commands.demo.sides import EMAILOCTOPUS, GHL, Sides
from sync_daemon.commands.demo.telling import COLUMNS, examples, rows, tasks
from sync_daemon.commands.exits import DONE, UNEXPECTED
from sync_daemon.commands.outcomes import show_reports
from sync_daemon.commands.plan import show_plan
from sync_daemon.commands.printing import console, plural, table
from sync_daemon.commands.progress import shown_progress
from sync_daemon.commands.reconcile import reconcile_pair
from sync_daemon.commands.sandbox_configuration import configuration
from sync_daemon.model.report import CycleReport, Mode
from sync_daemon.sandbox.seed import Population
from sync_daemon.sandbox.server import RunningSandbox, Sandbox, running_sandbox
from sync_daemon.settings.load import load
from sync_daemon.settings.variables import Variables
from sync_daemon.wiring.installation import Installation, open_installation
from sync_daemon.wiring.planning import FullPlan, plan_pair

_A_MOMENT_S = 1.2
"""After which activity is looked at again, and reports, which tell whole seconds, tell what came since apart."""
_MORE = """\
    activity:
      poll_every: 1s
      tasks: {{open_count: OpenTasks, next_title: NextTask, next_due: NextTaskDue}}
      appointments: {{next_title: NextCall, next_start: NextCallOn, next_time: NextCallTime,
                     on_booked: {{automation: {automation}}}}}
    rules:
      - when: {{event: clicked, campaign: "Spring*"}}
        then:
          - create_task: {{title: "Call {{first_name}} about {{campaign_subject}}", due_in: 2d}}
"""
_POPULATION = Population(ghl=220, emailoctopus=200, shared=160)


_SERVICE = """\
service:
  poll_every: 10s
  http: {{host: 127.0.0.1, port: {port}, dashboard_without_login: true}}
"""
_PORT = 8080

Serve = Annotated[
    bool, Parameter(name="--serve", negative="", help="Stay up afterwards, with the service and its dashboard.")
]


def demo(*, serve: Serve = False) -> int:
    """See it at work between two local sandboxes, in less than a minute; `--serve` stays up with the dashboard."""
    logs.configure({"SYNC_DAEMON_LOG_LEVEL": "error", **os.environ})
    sandbox = Sandbox()
    seeded = sandbox.populate(_POPULATION)
    with tempfile.TemporaryDirectory(prefix="sync-daemon-demo-") as folder, running_sandbox(sandbox) as running:
        path = Path(folder) / "sync.yaml"
        text = configuration(running, f"sqlite:///{folder}/sync.db") + _MORE.format(automation=seeded.automation_id)
        path.write_text(text + (_SERVICE.format(port=free_port(_PORT)) if serve else ""), encoding="utf-8")
        settings = load(path, Variables({}))
        with open_installation(settings) as installation:
            status = _Demo(installation, running).play()
        if serve:
            stay_up(settings, path, running)
        return status


class _Demo:
    """One performance."""

    def __init__(self, installation: Installation, running: RunningSandbox) -> None:
        self._installation = installation
        self._running = running
        self._pair = installation.settings.pairs[0]
        self._sides = Sides(running.sandbox, self._pair.policy().fields)
        self._out = console()

    def play(self) -> int:
        """All acts; the exit status."""
        self._introduce()
        first = self._first_reconcile()
        second = self._second_reconcile()
        third = self._idle_cycle()
        requests = sum(report.requests[system] for report in (first, second, third) for system in report.requests)
        throttled = sum(sum(report.throttled.values()) for report in (first, second, third))
        self._out.print(f"\nAll in all {plural(requests, 'request')}, {throttled} of them throttled.")
        self._out.print("Next: `sync-daemon init` asks for your two keys, and writes your configuration.")
        self._out.print("Or play with both sandboxes yourself: sync-daemon sandbox --write-config sandbox.yaml")
        return UNEXPECTED if self._sides.compare().differences or third.written else DONE

    def _introduce(self) -> None:
        self._act("Two systems that don't know of each other")
        subscribers = self._sides.subscribers()
        statuses = [f"{sum(one.status == status for one in subscribers)} {status}" for status in _STATUSES]
        self._out.print(f"GHL           {self._running.ghl_url}   {plural(len(self._sides.contacts()), 'contact')}")
        self._out.print(f"EmailOctopus  {self._running.emailoctopus_url}   {', '.join(statuses)}")
        self._out.print(
            "Both are local servers with the real APIs' limits, errors and quirks. All people are invented."
        )

    def _first_reconcile(self) -> CycleReport:
        self._act("The plan of a first reconcile (nothing is written yet)")
        plan = self._plan(Mode.FULL)
        show_plan(plan)
        self._out.print()
        self._out.print(table(COLUMNS, rows(examples(plan.cycle.operations), self._sides), "one example of each kind"))
        self._act("The first reconcile")
        report = self._reconcile(Mode.FULL)
        self._compare()
        return report

    def _second_reconcile(self) -> CycleReport:
        self._act("Life goes on, on both sides")
        self._installation.clock.sleep(_A_MOMENT_S)
        self._out.print(table(("where", "who", "what happens"), live(self._sides)))
        self._installation.clock.sleep(_A_MOMENT_S)
        self._act("The second reconcile: only what changed is written")
        plan = self._plan(Mode.INCREMENTAL)
        told = rows(plan.cycle.operations, self._sides)
        report = self._reconcile(Mode.INCREMENTAL)
        told += tasks(plan.cycle.actions, self._sides)
        self._out.print(table(COLUMNS, told, "what went where, and why"))
        self._compare()
        return report

    def _idle_cycle(self) -> CycleReport:
        self._act("A third cycle, with nothing to do")
        report = self._reconcile(Mode.INCREMENTAL)
        ghl, emailoctopus = report.requests[GHL], report.requests[EMAILOCTOPUS]
        self._out.print(
            f"{plural(sum(report.written.values()), 'write')}, {plural(ghl, 'request')} to GHL and {emailoctopus} to "
            "EmailOctopus. Polls overlap by some minutes, so what was just written is listed once more;"
        )
        self._out.print("after that an idle cycle costs one request and three, however many contacts there are. Tasks,")
        self._out.print(
            "appointments and mail reports are looked at every second here, and every 15 minutes otherwise."
        )
        return report

    def _plan(self, mode: Mode) -> FullPlan:
        with shown_progress() as progress:
            return plan_pair(self._installation, self._pair, mode, progress)

    def _reconcile(self, mode: Mode) -> CycleReport:
        with shown_progress() as progress:
            report = reconcile_pair(self._installation, self._pair, mode, progress)
        show_reports([report])
        return report

    def _compare(self) -> None:
        found = self._sides.compare()
        self._out.print(
            f"Looked at from outside: {plural(found.equal, 'person', 'people')} on both sides, equal in every mapped "
            f"field, tag and consent; {len(found.differences)} differences."
        )
        self._out.print(
            f"On one side only, for the reasons above: {found.alone[GHL]} in GHL, {found.alone[EMAILOCTOPUS]} in "
            "EmailOctopus."
        )
        for difference in found.differences:
            self._out.print(f"  {difference}")

    def _act(self, title: str) -> None:
        self._out.print(f"\n{title}\n{'=' * len(title)}", style="bold")


_STATUSES = ("subscribed", "unsubscribed", "pending")

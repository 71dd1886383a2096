"""`sync-daemon sandbox`: both APIs as local servers, for trying out a configuration or a client."""

import sys
import threading
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sync_daemon.commands.options import Json
from sync_daemon.commands.printing import print_json
from sync_daemon.commands.sandbox_configuration import configuration
from sync_daemon.model.errors import ConfigurationError
from sync_daemon.sandbox.seed import Population
from sync_daemon.sandbox.server import RunningSandbox, Sandbox, running_sandbox

_DATABASE = "sqlite:///data/sandbox.db"
_STORY = """\
GoHighLevel   {ghl_url}
  token       {ghl_token}
  location    {location_id}
  webhooks    signed with the key {ghl_webhook_public_key}
EmailOctopus  {emailoctopus_url}
  API key     {emailoctopus_key}
  list        {list_id}
  webhooks    signed with the secret {emailoctopus_webhook_secret}

Act as the outside world, or make bad weather, under /_sandbox of each address, for example:
  curl {emailoctopus_url}/_sandbox/weather
"""


def sandbox(
    *,
    write_config: Annotated[
        Path | None, Parameter(help="Write a configuration for this sandbox to a new file.")
    ] = None,
    webhooks: Annotated[
        str | None, Parameter(help="Send both systems' webhooks to the service at this address.")
    ] = None,
    json: Json = False,
) -> None:
    """Run both APIs locally with a few hundred invented people, until Ctrl-C or SIGTERM."""
    try:
        seeded = Sandbox()
        seeded.populate(Population())
        with running_sandbox(seeded) as running:
            if webhooks is not None:
                send_webhooks(running, webhooks)
            text = configuration(running, _DATABASE)
            if write_config is not None:
                _write(write_config, text)
            _tell(running, text, write_config, json=json)
            threading.Event().wait()
    except KeyboardInterrupt:
        sys.stderr.write("The sandbox is gone, and its people with it.\n")


def send_webhooks(running: RunningSandbox, base_url: str) -> None:
    """Let both systems tell a service what happens. Raises `ConfigurationError` for what is no address."""
    sandbox = running.sandbox
    try:
        for context, name in ((sandbox.ghl, "ghl"), (sandbox.emailoctopus, "emailoctopus")):
            context.webhooks.set(url=f"{base_url.rstrip('/')}/webhooks/{name}")
    except ValueError:
        raise ConfigurationError(
            f"--webhooks {base_url} is no address of a service; give one like http://127.0.0.1:8080."
        ) from None


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigurationError(f"{path} exists already. Name another file, or remove it first.") from None
    except OSError as error:
        raise ConfigurationError(f"{path} can't be written: {error.strerror}.") from None


def _tell(running: RunningSandbox, text: str, written: Path | None, *, json: bool) -> None:
    facts = {
        "ghl_url": running.ghl_url,
        "ghl_token": running.sandbox.ghl_token,
        "location_id": running.sandbox.location_id,
        "emailoctopus_url": running.emailoctopus_url,
        "emailoctopus_key": running.sandbox.emailoctopus_key,
        "list_id": running.sandbox.list_id,
        "ghl_webhook_public_key": running.sandbox.ghl.webhooks.key,
        "emailoctopus_webhook_secret": running.sandbox.emailoctopus.webhooks.key,
    }
    if json:
        print_json(facts)
    else:
        print(_STORY.format(**facts))
        if written is None:
            print(f"A configuration for it:\n\n{text}")
        else:
            print(f"Try it: sync-daemon plan --config {written}")
    sys.stdout.flush()
    sys.stderr.write("Ctrl-C stops it.\n")

"""The configuration under which the program works on a running sandbox."""

from sync_daemon.sandbox.server import RunningSandbox

_TEXT = """\
database_url: {database_url}
ghl:
  base_url: {ghl_url}
  webhook_public_key: {webhook_public_key}
emailoctopus:
  base_url: {emailoctopus_url}
  webhook_secret: {webhook_secret}
pairs:
  - name: sandbox
    ghl:
      location_id: {location_id}
      token: {ghl_token}
    emailoctopus:
      list_id: {list_id}
      api_key: {emailoctopus_key}
    fields:
      - {{ghl: firstName, emailoctopus: FirstName}}
      - {{ghl: lastName, emailoctopus: LastName}}
      - {{ghl: phone, emailoctopus: Phone, direction: to_emailoctopus}}
      - {{ghl: city, emailoctopus: City}}
      - {{ghl: custom.plan, emailoctopus: Plan}}
      - {{ghl: custom.renewal, emailoctopus: Renewal}}
"""


def configuration(running: RunningSandbox, database_url: str) -> str:
    """YAML text: the sandbox's addresses, keys and ids, and a mapping for the people it is seeded with."""
    sandbox = running.sandbox
    return _TEXT.format(
        database_url=database_url,
        ghl_url=running.ghl_url,
        emailoctopus_url=running.emailoctopus_url,
        location_id=sandbox.location_id,
        ghl_token=sandbox.ghl_token,
        list_id=sandbox.list_id,
        emailoctopus_key=sandbox.emailoctopus_key,
        webhook_public_key=sandbox.ghl.webhooks.key,
        webhook_secret=sandbox.emailoctopus.webhooks.key,
    )

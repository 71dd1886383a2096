"""What every process of a test knows; kept apart because racers load nothing that they don't need."""

from sync_daemon.systems.ghl.oauth.wire import App

SECRET = "a secret of this installation, long enough"
APP, AGENCY_APP = App("client", "shh-client"), App("agencies", "shh-agencies")
BACK = "http://127.0.0.1:8080/oauth/ghl/callback"
SCOPES = [
    "contacts.readonly",
    "locations.readonly",
    "locations/customFields.readonly",
    "locations/tags.readonly",
    "oauth.write",
]
ADVICE = "Log in: sync-daemon oauth login --pair main"

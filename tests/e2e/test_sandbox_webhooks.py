"""`sync-daemon sandbox --webhooks`: a service that runs on the sandbox's configuration can check what it sends."""

import hashlib
import hmac
import signal
from base64 import b64decode
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from sync_daemon.settings.load import load
from sync_daemon.settings.variables import Variables
from tests.e2e.test_process import read_object
from tests.e2e.trial import finished, start
from tests.plain import PLAIN
from tests.sandbox.receiver import receiver


def test_the_sandbox_sends_webhooks_that_its_configuration_accepts(tmp_path: Path) -> None:
    with receiver() as box:
        told = ("--json", "--write-config", "sandbox.yaml", "--webhooks", f"{box.url}/")
        process = start("sandbox", *told, folder=tmp_path)
        facts = read_object(process)
        contact = {"email": "ada@example.com"}
        httpx.post(f"{facts['ghl_url']}/_sandbox/contacts", json=contact, verify=PLAIN)
        url = f"{facts['emailoctopus_url']}/_sandbox/lists/{facts['list_id']}/sign_up"
        httpx.post(url, json={"email_address": "ada@example.com"}, verify=PLAIN)
        came = {received.path: received for received in box.wait(2)}
        process.send_signal(signal.SIGTERM)
        assert finished(process).status == 0

    settings = load(tmp_path / "sandbox.yaml", Variables({}))
    public_key, secret = settings.ghl.webhook_public_key, settings.emailoctopus.webhook_secret.get_secret_value()
    assert (public_key, secret) == (facts["ghl_webhook_public_key"], facts["emailoctopus_webhook_secret"])
    ghl, emailoctopus = came["/webhooks/ghl"], came["/webhooks/emailoctopus"]
    key = load_der_public_key(b64decode(str(public_key)))
    assert isinstance(key, Ed25519PublicKey)
    key.verify(b64decode(ghl.headers["X-GHL-Signature"]), ghl.body)
    digest = hmac.new(secret.encode(), emailoctopus.body, hashlib.sha256).hexdigest()
    assert emailoctopus.headers["EmailOctopus-Signature"] == f"sha256={digest}"


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "ftp://127.0.0.1", "http://127.0.0.1:port", ""])
def test_the_sandbox_refuses_to_send_webhooks_nowhere(tmp_path: Path, url: str) -> None:
    refused = finished(start("sandbox", "--webhooks", url, folder=tmp_path))
    assert (refused.status, refused.out) == (2, "")
    assert refused.err.startswith(f"--webhooks {url} is no address of a service")

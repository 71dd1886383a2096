"""The sections outside the pairs, and the configuration as a whole."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr

from sync_daemon.settings.pair import PairSection
from sync_daemon.settings.passwords import Hash
from sync_daemon.settings.values import (
    Count,
    DatabaseUrl,
    Duration,
    Interval,
    Secret,
    SecretKey,
    Section,
    Share,
    Text,
    Url,
)

DEFAULT_DATABASE = "sqlite:///data/sync.db"


class GhlSection(Section):
    """How GHL's API is reached. `webhook_public_key` None is the vendor's published Ed25519 key."""

    base_url: Url = "https://services.leadconnectorhq.com"
    version: Literal["2021-07-28", "v3"] = "2021-07-28"
    index_lag: Duration = timedelta(minutes=10)
    share: Share = 1.0
    webhook_public_key: Text | None = None


class EmailOctopusSection(Section):
    """How EmailOctopus's API is reached."""

    base_url: Url = "https://api.emailoctopus.com"
    share: Share = 1.0
    webhook_secret: SecretStr = SecretStr("")


def _password_hash(value: SecretStr) -> SecretStr:
    Hash.parse(value.get_secret_value())
    return value


class UserSection(Section):
    """Somebody who may sign in to the dashboard; a reader sees everything and orders nothing."""

    name: Text
    password: Annotated[SecretStr, AfterValidator(_password_hash)]
    role: Literal["admin", "reader"] = "admin"


class HttpSection(Section):
    """Where the service listens, and who may use its dashboard.

    What proxies at `trusted_proxies` say of a caller's address and of https is believed.
    """

    host: Text = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    users: tuple[UserSection, ...] = ()
    dashboard_without_login: bool = False
    trusted_proxies: tuple[Text, ...] = ("127.0.0.1", "::1")


class ServiceSection(Section):
    """The schedule of the service."""

    poll_every: Interval = timedelta(seconds=60)
    full_scan_every: Interval = timedelta(hours=24)
    counts_every: Interval = timedelta(minutes=10)
    consent_sweep_every: Interval = timedelta(hours=1)
    http: HttpSection = HttpSection()
    ghl_workflow_secret: SecretStr = SecretStr("")


class AlertsSection(Section):
    """Who is told when something goes wrong, and when."""

    urls: tuple[Secret, ...] = ()
    silent_after: Interval = timedelta(minutes=15)
    parked_above: Count = 50


class RetentionSection(Section):
    """How long the state store keeps what it no longer needs."""

    runs: Interval = timedelta(days=90)
    events: Interval = timedelta(days=30)
    undo_days: Count = 7


class InstallationSection(Section):
    """Everything outside the pairs; each key can also come from a variable `SYNC_DAEMON_…`."""

    database_url: DatabaseUrl = Field(default=DEFAULT_DATABASE, validate_default=True)
    secret_key: SecretKey = SecretStr("")
    previous_secret_keys: tuple[SecretKey, ...] = ()
    ghl: GhlSection = GhlSection()
    emailoctopus: EmailOctopusSection = EmailOctopusSection()
    service: ServiceSection = ServiceSection()
    alerts: AlertsSection = AlertsSection()
    retention: RetentionSection = RetentionSection()
    pairs_folder: Text | None = None


class FileSection(InstallationSection):
    """The configuration file, its pairs unread: each is read together with its template and the defaults."""

    defaults: dict[str, Any] = Field(default_factory=dict)
    templates: dict[Text, dict[str, Any]] = Field(default_factory=dict)
    pairs: tuple[Any, ...] = ()


class Settings(InstallationSection):
    """The whole configuration: what stands outside the pairs, and all pairs, wherever they are written."""

    pairs: tuple[PairSection, ...] = ()

"""`/healthz`, `/readyz`, `/metrics` over real HTTP."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter

from sync_daemon.model.errors import ConfigurationError, StateStoreError
from sync_daemon.model.health import PairHealth
from sync_daemon.model.report import CycleOutcome
from sync_daemon.model.system import SystemName
from sync_daemon.web.health import Health
from sync_daemon.web.server import serving
from tests.plain import PLAIN

NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)
FINE = PairHealth("main", NOW, CycleOutcome.OK, fresh=dict.fromkeys(SystemName, NOW))
REFUSED = PairHealth("other", NOW, CycleOutcome.AUTH, "the key was refused", fresh=dict.fromkeys(SystemName, NOW))


@contextmanager
def served(pairs: Sequence[PairHealth] | StateStoreError, *, alive: bool = True) -> Iterator[str]:
    def health() -> Sequence[PairHealth]:
        if isinstance(pairs, StateStoreError):
            raise pairs
        return pairs

    registry = CollectorRegistry()
    Counter("things", "What is counted.", registry=registry).inc(3)
    one = Health(health, lambda: alive, timedelta(minutes=15), registry, lambda: NOW)
    with serving(one.routes(), "127.0.0.1", 0) as url:
        yield url


def test_a_process_whose_threads_live_is_healthy() -> None:
    with served([REFUSED]) as url:
        assert httpx.get(f"{url}/healthz", verify=PLAIN).status_code == 200
    with served([FINE], alive=False) as url:
        assert httpx.get(f"{url}/healthz", verify=PLAIN).status_code == 503


def test_a_service_whose_pairs_are_fine_is_ready() -> None:
    with served([FINE]) as url:
        answer = httpx.get(f"{url}/readyz", verify=PLAIN)
        assert (answer.status_code, answer.json()) == (200, {"ready": True, "pairs": {"main": "ok"}})


def test_one_pair_in_trouble_is_told_by_name() -> None:
    with served([FINE, REFUSED]) as url:
        answer = httpx.get(f"{url}/readyz", verify=PLAIN)
        told = {"main": "ok", "other": "the last cycle ended as auth: the key was refused"}
        assert (answer.status_code, answer.json()) == (503, {"ready": False, "pairs": told})


def test_a_database_that_does_not_answer_is_told() -> None:
    with served(StateStoreError("the disk is full")) as url:
        answer = httpx.get(f"{url}/readyz", verify=PLAIN)
        assert (answer.status_code, answer.json()) == (503, {"ready": False, "database": "the disk is full"})
        assert httpx.get(f"{url}/healthz", verify=PLAIN).status_code == 200


def test_figures_are_as_prometheus_reads_them() -> None:
    with served([FINE]) as url:
        answer = httpx.get(f"{url}/metrics", verify=PLAIN)
        assert answer.headers["content-type"].startswith("text/plain")
        assert "things_total 3.0" in answer.text


def test_an_address_that_can_not_be_had_is_a_mistake_in_the_configuration() -> None:
    with served([FINE]) as url:
        port = int(url.rpartition(":")[2])
        with (
            pytest.raises(ConfigurationError, match=rf"127.0.0.1:{port} can't be listened on"),
            serving([], "127.0.0.1", port),
        ):
            pass


def test_it_listens_by_ipv6_too() -> None:
    one = Health(lambda: [FINE], lambda: True, timedelta(minutes=15), CollectorRegistry(), lambda: NOW)
    with serving(one.routes(), "::1", 0) as url:
        assert httpx.get(f"{url}/healthz", verify=PLAIN).status_code == 200

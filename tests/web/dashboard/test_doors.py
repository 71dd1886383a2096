"""Who gets in, and what with: every address of the dashboard, by its guards."""

import re
import time
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from starlette.routing import Route

from sync_daemon.settings.installation import UserSection
from sync_daemon.settings.passwords import Hash
from sync_daemon.web.dashboard.attempts import Attempts
from sync_daemon.web.dashboard.dashboard import dashboard
from sync_daemon.web.dashboard.given import Given
from sync_daemon.wiring.clock import SystemClock
from tests.plain import PLAIN
from tests.web.dashboard.house import PASSWORD, House, http, standing_house

FREE = {"/login", "/logout"}
QUESTIONS = {"/pairs/{pair}/people"}
"""What a reader may ask, too."""


def addresses(method: str) -> list[str]:
    """Every guarded address of the dashboard, with a pair and a run that are there."""
    nothing = Given(list, list, http(), timedelta(), SystemClock().now)
    routes = [one for one in dashboard(nothing) if isinstance(one, Route) and one.path not in FREE]
    mine = [one.path for one in routes if method in (one.methods or ())]
    mine = [path for path in mine if method == "GET" or path not in QUESTIONS]
    return [path.replace("{pair}", "main").replace("{run}", "run-0") for path in mine]


@pytest.mark.parametrize("path", addresses("GET"))
def test_a_page_is_for_those_who_signed_in(house: House, path: str) -> None:
    with house.visitor(follow=False) as stranger:
        answer = stranger.get(path)
        assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/login")
        assert stranger.get(path, **{"HX-Request": "true"}).headers["hx-redirect"].startswith("/login")
    with house.visitor("rita") as reader:
        assert reader.get(path).status_code == 200


@pytest.mark.parametrize("path", addresses("POST"))
def test_an_order_needs_a_login_a_role_and_a_token(house: House, path: str) -> None:
    with house.visitor(follow=False) as stranger:
        assert stranger.post(path, word="approve", mode="full", all="yes").headers["location"] == "/login"
    with house.visitor("rita") as reader:
        answer = reader.post(path, word="approve", mode="full", all="yes")
        assert answer.status_code == 403
        assert "reader" in answer.text
    with house.visitor("ada") as admin:
        admin.token = "another's"
        answer = admin.post(path, word="approve", mode="full", all="yes")
        assert answer.status_code == 403
        assert "another session" in answer.text
    assert house.wanted == []
    assert not [one for one in house.pairs["main"].held(everything=True) if one.approved or one.discarded]


def test_a_question_needs_a_login_and_a_token(house: House) -> None:
    with house.visitor(follow=False) as stranger:
        assert stranger.post("/pairs/main/people", who="x").headers["location"] == "/login"
    with house.visitor("rita") as reader:
        token, reader.token = reader.token, "another's"
        assert reader.post("/pairs/main/people", who="x").status_code == 403
        reader.token = token
        assert reader.post("/pairs/main/people", who="x").status_code == 200


def test_a_reader_sees_no_button(house: House) -> None:
    with house.visitor("rita") as reader:
        for path in addresses("GET"):
            buttons = re.findall(r"<button[^>]*>([^<]+)", reader.get(path).text)
            assert set(buttons) <= {"Sign out", "Look up"}, path


def test_a_token_belongs_to_one_session(house: House) -> None:
    with house.visitor("ada") as one, house.visitor("ada") as other:
        one.get("/")
        other.token = one.token
        assert other.post("/pairs/main/cycle", mode="full").status_code == 403
        assert one.post("/pairs/main/cycle", mode="full").status_code == 200


def test_every_answer_carries_the_headers(house: House) -> None:
    with house.visitor("ada") as visitor:
        seen = [visitor.get(path) for path in (*addresses("GET"), "/pairs/nobody", "/static/app.css")]
        seen.append(visitor.post("/pairs/main/cycle", mode="nothing"))
    for answer in seen:
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert "http" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
    assert {one.headers["cache-control"] for one in seen if "/static/" not in str(one.url)} == {"no-store"}


def test_nothing_is_inline_and_nothing_comes_from_elsewhere(house: House) -> None:
    with house.visitor("ada") as visitor:
        for path in addresses("GET"):
            page = visitor.get(path).text
            assert "<style" not in page
            assert " style=" not in page
            assert "<script>" not in page
            assert " on" not in {part[:3] for part in page.split('"')[::2] if "=" in part}
            assert "http://" not in page.replace("http://www.w3.org", "")
            assert "https://" not in page


def test_without_users_nobody_gets_in(folder: Path) -> None:
    with standing_house(folder, http(users=())) as house, house.visitor() as visitor:
        for path in (*addresses("GET"), "/login"):
            answer = visitor.get(path)
            assert answer.status_code == 503
            assert "sync-daemon password" in answer.text
        assert visitor.post("/pairs/main/cycle", mode="full").status_code == 503
        assert house.wanted == []


def test_without_a_login_only_this_computers_names_are_answered(folder: Path) -> None:
    with standing_house(folder, http(users=(), dashboard_without_login=True)) as house, house.visitor() as visitor:
        assert visitor.get("/").status_code == 200
        assert visitor.post("/pairs/main/cycle", mode="full").status_code == 200
        for host in ("evil.example", "127.0.0.1.evil.example", "evil.example:8080"):
            assert visitor.get("/", Host=host).status_code in (400, 403), host
        for host in ("localhost", "localhost:1", "127.0.0.1:80", "[::1]:8080"):
            assert visitor.get("/", Host=host).status_code == 200, host


def test_no_session_outlives_the_service(folder: Path) -> None:
    with standing_house(folder) as house, house.visitor("ada") as visitor:
        cookies = dict(visitor.client.cookies)
        assert visitor.get("/").url.path == "/"
    with standing_house(folder) as house, httpx.Client(base_url=house.url, cookies=cookies, verify=PLAIN) as client:
        assert client.get("/").status_code == 303


def test_a_logout_ends_the_session_for_whoever_has_its_cookie(house: House) -> None:
    with house.visitor("ada") as visitor, house.visitor("ada") as elsewhere:
        cookies = dict(visitor.client.cookies)
        assert visitor.post("/logout").url.path == "/login"
        assert visitor.get("/").url.path == "/login"
        with httpx.Client(base_url=house.url, cookies=cookies, verify=PLAIN) as thief:
            assert thief.get("/").status_code == 303
        assert elsewhere.get("/").url.path == "/"


def test_a_cookie_is_for_this_site_alone(house: House) -> None:
    with httpx.Client(base_url=house.url, verify=PLAIN) as client:
        plain = client.get("/login").headers["set-cookie"].lower()
        assert "httponly" in plain
        assert "samesite=lax" in plain
        assert "; secure" not in plain
        secure = client.get("/login", headers={"X-Forwarded-Proto": "https"}).headers["set-cookie"].lower()
        assert secure.startswith("__host-")
        assert "; secure" in secure


def test_who_isnt_a_trusted_proxy_isnt_believed(folder: Path) -> None:
    with standing_house(folder, http(trusted_proxies=("192.0.2.1",))) as house:
        answer = httpx.get(f"{house.url}/login", headers={"X-Forwarded-Proto": "https"}, verify=PLAIN)
        assert "; secure" not in answer.headers["set-cookie"].lower()


def test_a_wrong_name_and_a_wrong_password_are_told_alike_and_as_late(folder: Path) -> None:
    costly = UserSection.model_validate({"name": "ada", "password": str(Hash.of(PASSWORD))})
    with standing_house(folder, http(users=(costly,))) as house, house.visitor() as visitor:
        told, took = set(), {}
        for name in ("nobody", "ada"):
            began = time.perf_counter()
            answer = visitor.sign_in(name, "wrong password")
            took[name] = time.perf_counter() - began
            assert answer.status_code == 401
            told.add(answer.text.split('role="alert"')[1].split("</p>")[0])
        assert len(told) == 1
        assert took["nobody"] > took["ada"] / 4  # scrypt's time, not none


def test_too_many_attempts_wait_even_with_the_right_password(house: House) -> None:
    with house.visitor() as visitor:
        answers = [visitor.sign_in("ada", "wrong password").status_code for _ in range(5)]
        assert answers == [401] * 5
        answer = visitor.sign_in("ada")
        assert answer.status_code == 429
        assert 0 < int(answer.headers["retry-after"]) <= 60
        assert visitor.get("/").url.path == "/login"


def test_attempts_are_counted_by_address_and_by_name() -> None:
    attempts = Attempts()
    assert [attempts.wait("a", "ada") for _ in range(5)] == [0] * 5
    assert attempts.wait("a", "ada") > 0
    assert attempts.wait("b", "ada") == 0
    assert attempts.wait("a", "rita") == 0
    assert any(attempts.wait("c", None) for _ in range(6))
    assert any(attempts.wait("d", f"name {number}") for number in range(30))
    assert any(attempts.wait(f"address {number}", "ada") for number in range(200))


def test_after_signing_in_one_is_where_one_wanted_to_be(house: House) -> None:
    with house.visitor() as visitor:
        assert visitor.get("/pairs/main/runs").url.query == b"next=/pairs/main/runs"
        assert visitor.sign_in("ada", next="/pairs/main/runs").url.path == "/pairs/main/runs"


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example", "x"]
)
def test_no_login_leads_elsewhere(house: House, wanted: str) -> None:
    with house.visitor(follow=False) as visitor:
        location = visitor.sign_in("ada", next=wanted).headers["location"]
        assert location.startswith("/")
        assert not location.startswith(("//", "/\\", "/\t"))


def test_a_form_that_is_too_large_isnt_read(house: House) -> None:
    with house.visitor("ada") as visitor:
        assert visitor.post("/pairs/main/held", word="approve", id="9" * 400_000).status_code == 413


def test_what_is_no_form_does_nothing(house: House) -> None:
    with house.visitor("ada") as visitor:
        for body in (b"\xff\xfe", b"", b"csrf", b"&&&=", b"{}"):
            assert visitor.client.post("/pairs/main/cycle", content=body).status_code == 403
        assert house.wanted == []


def test_other_addresses_are_what_they_were(house: House) -> None:
    assert httpx.get(f"{house.url}/nothing-here", verify=PLAIN).status_code == 404

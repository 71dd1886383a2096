"""Every page as people see it: each in light and dark, on a phone and on a desk; `make test-browser` runs them."""

import pytest

from tests.browser.conftest import Window
from tests.browser.stage import Stage

PAGES = {
    "overview": "/",
    "history": "/?span=1",
    "held": "/pairs/sandbox/held",
    "parked": "/pairs/sandbox/parked",
    "uncertain": "/pairs/sandbox/deeds",
    "runs": "/pairs/sandbox/runs",
    "people": "/pairs/sandbox/people",
    "conflicts": "/pairs/sandbox/conflicts",
    "plan": "/pairs/sandbox/plan",
    "edit-plan": "/pairs/sandbox/mapping/plan",
    "missing": "/pairs/nobody",
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page(window: Window, name: str) -> None:
    window.sign_in()
    if name == "missing":
        window.page.goto(window.url + PAGES[name])
        window.problems.clear()  # the console tells of the 404, too
    else:
        window.go(PAGES[name])
    window.check(name)


def test_the_login(window: Window) -> None:
    window.go("/")
    assert window.page.url.endswith("/login")
    window.check("login")
    window.page.get_by_label("Name").fill("ada")
    window.page.get_by_label("Password").fill("a wrong one")
    window.press("Sign in")
    window.page.wait_for_selector("#problem")
    window.problems.clear()  # the console tells of the 401, too
    window.check("login-wrong")


def test_a_run(window: Window, stage: Stage) -> None:
    window.sign_in("rita")
    run = next(one["run_id"] for one in stage.store.last_runs(9) if one["mode"] == "full")
    window.go(f"/pairs/sandbox/runs/{run}")
    window.check("run")


def test_what_a_reader_sees(window: Window) -> None:
    window.sign_in("rita")
    window.go("/pairs/sandbox/held")
    assert window.page.locator("main button").count() == 0
    window.check("reader")


@pytest.mark.parametrize("name", ["ada", "rita"])
def test_the_mapping(window: Window, name: str) -> None:
    window.sign_in(name)
    window.go("/pairs/sandbox/mapping")
    window.until(".samples")
    assert "Ada" not in window.page.url
    assert window.page.locator("main button").count() == 0 or name == "ada"
    window.check(f"mapping-{name}")

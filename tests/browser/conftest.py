"""A real browser before a real service: Debian's chromium, in light and dark, as wide as a phone and as a desk."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.browser.stage import PASSWORD, Stage, set_stage

LOOKS = [(scheme, width) for scheme in ("light", "dark") for width in (390, 1280)]
_HEIGHT = 900


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with set_stage(tmp_path_factory.mktemp("stage")) as stage:
        yield stage


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - of an extra that other tests do without

    path = shutil.which("chromium") or shutil.which("google-chrome")
    assert path is not None, "there is no chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def signed_in() -> dict[str, Any]:
    return {}


@dataclass
class Window:
    """One window of the browser, and what went wrong in it."""

    page: Any
    url: str
    name: str
    folder: Path | None
    problems: list[str] = field(default_factory=list)
    signed_in: dict[str, Any] = field(default_factory=dict)
    """The cookies of those who signed in once; whoever does so again and again must wait."""

    def __post_init__(self) -> None:
        self.page.on("console", lambda one: self.problems.append(one.text) if one.type == "error" else None)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("request", lambda one: None if one.url.startswith(self.url) else self.problems.append(one.url))

    def go(self, path: str) -> None:
        self.page.goto(self.url + path, wait_until="networkidle")

    def sign_in(self, name: str = "ada") -> None:
        if name in self.signed_in:
            self.page.context.add_cookies(self.signed_in[name])
            return
        self.go("/login")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(f"{self.url}/")
        self.signed_in[name] = self.page.context.cookies()

    def press(self, name: str, at: int = 0) -> None:
        """Press a button, agree to what it asks."""
        self.page.get_by_role("button", name=name, exact=True).nth(at).click()

    def until(self, selector: str) -> None:
        """Wait for something to be on the page; what is there instead is told when it never comes."""
        try:
            self.page.wait_for_selector(selector, timeout=60_000)
        except Exception as error:
            raise AssertionError(f"{selector} never came; there is: {self.page.inner_text('#page')}") from error

    def hears(self, words: str) -> None:
        """Wait until the page says that something was done."""
        self.until(f"#notice:has-text('{words}')")

    def check(self, what: str) -> None:
        """Take a picture; nothing is wrong for those who can't see, nothing is cut off, nothing failed."""
        if self.folder is not None:
            self.page.screenshot(path=self.folder / f"{what}-{self.name}.png", full_page=True, caret="initial")
        from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415

        found = Axe().run(self.page)
        assert found.violations_count == 0, found.generate_report()
        wider = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider == 0, f"{wider} pixels stick out"
        assert self.problems == []


@pytest.fixture(params=LOOKS, ids=[f"{scheme}-{width}" for scheme, width in LOOKS])
def window(request: pytest.FixtureRequest, chromium: Any, stage: Stage, signed_in: dict[str, Any]) -> Iterator[Window]:
    scheme, width = request.param
    yield from _window(request, chromium, stage, signed_in, scheme, width)


@pytest.fixture
def one_window(
    request: pytest.FixtureRequest, chromium: Any, stage: Stage, signed_in: dict[str, Any]
) -> Iterator[Window]:
    """A window in which it is tried what buttons do; how wide it is has no part in that."""
    yield from _window(request, chromium, stage, signed_in, "light", 1280)


def _window(
    request: pytest.FixtureRequest, chromium: Any, stage: Stage, signed_in: dict[str, Any], scheme: str, width: int
) -> Iterator[Window]:
    folder = request.config.getoption("--browser")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
    context = chromium.new_context(viewport={"width": width, "height": _HEIGHT}, color_scheme=scheme)
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.on("dialog", lambda dialog: dialog.accept())
    yield Window(page, stage.url, f"{scheme}-{width}", Path(folder) if folder else None, signed_in=signed_in)
    context.close()

"""A browser for the tests of interactive pictures, and the pictures that they open."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


def browser_path() -> str | None:
    """A Chromium of the system; `SCIML_CHROMIUM` names another one."""
    named = os.environ.get("SCIML_CHROMIUM")
    known = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return named or next((path for path in known if path), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A running Chromium; the tests are skipped with the reason where there is none."""
    sync = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra dev)")
    path = browser_path()
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync.sync_playwright() as driver:
        try:
            running = driver.chromium.launch(executable_path=path, args=arguments)
        except sync.Error as error:
            pytest.skip(f"no Chromium can be started: {str(error).splitlines()[0]}")
        yield running
        running.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page in which every error of a script fails the test."""
    opened = browser.new_page(viewport={"width": 1120, "height": 900})
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    yield opened
    opened.close()
    assert not faults


@pytest.fixture
def show(page: Any, tmp_path: Path) -> Any:
    """Export a picture and open it, without any kernel."""

    def opened(picture: Any) -> Any:
        page.goto(picture.html(tmp_path / "picture.html").as_uri())
        return page

    return opened

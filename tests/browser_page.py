"""A page in headless Chromium, for tests; they skip with a reason where there is none."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}
DESK = {"viewport": {"width": 1280, "height": 860}}
# Drawn by the CPU, so that no graphics card is needed; the sandbox needs rights that containers lack.
_FLAGS = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--no-sandbox"]


@contextmanager
def opened(path: Path | str, tolerate: str = "nothing", **context) -> Iterator:
    """The page from disk with the network cut off, or from the address of a local server; what goes wrong in it fails
    the test, but for what is tolerated."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
    browser_path = os.environ.get("HYPERLIFT_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if browser_path is None:
        pytest.skip("needs Chromium: none of " + ", ".join(NAMES) + " is in the path (or set HYPERLIFT_CHROMIUM)")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=browser_path, args=_FLAGS)
        page = browser.new_context(offline=isinstance(path, Path), **(context or DESK)).new_page()
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.set_default_timeout(120_000)
        page.goto(path.resolve().as_uri() if isinstance(path, Path) else path)
        until(page, "Boolean(window.hyperlift) || !document.getElementById('failure').hidden")
        yield page
        browser.close()
        assert not [error for error in wrong if tolerate not in error]


def settle(page) -> None:
    """Wait until the page has drawn what it was told."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    until(page, "!hyperlift.state.dirty")


def until(page, condition: str, patience_s: float = 120.0) -> None:
    """Wait for a condition; the page's own policy forbids the evaluation of text, so it is asked from outside."""
    end = time.monotonic() + patience_s
    while not page.evaluate(condition):
        assert time.monotonic() < end, f"not within {patience_s} s: {condition}"
        page.wait_for_timeout(50)

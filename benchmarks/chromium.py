"""Headless Chromium for the benchmarks of pages."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from playwright.sync_api import Browser, sync_playwright

Chromium = Annotated[str | None, "program; else the one on the path"]
_ON_THE_CPU = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]


@contextmanager
def opened(program: str | None, *, gpu: bool = False) -> Iterator[Browser]:
    """A browser that draws with the graphics card or, without one, on the CPU."""
    flags = ["--no-sandbox", *([] if gpu else _ON_THE_CPU)]
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=program or shutil.which("chromium"), args=flags)
        yield browser
        browser.close()

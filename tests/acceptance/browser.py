"""A real browser for tests: Debian's Chromium, driven by Playwright, with everything it complains of kept.

Chromium comes from the machine's packages (``make browser``): Playwright fetches none of its own here.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    expect,
    sync_playwright,
)

NAMES: Final = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
QUIET: Final = (
    "--disable-gpu",
    "--disable-software-rasterizer",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-first-run",
)
"""Nothing of the browser's own business: it may speak to the farm alone."""
PATIENCE_MS: Final = 60_000
"""For what a render brings about."""
PAGE_MS: Final = 20_000
"""For what a page does by itself."""
KEPT: Final = Path(__file__).resolve().parents[2] / "var" / "browser"
"""Where a failed run leaves what it saw, in a folder of its own."""


def path_of_chromium() -> str:
    """Find the browser; fail, never skip, where there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.fail("No Chromium on this machine. Run: make browser (or: sudo apt-get install -y chromium)")
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run a browser without a window."""
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()  # root's Chromium has none
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path_of_chromium(), args=[*QUIET, *sandbox])
        yield browser
        browser.close()


class Watch:
    """Every complaint of a browser context: console errors and warnings (a breach of the content security
    policy is one), scripts that raised, requests that failed or were answered with 400 and more.
    """

    def __init__(self, context: BrowserContext) -> None:
        self.complaints: list[str] = []
        self.said: list[str] = []
        context.on("console", self._console)
        context.on("weberror", lambda error: self.complaints.append(f"script: {error.error}"))
        context.on("response", self._response)
        context.on("requestfailed", self._failed)

    def _console(self, message: ConsoleMessage) -> None:
        line = f"{message.type}: {message.text} ({message.page.url if message.page else ''})"
        self.said.append(line)
        if message.type in {"error", "warning"}:
            self.complaints.append(line)

    def _response(self, response: Response) -> None:
        self.said.append(f"{response.status} {response.request.method} {response.url}")
        if response.status >= 400:
            self.complaints.append(f"{response.status} {response.request.method} {response.url}")

    def _failed(self, request: Request) -> None:
        # A page that is left cuts its polls, and a player cuts the range it no longer needs.
        if request.failure != "net::ERR_ABORTED":
            self.complaints.append(f"{request.failure} {request.method} {request.url}")


class Visit:
    """One person's browser: a page, and what it complained of."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.watch = Watch(context)
        self.page: Page = context.new_page()

    def log_in(self, url: str, *, user: str, password: str) -> None:
        """Log in at the admin's form."""
        self.page.goto(f"{url}/admin/login/?next=/admin/")
        self.page.fill("input[name=username]", user)
        self.page.fill("input[name=password]", password)
        self.page.click("button[type=submit]")
        self.page.wait_for_url("**/admin/")


@contextmanager
def visit(browser: Browser, name: str, *, locale: str = "en-GB") -> Iterator[Visit]:
    """Open a browser context. If what happens in it fails, keep its pages (a picture and their HTML), console
    and requests under KEPT/name and say so.

    No trace is recorded: its pictures and snapshots took half of a browser's time in every run that passes.
    """
    context = browser.new_context(
        locale=locale, viewport={"width": 1600, "height": 1000}, reduced_motion="reduce", color_scheme="dark"
    )
    context.set_default_timeout(PAGE_MS)
    expect.set_options(timeout=PAGE_MS)
    visitor = Visit(context)
    try:
        yield visitor
        visitor.page.wait_for_load_state("load")
        assert visitor.watch.complaints == []
    except BaseException as failure:
        failure.add_note(f"What the browser saw is in {_keep(visitor, KEPT / name)}")
        raise
    finally:
        context.close()


def _keep(visitor: Visit, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number, page in enumerate(visitor.context.pages):
        page.screenshot(path=folder / f"page{number}.png", full_page=True)
        (folder / f"page{number}.html").write_text(page.content())
    (folder / "console.txt").write_text("\n".join(visitor.watch.said))
    return folder

"""``make screenshots``: play the demo and picture every page into docs/screenshots."""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Browser

from tests.acceptance.browser import Visit, chromium
from tests.acceptance.farm_fixture import Farm
from tests.screenshots.pages import Page, pages_of
from tests.screenshots.stage import farm_to_show

ROOT: Final = Path(__file__).resolve().parents[2]
SHOWN: Final = ROOT / "docs" / "screenshots"
WIDE: Final = 1600
NARROW: Final = 480
COLOURS: Final = 256
BROKEN: Final = """
from django.template import loader
answer(loader.render_to_string("500.html"))
"""

A_MOMENT_OF_FILM: Final = """async () => {
    const video = document.querySelector("video");
    video.muted = true;
    await video.play();
    await new Promise(done => setTimeout(done, 500));
    video.pause();
}"""

logger = logging.getLogger("screenshots")


def main(*, again: bool, only: Iterable[str]) -> int:
    """Take all pictures, or those of these names; return the exit status.

    ``again``: of what the last time played, if it did.
    """
    names = set(only)
    complaints: list[str] = []
    raw = ROOT / "var" / "screenshots-raw"
    shutil.rmtree(raw, ignore_errors=True)
    with farm_to_show(ROOT / "var" / "screenshots", again=again) as farm, chromium() as browser:
        pages = [page for page in pages_of(farm) if not names or page.name in names]
        main_pages = [page for page in pages if page.main]
        complaints += _take(browser, farm, raw, pages, locale="en-GB", whole=not names)
        complaints += _take(browser, farm, raw / "ko", main_pages, locale="ko-KR", whole=not names)
        complaints += _take(browser, farm, raw / "narrow", main_pages, locale="en-GB", width=NARROW)
    _shrink(raw)
    if not names:
        (SHOWN / "README.md").write_text(_gallery(pages))
    for line in complaints:
        logger.error(line)
    return 1 if complaints else 0


def _take(
    browser: Browser,
    farm: Farm,
    folder: Path,
    pages: list[Page],
    *,
    locale: str,
    width: int = WIDE,
    whole: bool = False,
) -> list[str]:
    """Picture these pages; return what the browser complained of."""
    folder.mkdir(parents=True, exist_ok=True)
    context = browser.new_context(
        locale=locale, timezone_id="UTC", color_scheme="dark", reduced_motion="reduce"
    )
    visitor = Visit(context)
    page, url = visitor.page, farm.plan.web_url
    page.set_viewport_size({"width": width, "height": 1000})
    if whole:
        page.goto(f"{url}/admin/login/?next=/admin/")
        page.screenshot(path=folder / "login.png")
    visitor.log_in(url, user="admin", password=farm.home.secrets.admin)
    expected: list[str] = []
    for one in pages:
        page.set_viewport_size({"width": width, "height": one.height})
        page.goto(url + one.path)
        page.wait_for_load_state("networkidle" if "api" in one.path else "load")
        if one.press and page.locator(one.press).count():
            page.locator(one.press).first.click()
            page.wait_for_load_state("load")  # of the page to which it may have led
        page.evaluate("document.fonts.ready")
        if page.locator("video").count():
            page.evaluate(A_MOMENT_OF_FILM)
        page.wait_for_timeout(400)  # lazy pictures, the preview of Render, the player's first frame
        page.screenshot(path=folder / f"{one.name}.png")
        if one.status != 200:
            expected += [line for line in visitor.watch.complaints if str(one.status) in line]
        logger.info("%s %s", folder.name, one.name)
    if whole and locale.startswith("en"):
        page.goto("about:blank")
        page.set_content(farm.coordinate(BROKEN))
        page.screenshot(path=folder / "500.png")
    context.close()
    return [line for line in visitor.watch.complaints if line not in expected]


def _shrink(raw: Path) -> None:
    """Write the pictures in few colours: these pages have few, and the repository keeps every version."""
    for path in sorted(raw.rglob("*.png")):
        shown = SHOWN / path.relative_to(raw)
        shown.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(path) as picture:
            small = picture.convert("RGB").quantize(COLOURS, kmeans=2, dither=Image.Dither.NONE)
            small.save(shown, optimize=True)


def _gallery(pages: list[Page]) -> str:
    """Write the page that shows them all."""
    lines = [
        "# Every page",
        "",
        "Made by `make screenshots`; renders are SIMULATED by the stand-in ComfyUI.",
        "",
    ]
    lines += [f"- [{page.title}]({page.name}.png)" + _also(page) for page in pages]
    lines += ["- [Login](login.png) · [한국어](ko/login.png)", "- [Something broke](500.png)", ""]
    return "\n".join(lines)


def _also(page: Page) -> str:
    name = page.name
    return f" · [한국어](ko/{name}.png) · [narrow](narrow/{name}.png)" if page.main else ""


if __name__ == "__main__":
    os.environ.setdefault("SHOTFARM_TEST_DB", "sqlite")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    options = argparse.ArgumentParser("python -m tests.screenshots", description=__doc__)
    options.add_argument("--again", action="store_true", help="of what the last time played")
    options.add_argument("names", nargs="*", help="some pages only, of what the last time played")
    given = options.parse_args()
    sys.exit(main(again=given.again or bool(given.names), only=given.names))

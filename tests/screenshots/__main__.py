"""``make screenshots``: play the demo and picture every page into docs/screenshots."""

from __future__ import annotations

import logging
import os
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

logger = logging.getLogger("screenshots")


def main(only: Iterable[str]) -> int:
    """Take all pictures, or those of these names from what is played already; return the exit status."""
    wanted = set(only)
    complaints: list[str] = []
    folder = ROOT / "var" / "screenshots"
    with farm_to_show(folder, again=bool(wanted)) as farm, chromium() as browser:
        pages = [page for page in pages_of(farm) if not wanted or page.name in wanted]
        main_pages = [page for page in pages if page.main]
        complaints += _take(browser, farm, SHOWN, pages, locale="en-GB", everything=not wanted)
        complaints += _take(browser, farm, SHOWN / "ko", main_pages, locale="ko-KR", everything=not wanted)
        complaints += _take(browser, farm, SHOWN / "narrow", main_pages, locale="en-GB", width=NARROW)
    if not wanted:
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
    everything: bool = False,
) -> list[str]:
    """Picture these pages; return what the browser complained of."""
    folder.mkdir(parents=True, exist_ok=True)
    context = browser.new_context(
        locale=locale, timezone_id="UTC", color_scheme="dark", reduced_motion="reduce"
    )
    visitor = Visit(context)
    page, url = visitor.page, farm.plan.web_url
    page.set_viewport_size({"width": width, "height": 1000})
    if everything:
        page.goto(f"{url}/admin/login/?next=/admin/")
        _keep(page.screenshot(), folder / "login.png")
    visitor.log_in(url, user="admin", password=farm.home.secrets.admin)
    expected: list[str] = []
    for one in pages:
        page.set_viewport_size({"width": width, "height": one.height})
        page.goto(url + one.path)
        page.wait_for_load_state("networkidle" if "api" in one.path else "load")
        if one.press and page.locator(one.press).count():
            page.locator(one.press).first.click()
        page.evaluate("document.fonts.ready")
        if page.locator("video").count():
            page.wait_for_function("document.querySelector('video').readyState >= 2")
        page.wait_for_timeout(400)  # lazy pictures, the preview of Render, the player's first frame
        _keep(page.screenshot(), folder / f"{one.name}.png")
        if one.status != 200:
            expected += [line for line in visitor.watch.complaints if str(one.status) in line]
        logger.info("%s", (folder / f"{one.name}.png").relative_to(ROOT))
    if everything and folder == SHOWN:
        page.set_content(farm.coordinate(BROKEN))
        _keep(page.screenshot(), folder / "500.png")
    context.close()
    return [line for line in visitor.watch.complaints if line not in expected]


def _keep(png: bytes, path: Path) -> None:
    """Write a picture of few colours: these pages have few, and the repository keeps every version."""
    draft = path.with_suffix(".part")
    draft.write_bytes(png)
    with Image.open(draft) as picture:
        small = picture.convert("RGB").quantize(COLOURS, kmeans=2, dither=Image.Dither.NONE)
        small.save(path, format="PNG", optimize=True)
    draft.unlink()


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
    sys.exit(main(sys.argv[1:]))

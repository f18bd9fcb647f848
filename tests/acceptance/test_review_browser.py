"""Takes are looked at, drawn on, decided about and shared, in a real browser against the real web side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.acceptance.browser import PATIENCE_MS, Visit, visit
from tests.acceptance.farm_fixture import Farm

pytestmark = [pytest.mark.timeout(300), pytest.mark.once]
expect.set_options(timeout=PATIENCE_MS)

STAGE: Final = """
import hashlib, tempfile
from pathlib import Path
import av
from PIL import Image, ImageDraw
from django.core.files.storage import default_storage
from apps.accounts.models import User
from apps.common.ids import uuid7
from apps.productions.models import Shot
from apps.review.models import Artifact, Take
from apps.review.services.media import process_media
from apps.review.services.playlists import create_playlist
from farm.demo.stage import collect_static

def clip(path, hue, frames, fps):
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=fps, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        for number in range(frames):
            picture = Image.new("RGB", (160, 90), hue)
            ImageDraw.Draw(picture).rectangle((0, 0, 160 * number // frames, 20), fill="white")
            out.mux(stream.encode(av.VideoFrame.from_image(picture)))
        out.mux(stream.encode(None))

def take(shot, number, hue, frames, fps):
    made = Take.objects.create(
        project=shot.project, shot=shot, job_id=uuid7(), attempt_id=uuid7(), kind="clip", stage="clip",
        number=number, template="played", node="gpu00",
        length={"wanted": {"frames": 24, "fps": "24", "head": 0, "tail": 0},
                "rendered": {"frames": frames, "fps": str(fps)}},
    )
    path = Path(tempfile.mkdtemp()) / "clip.mp4"
    clip(path, hue, frames, fps)
    data = path.read_bytes()
    key = f"attempts/played/{made.attempt_id}/clip.mp4"
    with path.open("rb") as file:
        default_storage.save(key, file)
    Artifact.objects.create(
        take=made, role="primary", key=key, kind="video", media_type="video/mp4", bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(), width=160, height=90, frames=frames, fps=fps,
    )
    process_media(made.pk)
    return made

collect_static()
first, second = Shot.objects.order_by("sequence__order", "order")[:2]
Shot.objects.update(frames=24, handles=0, cut_in=None)
told = ((first, 1, "#203050", 24, 24), (first, 2, "#502030", 17, 16), (second, 1, "#205030", 24, 24))
made = [take(*one) for one in told]
playlist = create_playlist(
    project=first.project, user=User.objects.get(username="coordinator"), name="Monday", takes=made[1:]
)
answer({"takes": [str(one.pk) for one in made], "playlist": str(playlist.pk), "second": second.full_code})
"""

POST: Final = """async ([url, said]) => {
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
    const headers = {"X-CSRFToken": token, "Content-Type": "application/json"};
    return (await fetch(url, {method: "POST", headers, body: JSON.stringify(said)})).status;
}"""
"""Do something as another tab would."""


@pytest.fixture
def studio(farm: Callable[..., Farm]) -> tuple[Farm, dict[str, Any]]:
    """A web side, and three clips: two of one shot at different rates, one of the next."""
    made = farm(vram=[])
    rows = made.coordinate(STAGE)
    made.serve()
    return made, rows


def frame(page: Page) -> int:
    return int(page.locator(".sf-counter [data-put=frame]").inner_text())


def at(page: Page, number: int) -> None:
    expect(page.locator(".sf-counter [data-put=frame]")).to_have_text(str(number))


def seconds(page: Page, pane: str) -> float:
    """Where the visible video of a pane stands, once it has come there."""
    told: float = page.locator(f".sf-pane-{pane} .sf-screen:not([hidden]) video").evaluate(
        """video => new Promise(done => {
            const there = () => !video.seeking && video.readyState > 1;
            const look = () => there() ? done(video.currentTime) : setTimeout(look, 30);
            setTimeout(look, 60);
        })"""
    )
    return told


def drawn(page: Page) -> Locator:
    return page.locator(".sf-pane-a svg path")


def ready(page: Page) -> None:
    expect(page.locator("[data-review][data-ready]")).to_be_visible()


def compares(page: Page) -> None:
    """By keys: frame by frame, both at the same moment of the shot, in every way of comparing."""
    ready(page)
    at(page, 1001)
    for _press in range(3):
        page.keyboard.press("ArrowRight")
    at(page, 1004)
    assert seconds(page, "a") == pytest.approx(3.5 / 24, abs=0.005)
    assert seconds(page, "b") == pytest.approx(2.5 / 16, abs=0.005)  # its frame 2 begins nearest to ours
    page.keyboard.press("ArrowLeft")
    at(page, 1003)
    page.keyboard.press("End")
    at(page, 1024)
    page.keyboard.press("Home")
    view = page.locator(".sf-view")
    for key, mode in (("w", "wipe"), ("f", "flicker"), ("d", "difference"), ("q", "one"), ("s", "side")):
        page.keyboard.press(key)
        expect(view).to_have_attribute("data-mode", mode)
    page.keyboard.press("q")
    page.keyboard.press("2")
    expect(view).to_have_attribute("data-top", "b")
    page.keyboard.press("1")
    expect(view).to_have_attribute("data-top", "a")
    wipe = page.locator(".sf-wipe")
    page.keyboard.press("w")
    box = view.bounding_box()
    assert box is not None
    wipe.hover()
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 50)
    page.mouse.up()
    expect(wipe).to_have_attribute("aria-valuenow", "25")
    page.keyboard.press("q")


def plays(page: Page) -> None:
    """Space plays and stops; K stops where it is; J runs backwards."""
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    expect(page.locator("[data-review]")).to_have_class("sf-review sf-playing")
    page.locator(".sf-counter [data-put=frame]").filter(has_not_text="1001").wait_for()
    page.keyboard.press("k")
    stood = frame(page)
    assert seconds(page, "a") == pytest.approx((stood - 1001 + 0.5) / 24, abs=0.005)
    page.keyboard.press("End")
    page.keyboard.press("j")
    page.locator(".sf-counter [data-put=frame]").filter(has_not_text="1024").wait_for()
    page.keyboard.press("k")


def draws_and_notes(page: Page) -> None:
    """A note at a frame with a drawing: marked on the time line, shown again there, resolved and reopened."""
    page.keyboard.press("Home")
    for _press in range(5):
        page.keyboard.press("ArrowRight")
    at(page, 1006)
    page.locator("[data-tool=pen]").click()
    svg = page.locator(".sf-pane-a svg").bounding_box()
    assert svg is not None

    def stroke(*places: tuple[float, float]) -> None:
        x, y, width, height = svg["x"], svg["y"], svg["width"], svg["height"]
        page.mouse.move(x + places[0][0] * width, y + places[0][1] * height)
        page.mouse.down()
        for across, down in places[1:]:
            page.mouse.move(x + across * width, y + down * height, steps=4)
        page.mouse.up()

    stroke((0.2, 0.2), (0.4, 0.6), (0.6, 0.3))
    page.locator("[data-tool=arrow]").click()
    stroke((0.8, 0.8), (0.5, 0.5))
    expect(drawn(page)).to_have_count(2)
    page.locator("[data-undo]").click()
    expect(drawn(page)).to_have_count(1)
    page.locator("textarea[name=text]").fill("The lantern is missing")
    page.keyboard.press("Control+Enter")
    note = page.locator("[data-notes] > .sf-note")
    expect(note).to_have_count(1)
    expect(note.locator("[data-frame]").first).to_have_text("1006")
    expect(drawn(page)).to_have_count(1)
    page.locator("[data-bar]").focus()
    page.keyboard.press("Home")
    expect(drawn(page)).to_have_count(0)
    page.locator(".sf-mark").click()
    at(page, 1006)
    expect(drawn(page)).to_have_count(1)
    page.keyboard.press("ArrowRight")
    expect(drawn(page)).to_have_count(0)
    page.keyboard.press("ArrowLeft")
    expect(drawn(page)).to_have_count(1)
    note.locator("[data-do=resolve]").click()
    expect(note).to_have_class("sf-note sf-resolved")
    expect(drawn(page)).to_have_count(0)
    note.locator("[data-do=reopen]").click()
    expect(note).to_have_class("sf-note")
    expect(drawn(page)).to_have_count(1)
    page.locator("[data-tool=pen]").click()
    expect(drawn(page)).to_have_count(0)
    page.keyboard.press("Escape")
    expect(drawn(page)).to_have_count(1)  # nothing is drawn anew: what is there is shown again


def decides(page: Page) -> None:
    """By keys, asked once more; a retake takes its reason from the open notes."""
    dialog = page.locator("[data-verdict-dialog]")
    page.keyboard.press("Shift+R")
    expect(dialog).to_be_visible()
    dialog.locator("[name=gather]").uncheck()
    dialog.locator("[data-for=retake]").click()
    expect(dialog.locator("[data-wrong]")).to_contain_text("a retake needs a reason")
    dialog.locator("[name=gather]").check()
    dialog.locator("[data-for=retake]").click()
    expect(dialog).to_be_hidden()
    verdict = page.locator(".sf-pane-a [data-verdict]")
    expect(verdict).to_have_attribute("data-verdict", "retake")
    page.keyboard.press("Shift+A")
    dialog.locator("[data-for=approved]").click()
    expect(verdict).to_have_attribute("data-verdict", "approved")
    expect(page.locator(".sf-pane-a [data-star]")).to_be_visible()


def keeps_what_others_did(page: Page) -> None:
    """Whoever takes one out of a list that others have changed meanwhile does not write over their change."""
    listed = page.locator("[data-order]")
    version = int(listed.get_attribute("data-version") or "")
    takes = [one.get_attribute("data-take") for one in listed.locator("li").all()]
    said = {"takes": takes[::-1], "row_version": version}
    assert page.evaluate(POST, [listed.get_attribute("data-url"), said]) == 200
    listed.locator("li").last.focus()
    page.keyboard.press("Delete")
    expect(listed.locator("li")).to_have_count(len(takes) - 1)
    assert listed.get_attribute("data-version") == str(version)
    assert page.locator("input[name=row_version]").input_value() == str(version)


def shares(visitor: Visit, browser: Browser, farm: Farm, rows: dict[str, Any]) -> None:
    """A playlist plays through, is put in order by keys, and is seen by a guest who draws and writes."""
    page, url = visitor.page, farm.plan.web_url
    page.goto(f"{url}/admin/review/playlist/{rows['playlist']}/change/")
    ready(page)
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Space")
    expect(page.locator(".sf-burn [data-code]").first).to_have_text(rows["second"])
    page.keyboard.press("k")
    order = page.locator("[data-order] li")
    order.nth(1).focus()
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator("[data-order][data-saved='1']")).to_be_visible()
    page.reload()
    ready(page)
    expect(order.first).to_contain_text(rows["second"])
    keeps_what_others_did(page)
    page.reload()
    ready(page)
    page.get_by_role("button", name="Make a link").click()
    address = page.locator(".sf-address").input_value()
    with visit(browser, "guest") as guest:
        guest.page.goto(address)
        guest.page.fill("input[name=name]", "Hana")
        guest.page.keyboard.press("Enter")
        ready(guest.page)
        guest.page.locator("textarea[name=text]").fill("Lovely")
        guest.page.keyboard.press("Control+Enter")
        expect(guest.page.locator("[data-notes] > .sf-note")).to_contain_text("Hana")
    page.reload()
    expect(page.locator("[data-notes] > .sf-note")).to_contain_text("Lovely")


def test_a_coordinator_reviews_a_day_of_takes(studio: tuple[Farm, dict[str, Any]], browser: Browser) -> None:
    farm, rows = studio
    first, other, _next = rows["takes"]
    with visit(browser, "review") as visitor:
        page = visitor.page
        visitor.log_in(farm.plan.web_url, user="coordinator", password=farm.home.secrets.coordinator)
        page.goto(f"{farm.plan.web_url}/admin/review/take/compare/?take={first}&take={other}")
        compares(page)
        plays(page)
        draws_and_notes(page)
        decides(page)
        # what was refused on purpose is an answer of 400
        visitor.watch.complaints[:] = [one for one in visitor.watch.complaints if "400 " not in f"{one} "]
        page.goto(f"{farm.plan.web_url}/admin/review/take/{first}/context/")
        ready(page)
        expect(page.locator("[data-item]")).to_have_count(2)
        shares(visitor, browser, farm, rows)

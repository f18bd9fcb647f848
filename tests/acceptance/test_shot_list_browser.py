"""The list of shots in a real browser: cells are edited where they stand, rows dragged, clips looked at."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.acceptance.browser import Visit, visit
from tests.acceptance.farm_fixture import Farm

pytestmark = [pytest.mark.timeout(300), pytest.mark.once]

STAGE: Final = """
import tempfile
from pathlib import Path
import av
from PIL import Image
from django.core.files.storage import default_storage
from apps.common.ids import uuid7
from apps.productions.models import Sequence, Shot
from apps.review.models import Artifact, Take
from farm.demo.stage import collect_static

collect_static()
sequence = Sequence.objects.get(code="SQ010")
shot = Shot.objects.filter(sequence=sequence).order_by("order").first()
path = Path(tempfile.mkdtemp()) / "clip.mp4"
with av.open(str(path), "w") as out:
    stream = out.add_stream("libx264", rate=24, options={"preset": "ultrafast"})
    stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
    for number in range(24):
        out.mux(stream.encode(av.VideoFrame.from_image(Image.new("RGB", (160, 90), (number * 10, 60, 90)))))
    out.mux(stream.encode(None))
take = Take.objects.create(
    project=shot.project, shot=shot, job_id=uuid7(), attempt_id=uuid7(), kind="clip", stage="clip",
    number=1, template="played", node="gpu00", media_state="ready",
)
with path.open("rb") as file:
    key = default_storage.save("attempts/played/clip.mp4", file)
Artifact.objects.create(
    take=take, role="proxy", key=key, kind="video", media_type="video/mp4", bytes=path.stat().st_size,
    sha256="0" * 64, width=160, height=90, frames=24, fps=24,
)
answer({"project": str(shot.project_id), "sequence": str(sequence.pk)})
"""
CHANGE: Final = """async ([key, version, said]) => {
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
    const headers = {"X-CSRFToken": token, "Content-Type": "application/json"};
    const body = JSON.stringify({...said, row_version: version});
    return (await fetch(`/api/v1/shots/${key}`, {method: "PATCH", headers, body})).status;
}"""
"""Change a shot as another tab would."""
PLAYS: Final = """video => new Promise(
    done => video.addEventListener("timeupdate", () => video.currentTime > 0 && done())
)"""


@pytest.fixture
def studio(farm: Callable[..., Farm]) -> tuple[Farm, dict[str, Any]]:
    """A web side, and a clip for the first shot."""
    made = farm(vram=[])
    rows = made.coordinate(STAGE)
    made.serve()
    return made, rows


def row(page: Page, code: str) -> Locator:
    return page.locator("#result_list tbody").filter(has=page.locator(f".field-name:has-text('{code}')"))


def codes(page: Page) -> list[str]:
    return [text.strip() for text in page.locator("#result_list td.field-name").all_inner_texts()]


def edits(page: Page) -> None:
    """A double click opens a cell, Enter saves it; Tab saves and goes on to the next; Esc leaves it."""
    first = row(page, "SQ010_SH0010")
    cell = first.locator("[data-cell=what]")
    cell.dblclick()
    text = first.locator("[name=description]")
    text.fill("She looks for the splinter.")
    text.press("Enter")
    expect(cell).to_have_text("She looks for the splinter.")
    expect(page.locator(".sf-said")).to_contain_text("SQ010_SH0010 is saved.")
    expect(cell).to_be_focused()
    cell.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(first.locator("[data-cell=place]")).to_be_focused()
    page.keyboard.press("Enter")
    place = first.locator("select[name=location]")
    place.select_option(index=2)
    wanted = place.locator("option:checked").inner_text()
    place.press("Tab")
    expect(first.locator("[data-find]")).to_be_focused()  # of the presets
    page.keyboard.press("Tab")
    expect(first.locator("[name=frames]")).to_be_focused()
    shown = first.locator("[data-cell=place]").inner_text()
    assert shown in wanted and shown != "–"
    first.locator("[name=frames]").press("Escape")
    expect(first.locator("[data-cell=length]")).to_be_focused()


def goes_on_while_it_is_saved(page: Page) -> None:
    """A cell that is pressed while another is saved waits for that, and opens; nothing typed is lost."""
    first, second = row(page, "SQ010_SH0010"), row(page, "SQ010_SH0020")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/cell/", hold)
    first.locator("[data-cell=what]").dblclick()
    text = first.locator("[name=description]")
    text.fill("She finds it.")
    second.locator("[data-cell=what]").dblclick()
    assert text.evaluate("field => field.closest('form').inert")
    page.keyboard.press("Escape")
    held[0].continue_()
    page.unroute("**/cell/", hold)
    expect(second.locator("[name=description]")).to_be_focused()
    expect(first.locator("[data-cell=what]")).to_have_text("She finds it.")
    assert len(held) == 1
    page.keyboard.press("Escape")


def is_refused_when_stale(page: Page) -> None:
    """What another tab saved meanwhile is shown beside what was typed; saving again is a decision."""
    first = row(page, "SQ010_SH0010")
    key = first.locator("[data-shot]").get_attribute("data-shot")
    first.locator("[data-cell=length]").press("Enter")
    frames = first.locator("[name=frames]")
    version = int(first.locator("[name=row_version]").input_value())
    assert page.evaluate(CHANGE, [key, version, {"frames": 77}]) == 200
    frames.fill("99")
    frames.press("Enter")
    expect(first.locator(".sf-meanwhile")).to_contain_text("77")
    expect(first.locator(".sf-meanwhile")).to_contain_text("coordinator")
    expect(frames).to_have_value("99")
    row(page, "SQ010_SH0020").locator("[data-cell=length]").dblclick()  # decides nothing: theirs stands
    expect(frames).to_be_focused()
    expect(first.locator(".sf-meanwhile")).to_contain_text("77")
    frames.press("Enter")
    expect(first.locator("[data-cell=length]")).to_contain_text("99 ·")
    first.locator("[data-cell=length]").press("Enter")
    frames.fill("0")
    frames.press("Enter")
    expect(first.locator("[role=alert]")).to_be_visible()
    expect(frames).to_have_value("0")
    frames.press("Escape")
    expect(first.locator("[data-cell=length]")).to_contain_text("99 ·")


def chips_of(shot: Locator) -> Locator:
    return shot.locator("[data-chips] [data-chip]")


def picks(page: Page) -> None:
    """Chips, by the keyboard alone: letters find, Enter picks, Delete takes away, Tab saves and goes on."""
    shot = row(page, "SQ010_SH0010")
    cast = shot.locator("[data-cell=cast]")
    cast.press("Enter")
    expect(shot.locator("[data-find]")).to_be_focused()
    for letters in ("kai", "gerda"):
        page.keyboard.type(letters)
        page.keyboard.press("Enter")  # picks once the farm has answered the last letter
        expect(shot.locator("[data-find]")).to_have_value("")
    expect(chips_of(shot)).to_have_text([re.compile("Kai"), re.compile("Gerda")])
    for key in ("ArrowLeft", "ArrowLeft", "Delete"):
        page.keyboard.press(key)
    expect(chips_of(shot)).to_have_text([re.compile("Gerda")])
    page.keyboard.press("ArrowRight")
    picks_once(page, shot)
    page.keyboard.press("Tab")
    expect(shot.locator("[name=location]")).to_be_focused()
    expect(cast).to_have_text("Gerda")
    page.keyboard.press("Escape")


def picks_once(page: Page, shot: Locator) -> None:
    """However often somebody clicks before the farm answers; and never what answered other letters."""
    kai = shot.locator("[role=option]").filter(has_text="Kai")
    page.keyboard.type("kai")
    expect(shot.locator("[role=option]")).to_have_count(1)
    page.route("**/choices/*", lambda route: route.abort())
    kai.dblclick()
    kai.click()
    expect(chips_of(shot)).to_have_text([re.compile("Gerda"), re.compile("Kai")])
    page.keyboard.type("robber")
    page.keyboard.press("Enter")
    expect(page.locator(".sf-said")).to_contain_text("cannot be reached")
    page.unroute("**/choices/*")
    expect(chips_of(shot)).to_have_count(2)
    page.keyboard.press("Escape")
    page.keyboard.press("Backspace")
    expect(chips_of(shot)).to_have_text([re.compile("Gerda")])


@contextmanager
def choices_held(page: Page) -> Iterator[None]:
    """Let the farm's word on what may be picked come late: when the block is over. It was asked for in it."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/choices/*", hold)
    yield
    held[-1].continue_()
    page.unroute("**/choices/*", hold)


def is_warned(page: Page) -> None:
    """One of an exclusive category makes way; what breaks a rule is told before it is saved."""
    shot = row(page, "SQ010_SH0010")
    presets = shot.locator("[data-cell=used_presets]")
    presets.press("Enter")
    expect(chips_of(shot).first).to_contain_text("Establishing shot")
    count = chips_of(shot).count()
    page.keyboard.type("medium close")
    page.keyboard.press("Enter")
    expect(chips_of(shot).last).to_contain_text("Medium close-up")
    expect(chips_of(shot)).to_have_count(count)
    page.keyboard.type("dolly zoom")
    expect(shot.locator("[role=option][aria-selected=true]")).to_contain_text("Dolly zoom")
    with choices_held(page):
        page.keyboard.press("Enter")
        expect(chips_of(shot).last).to_contain_text("Dolly zoom")
        page.keyboard.press("Enter")
        page.wait_for_timeout(100)
    expect(shot.locator("[data-rules]")).to_contain_text("A dolly zoom needs")
    expect(shot.locator("[data-find]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(presets).to_contain_text("Aerial")
    expect(presets).to_be_focused()


def is_kept_when_stale(page: Page) -> None:
    """What another tab cast meanwhile is shown beside what was picked; to leave it takes theirs."""
    shot = row(page, "SQ010_SH0010")
    key = shot.locator("[data-shot]").get_attribute("data-shot")
    shot.locator("[data-cell=cast]").press("Enter")
    version = int(shot.locator("[name=row_version]").input_value())
    assert page.evaluate(CHANGE, [key, version, {"casting": []}]) == 200
    page.keyboard.type("kai")
    expect(shot.locator("[role=option][aria-selected=true]")).to_contain_text("Kai")
    with choices_held(page):
        page.keyboard.press("Enter")
        expect(chips_of(shot)).to_have_count(2)
        page.keyboard.press("Enter")  # before the farm has said what else there is
        page.wait_for_timeout(100)
    expect(shot.locator(".sf-meanwhile")).to_contain_text("coordinator")
    expect(chips_of(shot)).to_have_text([re.compile("Gerda"), re.compile("Kai")])
    page.keyboard.press("Escape")
    expect(shot.locator("[data-cell=cast]")).to_have_text("–")


def is_put_in_order(page: Page, url: str) -> None:
    """In a list of one sequence a row is dragged by its handle, or moved by the arrow keys."""
    page.goto(url)
    before = codes(page)
    assert len(before) > 3
    grip = row(page, before[0]).locator(".sf-grip")
    box = row(page, before[2]).bounding_box()
    assert box is not None
    grip.hover()
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + box["height"] / 2, steps=6)
    page.mouse.up()
    expect(page.locator(".sf-said")).to_contain_text("The order is saved.")
    dragged = [before[1], before[2], before[0], *before[3:]]
    assert codes(page) == dragged
    with page.expect_response("**/reorder/") as answered:
        grip.press("ArrowUp")
    assert answered.value.ok
    expect(page.locator(".sf-list:not(.sf-busy)")).to_be_visible()
    moved = [before[1], before[0], *before[2:]]
    assert codes(page) == moved
    page.reload()
    assert codes(page) == moved


def is_a_gallery(page: Page) -> None:
    """The same filters and rows as cards; a clip plays under the pointer; remembered."""
    shown = codes(page)
    page.get_by_role("button", name="Gallery").click()
    expect(page.locator(".sf-gallery")).to_be_visible()
    assert codes(page) == shown
    holder = page.locator("[data-clip]")
    holder.hover()
    page.wait_for_selector("[data-clip] video")
    holder.locator("video").evaluate(PLAYS)
    page.mouse.move(2, 2)
    expect(holder.locator("video")).to_have_count(0)
    page.reload()
    expect(page.locator(".sf-gallery")).to_be_visible()


def is_changed_with_others(page: Page, address: str) -> None:
    """Whoever writes a value for many shots sees it ticked."""
    page.goto(address)
    page.locator("input.action-select").first.check()
    page.get_by_role("button", name="Change…").click()
    page.locator("[name=frames]").fill("48")
    expect(page.locator("input[name=set][value=frames]")).to_be_checked()
    expect(page.locator("input[name=set]:checked")).to_have_count(1)


def keeps_its_fields_when_a_file_is_picked(page: Page, address: str) -> None:
    """The theme writes a picked file's name into the first text field nearby, which is none of its own."""
    page.goto(address)
    code = page.locator("[name=code]")
    before = code.input_value()
    page.locator("summary").filter(has_text="Material").click()
    file = {"name": "plate.png", "mimeType": "image/png", "buffer": b"-"}
    page.locator("#material-files").set_input_files(file)  # type: ignore[arg-type]  # its FilePayload
    expect(code).to_have_value(before)
    names = page.locator("input[type=text]").evaluate_all("fields => fields.map(field => field.value)")
    assert "plate.png" not in names


def test_the_list_of_shots(studio: tuple[Farm, dict[str, Any]], browser: Browser) -> None:
    farm, rows = studio
    with visit(browser, "shot-list") as visitor:
        _log_in(farm, visitor)
        page = visitor.page
        address = f"{farm.plan.web_url}/admin/productions/shot/?project__id__exact={rows['project']}"
        page.goto(address)
        expect(page.locator(".sf-said")).to_contain_text("narrow the list to one sequence")
        edits(page)
        goes_on_while_it_is_saved(page)
        is_refused_when_stale(page)
        picks(page)
        is_warned(page)
        is_kept_when_stale(page)
        is_changed_with_others(page, address)
        keeps_its_fields_when_a_file_is_picked(
            page, f"{farm.plan.web_url}/admin/productions/sequence/{rows['sequence']}/change/"
        )
        is_put_in_order(page, f"{address}&sequence__id__exact={rows['sequence']}")
        is_a_gallery(page)
        refused = re.compile(
            r"(400|409) POST \S+/cell/|net::ERR_FAILED GET \S+/choices/"
            r"|error: Failed to load resource: (.* (400|409) |net::ERR_FAILED)"
        )
        complaints = visitor.watch.complaints
        complaints[:] = [one for one in complaints if not refused.match(one)]


def _log_in(farm: Farm, visitor: Visit) -> None:
    visitor.log_in(farm.plan.web_url, user="coordinator", password=farm.home.secrets.coordinator)

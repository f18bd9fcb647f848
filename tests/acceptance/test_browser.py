"""What a coordinator does all day, in a real browser against the real processes, in both languages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.acceptance.browser import PATIENCE_MS, Visit, visit
from tests.acceptance.farm_fixture import Farm

pytestmark = pytest.mark.timeout(400)
expect.set_options(timeout=PATIENCE_MS)

# A keyframe takes some seconds here: long enough to watch it. The one that is cancelled stands still.
KNOBS = ("--seconds-per-step", "0.4", "--model-load-seconds", "0", "--faults")
COLLECT = "from farm.demo.stage import collect_static; collect_static()"


@dataclass(frozen=True)
class Words:
    """What the pages say. ``sequence``: whose first two shots are rendered."""

    locale: str
    sequence: str
    render: str
    render_now: str
    running: str
    succeeded: str
    cancel: str
    cancel_it: str
    cancelled: str
    requeue: str
    approve: str
    approved: str
    retake: str
    retaken: str
    shots: str


ENGLISH = Words(
    locale="en-GB",
    sequence="SQ010",
    render="Render…",
    render_now="Render",
    running="running",
    succeeded="succeeded",
    cancel="Cancel…",
    cancel_it="Cancel it",
    cancelled="cancelled",
    requeue="Requeue",
    approve="Approve",
    approved="approved",
    retake="Retake",
    retaken="retake",
    shots="Shots",
)
KOREAN = Words(
    locale="ko-KR",
    sequence="SQ020",
    render="렌더…",
    render_now="렌더",
    running="렌더 중",
    succeeded="완료",
    cancel="취소…",
    cancel_it="취소하기",
    cancelled="취소됨",
    requeue="다시 대기열에",
    approve="승인",
    approved="승인",
    retake="리테이크",
    retaken="리테이크",
    shots="샷",
)


PLAY_ON = """video => new Promise((done, fail) => {
    setTimeout(() => fail(new Error(`the film stands still at ${video.currentTime} s`)), 20000);
    video.addEventListener("timeupdate", () => video.currentTime > 0.3 && done(video.currentTime));
    video.muted = true;
    video.play();
})"""
"""Play, and return where the film is when it has moved on. (Playwright's wait_for_function compiles a
string, which the pages' content security policy refuses.)
"""


@pytest.fixture
def studio(farm: Callable[..., Farm]) -> Farm:
    """A farm with a web side; a node that holds the video model waits to be started."""
    made = farm(vram=[24], knobs=KNOBS)
    made.coordinate(COLLECT)
    made.serve()
    return made


def mark(page: Page) -> str:
    """Write a mark into this document that a reload would wash away."""
    sign = uuid4().hex
    page.evaluate("sign => { window.sign = sign }", sign)
    return sign


def percents(page: Page, bar: Locator, *, at_least: int) -> list[int]:
    """Watch a progress bar until it has stood at so many different places; return them in order."""
    seen: list[int] = []
    for _ in range(PATIENCE_MS // 100):
        if bar.count():
            value = int(bar.first.get_attribute("value") or 0)
            if value not in seen:
                seen.append(value)
        if len(seen) >= at_least:
            return seen
        page.wait_for_timeout(100)
    pytest.fail(f"the progress bar stood still: {seen}")


def select_and_render(visitor: Visit, words: Words, *shots: str, clip: str = "") -> None:
    """From the sidebar to a submitted batch, by the mouse alone."""
    page = visitor.page
    page.locator("#nav-sidebar a", has_text=words.shots).first.click()
    page.wait_for_url("**/productions/shot/")
    for shot in shots:
        named = page.locator(".field-name", has_text=shot)  # and not merely continued from there
        row = page.locator("#result_list tr").filter(has=named)
        row.locator("input.action-select").check()
    page.get_by_role("button", name=words.render, exact=True).click()
    page.locator("select[name=picture]").select_option("sd15_t2i")
    page.locator("input[name=picture_width]").fill("512")
    page.locator("input[name=picture_height]").fill("288")
    page.locator("select[name=clip]").select_option(clip)  # the recommended one stands there
    if clip:
        page.locator("input[name=clip_width]").fill("448")
        page.locator("input[name=clip_height]").fill("256")
        page.locator("input[name=frames]").fill("17")
    expect(page.locator("#preview table.sf-tight").first).to_be_visible()
    page.get_by_role("button", name=words.render_now).and_(page.locator("[name=submit]")).click()
    page.wait_for_url("**/renders/renderbatch/*/change/")


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(ENGLISH, id="English", marks=pytest.mark.once),  # each database has a language
        pytest.param(KOREAN, id="Korean", marks=pytest.mark.production),
    ],
)
@pytest.mark.long
def test_a_coordinator_renders_watches_cancels_requeues_and_decides(
    studio: Farm, browser: Browser, words: Words
) -> None:
    first, second = f"{words.sequence}_SH0010", f"{words.sequence}_SH0020"
    studio.start("coordinator", "media", "ticker", "comfyui-gpu24-sim", "gpu24-sim")
    with visit(browser, f"coordinator-{words.locale}", locale=words.locale) as visitor:
        page = visitor.page
        visitor.log_in(studio.plan.web_url, user="coordinator", password=studio.home.secrets.coordinator)
        assert page.evaluate("document.documentElement.lang") == words.locale[:2]

        # a keyframe and a clip from it: progress moves, then the takes come, all by itself
        select_and_render(visitor, words, first, clip="wan22_i2v")
        sign = mark(page)
        keyframe = page.locator("table.sf-table tbody tr").first
        seen = percents(page, keyframe.locator("progress"), at_least=2)
        assert seen == sorted(seen)
        rows = page.locator("table.sf-table tbody tr")
        expect(rows.filter(has_text=words.succeeded)).to_have_count(2)
        expect(page.locator("table a[href*='/review/take/']")).to_have_count(2)
        assert page.evaluate("window.sign") == sign, "the page was loaded again in between"

        # one running job is cancelled, and goes back into the queue
        studio.arm(0, "hang:at=step,after=8")
        select_and_render(visitor, words, second)
        sign = mark(page)
        running = page.locator("table.sf-table tbody tr").filter(has_text=second)
        expect(running.locator("progress")).to_have_count(1)
        percents(page, running.locator("progress"), at_least=2)
        running.locator("a[href*='/renders/job/']").click()
        job = page.url
        page.get_by_role("link", name=words.cancel).click()
        page.get_by_role("button", name=words.cancel_it).click()
        expect(page.locator("[id^=job-state]")).to_contain_text(words.cancelled)
        studio.arm(0)
        studio.wait_until(
            lambda: not studio.comfyui(0, "/queue")["queue_running"], "ComfyUI has been interrupted"
        )
        page.get_by_role("button", name=words.requeue).click()
        page.wait_for_url(job)
        sign = mark(page)
        expect(page.locator("[id^=job-state]")).to_contain_text(words.succeeded)
        expect(page.locator("[id^=job-take] a")).to_be_visible()
        assert page.evaluate("window.sign") == sign, "the page was loaded again in between"

        # the picture is there to look at, and is approved
        page.locator("[id^=job-take] a").click()
        image = page.locator(".sf-stage img")
        expect(image).to_be_visible()
        assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") == 512
        page.get_by_role("button", name=words.approve, exact=True).click()
        expect(page.locator(".sf-badge").filter(has_text=words.approved).first).to_be_visible()

        # the clip plays, and is asked for again with a note
        take = studio.rows(
            "SELECT review_take.id FROM review_take WHERE kind = 'clip' ORDER BY created_at DESC"
        )
        studio.wait_until(
            lambda: studio.rows(
                "SELECT 1 FROM review_take WHERE id = %s AND media_state = 'ready'", take[0]["id"]
            ),
            "the clip has its proxy",
        )
        page.goto(f"{studio.plan.web_url}/admin/review/take/?kind__exact=clip")
        page.locator("#result_list tr").filter(has_text=first).locator("a").first.click()
        video = page.locator("video")
        assert video.evaluate(PLAY_ON) > 0.3
        assert video.evaluate("video => [video.videoWidth, video.videoHeight]") == [448, 256]
        page.locator("input[name=note]").fill("slower")
        page.get_by_role("button", name=words.retake, exact=True).click()
        expect(page.locator(".sf-badge").filter(has_text=words.retaken).first).to_be_visible()

    decided = studio.rows(
        "SELECT kind, review_state FROM review_take WHERE shot_id IN (SELECT id FROM productions_shot "
        "WHERE sequence_id = (SELECT id FROM productions_sequence WHERE code = %s)) ORDER BY created_at",
        words.sequence,
    )
    assert [tuple(row.values()) for row in decided] == [
        ("keyframe", "pending"),
        ("clip", "retake"),
        ("keyframe", "approved"),
    ]


UNREADABLE = r"""() => [...document.querySelectorAll("*")]
    .flatMap(element => [...element.attributes])
    .filter(one => one.name.startsWith("x-"))
    .filter(one => /\b(window|document|localStorage|if)\b|=>|;\s*\S/.test(one.value))
    .map(one => `${one.name}="${one.value}"`)"""
"""Alpine's CSP build reads single expressions without globals; others fail when they are used."""


HEAR = "() => htmx.trigger('#farm', 'news')"
"""What the farm page does when it hears of a change."""


def press_across_a_redraw(page: Page, farm: str) -> None:
    """Hold a button of the farm page down while the page is drawn again: it counts, the focus stays."""
    page.goto(farm)
    with page.expect_response("**/desk/farm/live/**"):
        page.locator("#why-paused-farm").fill("power cut")
        page.evaluate(HEAR)
    pause = page.get_by_role("button", name="Pause the farm")
    pause.hover()
    with page.expect_response("**/desk/farm/live/**"):
        page.mouse.down()
        page.evaluate(HEAR)
    with page.expect_response("**/desk/farm/live/**"):
        pass  # what the one before brought is in the page by now, unless it was kept out; it is fetched again
    page.mouse.up()
    expect(page.locator("#farm")).to_contain_text("power cut")
    go_on = page.get_by_role("button", name="Let the farm go on")
    go_on.focus()
    page.locator("#farm").evaluate("farm => { farm.dataset.old = 1 }")
    page.evaluate(HEAR)
    expect(page.locator("#farm[data-old]")).to_have_count(0)
    expect(go_on).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#farm")).not_to_contain_text("power cut")


@pytest.mark.once
def test_every_page_opens_without_a_complaint_and_its_menus_work(studio: Farm, browser: Browser) -> None:
    with visit(browser, "every-page") as visitor:
        page = visitor.page
        visitor.log_in(studio.plan.web_url, user="admin", password=studio.home.secrets.admin)
        sections = page.locator("#nav-sidebar a[href*='/admin/']").evaluate_all(
            "links => links.map(link => link.href)"
        )
        assert len(sections) > 12
        for section in dict.fromkeys([*sections, f"{studio.plan.web_url}/api/docs/"]):
            page.goto(section)
            rows = page.locator("#result_list th a, #result_list .field-name a")
            inner = rows.evaluate_all("links => links.map(link => link.href)")[:1]
            added = page.locator("a[href$='/add/']").evaluate_all("links => links.map(link => link.href)")
            assert page.evaluate(UNREADABLE) == []
            for address in [*inner, *added[:1]]:
                page.goto(address)
                assert page.evaluate(UNREADABLE) == []
        expect(page.locator("#swagger-ui .info .title")).to_contain_text("Shotfarm")

        press_across_a_redraw(page, f"{studio.plan.web_url}/admin/desk/farm/")

        page.goto(f"{studio.plan.web_url}/admin/productions/shot/")
        page.locator("[x-on\\:click^=sidebarDesktopOpen]").click()
        expect(page.locator("#nav-sidebar")).to_be_hidden()
        page.reload()
        expect(page.locator("#nav-sidebar")).to_be_hidden()
        page.locator("[x-on\\:click^=sidebarDesktopOpen]").click()
        page.locator("[x-on\\:click^=openUserLinks]").first.click()
        page.locator("[x-on\\:click*=light]").click()
        expect(page.locator("html")).to_have_class("light")
        page.set_viewport_size({"width": 1200, "height": 900})
        page.locator("[x-on\\:click='filterOpen = true']").first.click()
        expect(page.locator("#changelist-filter")).to_be_visible()


@pytest.mark.once
def test_a_script_that_got_into_a_page_does_not_run(studio: Farm, browser: Browser) -> None:
    evil = (
        "<script>window.owned = 1</script><img src='/nothing-here.png' onerror='window.owned = 2'>"
        '<p x-data="{ a: 1 }" x-init="window.owned = 3"></p><a href=\'javascript:window.owned=4\'>x</a>'
    )
    with visit(browser, "injected") as visitor:
        page = visitor.page

        def inject(route: Route) -> None:
            answer = route.fetch()
            headers = {name: text for name, text in answer.headers.items() if name != "content-length"}
            body = answer.text().replace("</body>", f"{evil}</body>")
            route.fulfill(status=answer.status, headers=headers, body=body)

        page.route(lambda url: "/admin/login/" in url, inject)
        page.goto(f"{studio.plan.web_url}/admin/login/?next=/admin/")
        page.evaluate("document.querySelector('a[href^=javascript]').click()")
        page.wait_for_timeout(500)  # were it to run, it would have by now
        assert "window.owned" in page.content(), "nothing was injected"
        assert page.evaluate("window.owned") is None
        refused = [line for line in visitor.watch.complaints if "Content Security Policy" in line]
        assert len(refused) >= 3, visitor.watch.complaints
        visitor.watch.complaints.clear()


@pytest.mark.once
def test_a_take_arrives_on_an_open_page_because_it_is_told_of_not_because_the_page_asks(
    studio: Farm, browser: Browser
) -> None:
    studio.start("coordinator", "media", "ticker", "comfyui-gpu24-sim", "gpu24-sim")
    (shot,) = studio.rows(
        "SELECT productions_shot.id FROM productions_shot JOIN productions_sequence AS s "
        "ON s.id = sequence_id WHERE s.code = 'SQ010' ORDER BY productions_shot.code LIMIT 1"
    )
    with visit(browser, "told") as visitor:
        page = visitor.page
        visitor.log_in(studio.plan.web_url, user="coordinator", password=studio.home.secrets.coordinator)
        expect(page.locator("#home")).to_be_visible()  # signed in
        # A clock that stands still: no part of the page ever finds that it has not looked for long enough.
        page.add_init_script("(() => { const since = Date.now(); Date.now = () => since; })()")
        page.goto(f"{studio.plan.web_url}/admin/productions/shot/{shot['id']}/change/")
        expect(page.locator("#sf-live.sf-on")).to_have_text("live")
        sign = mark(page)
        takes = page.locator("#shot-takes a[href*='/review/take/']")
        expect(takes).to_have_count(0)
        studio.submit(shots=1, step='template="sd15_t2i", width=512, height=288', key="told")
        expect(takes.first).to_be_visible()
        assert page.evaluate("window.sign") == sign, "the page was loaded again in between"

        # away: said so, and the page looks by itself; back: heard again
        studio.rest("broker")
        expect(page.locator("#sf-live:not(.sf-on)")).to_have_text("reconnecting…")
        studio.start("broker")
        expect(page.locator("#sf-live.sf-on")).to_have_text("live")

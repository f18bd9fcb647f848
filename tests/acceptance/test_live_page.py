"""Parts of pages that keep themselves current: their script alone, in a browser, by a clock of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, Page

from tests.acceptance.browser import visit

pytestmark = [pytest.mark.timeout(120), pytest.mark.once]

SCRIPT: Final = Path(__file__).resolve().parents[2] / "static" / "shotfarm" / "live.js"
PAGE: Final = """
<p id="sf-live" data-events="/events" data-now="1000" data-live="live" data-away="away"><i></i></p>
<section id="part" data-news="job" data-gap="5"></section>
"""
STAGE: Final = """
window.looks = 0;
window.htmx = { trigger: () => { window.looks += 1; } };
window.EventSource = class extends EventTarget {
  constructor() { super(); window.source = this; }
  close() {}
};
window.away = (hidden) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event("visibilitychange"));
};
window.say = (name, data) =>
  window.source.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data), lastEventId: "1-0" }));
"""


def begins(page: Page) -> None:
    page.clock.install()
    page.set_content(PAGE)
    page.add_script_tag(content=STAGE)
    page.add_script_tag(content=SCRIPT.read_text())
    page.evaluate("document.dispatchEvent(new Event('DOMContentLoaded'))")
    page.evaluate("window.dispatchEvent(new Event('pageshow'))")
    page.evaluate("say('hello', {missed: false})")


def looks(page: Page) -> int:
    return int(page.evaluate("looks"))


def changes(page: Page) -> None:
    page.evaluate("say('changed', {kind: 'job', project: null, ids: [], within: [], many: false})")


def test_what_changed_just_before_a_tab_was_left_is_looked_at_when_it_is_shown_again(
    browser: Browser,
) -> None:
    with visit(browser, "live") as visitor:
        page = visitor.page
        begins(page)
        changes(page)
        changes(page)
        page.clock.run_for(6_000)
        assert looks(page) == 1
        changes(page)  # within its gap: it will look a little later, and then nobody is there
        page.evaluate("away(true)")
        page.clock.run_for(10_000)
        assert looks(page) == 1
        page.evaluate("away(false)")
        page.clock.run_for(3_000)
        assert looks(page) == 2


def test_what_only_rides_looks_where_others_listen_and_opens_no_stream_alone(browser: Browser) -> None:
    rides = '<span id="unread" data-news="notice" data-rides></span>'
    with visit(browser, "live-rides") as visitor:
        page = visitor.page
        page.clock.install()
        page.set_content(PAGE.replace('<section id="part" data-news="job" data-gap="5"></section>', rides))
        page.add_script_tag(content=STAGE)
        page.add_script_tag(content=SCRIPT.read_text())
        page.evaluate("document.dispatchEvent(new Event('DOMContentLoaded'))")
        page.evaluate("window.dispatchEvent(new Event('pageshow'))")
        page.clock.run_for(120_000)
        assert page.evaluate("window.source === undefined") and looks(page) == 0
        page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p id=part data-news=job></p>')")
        page.evaluate("window.dispatchEvent(new Event('pageshow'))")
        page.evaluate("say('hello', {missed: false})")
        page.clock.run_for(5_000)  # what has not looked for long looks at once
        page.evaluate("window.looks = 0")
        told = "{kind: 'notice', project: null, ids: ['me'], within: [], many: false}"
        page.evaluate(f"say('changed', {told})")
        page.clock.run_for(1_000)
        assert looks(page) == 1

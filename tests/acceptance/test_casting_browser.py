"""A sequence is cast by mouse and keys, in a real browser against the real web side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.acceptance.browser import PATIENCE_MS, visit
from tests.acceptance.farm_fixture import Farm

pytestmark = [pytest.mark.timeout(300), pytest.mark.once]
expect.set_options(timeout=PATIENCE_MS)

STAGE: Final = """
from apps.characters.models import Costume
from apps.productions.models import Sequence, ShotCharacter
from farm.demo.stage import collect_static

collect_static()
sequence = Sequence.objects.order_by("order", "code")[0]
shots = list(sequence.shots.order_by("order", "code")[:4])
ShotCharacter.objects.filter(shot__sequence=sequence).delete()
people = list(sequence.project.characters.order_by("code")[:2])
costume, _made = Costume.objects.get_or_create(character=people[0], name="oilskin", prompt="an oilskin")
answer({
    "sequence": str(sequence.pk), "shots": [str(shot.pk) for shot in shots],
    "people": [one.code for one in people], "costume": costume.name,
})
"""
THEIRS: Final = """
from apps.accounts.models import User
from apps.productions.casting import ShotCast, cast_shots
from apps.productions.editing import Part
from apps.productions.models import Shot
shot = Shot.objects.get(pk={shot!r})
cast = ShotCast(shot=shot.pk, row_version=shot.row_version, casting=[Part(character={character!r})])
cast_shots(shot.project, [cast], user=User.objects.get(username="admin"))
answer(shot.full_code)
"""
CASTS: Final = """
from apps.productions.models import ShotCharacter
rows = ShotCharacter.objects.filter(shot__in={shots!r}).order_by("shot__order", "order")
names = ("shot", "character__code", "costume__name", "action")
answer([[str(one) if one else "" for one in row] for row in rows.values_list(*names)])
"""


def cell(page: Page, row: int, col: int) -> Locator:
    return page.locator(f"tr[data-row='{row}'] td[data-col='{col}']")


def cast_count(page: Page, count: int) -> None:
    expect(page.locator("td.sf-cast-on")).to_have_count(count)


def save(page: Page) -> None:
    page.locator("[data-do=save]").click()


def test_a_coordinator_casts_a_sequence_by_mouse_and_keys(
    farm: Callable[..., Farm], browser: Browser
) -> None:
    made = farm(vram=[])
    told: dict[str, Any] = made.coordinate(STAGE)
    shots: list[str] = told["shots"]
    made.serve()

    def casts() -> list[list[str]]:
        rows: list[list[str]] = made.coordinate(CASTS.format(shots=shots))
        return rows

    with visit(browser, "casting") as visitor:
        page = visitor.page
        visitor.log_in(made.plan.web_url, user="coordinator", password=made.home.secrets.coordinator)
        page.goto(f"{made.plan.web_url}/admin/productions/shot/casting/?sequence={told['sequence']}")
        cast_count(page, 0)

        # a click casts; what is written of one is filled down by dragging
        cell(page, 0, 0).click()
        cast_count(page, 1)
        page.locator("#cast-costume").select_option(told["costume"])
        page.locator("#cast-action").fill("runs")
        cell(page, 1, 1).hover()  # what is written is kept whatever is pressed next
        page.keyboard.down("Control")
        page.mouse.down()
        page.mouse.up()
        page.keyboard.up("Control")
        expect(cell(page, 0, 0)).to_contain_text("runs")
        cell(page, 0, 0).hover()
        page.mouse.down()
        cell(page, 2, 0).hover()
        page.mouse.up()
        cast_count(page, 3)
        # by keys: one to the right and down, cast, and gone again one step back
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Space")
        cast_count(page, 4)
        page.keyboard.press("Control+z")
        cast_count(page, 3)
        page.keyboard.press("Control+s")
        expect(page.locator("[data-said]")).to_contain_text("Saved shots: 3.")
        one = [told["people"][0], told["costume"], "runs"]
        assert casts() == [[shot, *one] for shot in shots[:3]]

        # a row's cast is copied to another; somebody else cast that one meanwhile, and mine is kept
        visitor.watch.complaints.clear()
        made.coordinate(THEIRS.format(shot=shots[3], character=told["people"][1]))
        page.locator("tr[data-row='0'] th").click(position={"x": 4, "y": 4})
        page.get_by_role("button", name="Copy row").click()
        page.locator("tr[data-row='3'] th").click(position={"x": 4, "y": 4})
        page.get_by_role("button", name="Give to these rows").click()
        cast_count(page, 4)
        save(page)
        expect(page.locator("[data-conflict]")).to_contain_text("admin changed the cast of")
        expect(cell(page, 3, 0)).to_contain_text("runs")
        page.get_by_role("button", name="Keep mine").click()
        save(page)
        expect(page.locator("[data-said]")).to_contain_text("Saved shots: 1.")
        assert casts() == [[shot, *one] for shot in shots]

        # and it is taken back
        page.locator("[data-said] button").click()
        expect(cell(page, 3, 1)).to_have_class("sf-cast-on")
        assert casts()[3][1] == told["people"][1]
        conflict = [one for one in visitor.watch.complaints if "409" in one]
        assert visitor.watch.complaints == conflict
        visitor.watch.complaints.clear()

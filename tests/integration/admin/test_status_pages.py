"""Statuses and automations by hand; what a shot continues is typed; what is refused stands by its field."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.productions.models import Automation, Shot, ShotStatus
from tests.factories import MembershipFactory, ProjectFactory, SequenceFactory, ShotFactory, UserFactory
from tests.integration.admin.html_forms import form_with

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser() -> Client:
    """Root's browser."""
    root: User = UserFactory.create(is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(root)
    return client


def save(browser: Client, address: str, **fields: Any) -> str:
    answer = browser.post(address, fields, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_status_is_added_shown_and_archived(browser: Client) -> None:
    fields = {"slug": "wfa", "state": "review", "name": "Waiting for approval", "order": 35, "colour": "teal"}
    save(browser, reverse("admin:productions_shotstatus_add"), **fields, is_artist_allowed="on")
    row = ShotStatus.objects.get(pk="wfa")
    assert (row.state, row.renderable, row.is_artist_allowed) == ("review", True, True)
    page = reverse("admin:productions_shotstatus_change", args=["wfa"])
    save(browser, page, **fields, archived="on", row_version=row.row_version)
    assert ShotStatus.objects.get(pk="wfa").archived
    shown = save(browser, page, **fields | {"colour": "pink"}, row_version=row.row_version + 1)
    assert "pink is not one of the available choices" in shown
    ready = browser.get(reverse("admin:productions_shotstatus_change", args=["ready"])).content.decode()
    assert '<option value="sky" selected>' in ready  # as it came with the release: a blue
    assert '<option value="blue"' not in ready


def test_an_automation_is_written_and_a_circle_refused_on_its_form(browser: Client) -> None:
    add = reverse("admin:productions_automation_add")
    fields = {"name": "final at once", "order": 100, "active": "on", "deed": "move"}
    save(browser, add, **fields, trigger="shot_reached", status="approved", target="review")
    assert Automation.objects.get(name="final at once").from_states == []
    fields["name"] = "back again"
    shown = save(browser, add, **fields, trigger="shot_reached", status="review", target="approved")
    assert "this would go round for ever" in shown
    assert not Automation.objects.filter(name="back again").exists()
    listed = browser.get(reverse("admin:productions_automation_changelist")).content.decode()
    assert "a shot reaches a status: Approved → move the shot to a status: In review" in listed
    assert "Show all" not in listed
    listed = browser.get(
        reverse("admin:productions_automation_changelist"), {"deed": "move"}
    ).content.decode()
    assert "Show all" in listed


def test_an_automation_that_makes_no_sense_is_told_beside_its_fields_and_never_by_a_constraint(
    browser: Client,
) -> None:
    add = reverse("admin:productions_automation_add")
    fields = {"name": "nowhere", "order": 100, "active": "on", "deed": "move", "trigger": "sequence_reached"}
    shown = save(browser, add, **fields)
    assert "say which status the shot gets" in shown
    assert "say which status it waits for" in shown
    taken = Automation.objects.filter(builtin=True)[0].name
    shown += save(browser, add, **fields | {"name": taken}, status="approved", target="final")
    assert "Automation with this Name already exists." in shown
    assert "is violated" not in shown
    assert not Automation.objects.filter(name="nowhere").exists()


def test_who_may_only_read_an_automation_reads_it_in_words(browser: Client) -> None:
    project = ProjectFactory.create()
    add = reverse("admin:productions_automation_add")
    fields = {"name": "ours", "name_ko": "우리 규칙", "order": 100, "active": "on", "deed": "move"}
    fields |= {"trigger": "take_approved", "stage": "clip", "target": "approved", "from_states": "review"}
    save(browser, add, **fields, project=str(project.pk))
    row = Automation.objects.get(name="ours")
    reader = Client(headers={"accept-language": "ko"})
    reader.force_login(MembershipFactory.create(project=project, user__is_staff=True).user)
    page = reader.get(reverse("admin:productions_automation_change", args=[row.pk])).content.decode()
    for told in ("우리 규칙", "테이크가 승인되면 (클립) → 샷의 상태 바꾸기: 승인", "리뷰 중"):
        assert told in page


def test_a_shot_is_given_what_it_continues_on_its_form_by_its_code(browser: Client) -> None:
    sequence = SequenceFactory.create(project=ProjectFactory.create(), code="SQ010")
    first, second = (ShotFactory.create(sequence=sequence, code=code) for code in ("SH0010", "SH0020"))
    page = reverse("admin:productions_shot_change", args=[second.pk])
    html = browser.get(page).content.decode()
    assert f'<option value="{first.full_code}">' in html
    told = form_with(html, "continues")
    shown = save(browser, page, **told | {"continues": "SQ010_SH0090"})
    assert "There is no shot SQ010_SH0090 in this project" in shown
    save(browser, page, **told | {"continues": "SQ010_SH0010"})
    assert Shot.objects.get(pk=second.pk).continuity_from == first

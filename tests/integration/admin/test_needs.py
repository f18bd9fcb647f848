"""The page of memory needs: what is declared, what was learned, on what evidence."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import User
from apps.renders.models import Job, Need, NeedTier
from apps.renders.services.needs import settle
from apps.workflows.models import WorkflowTemplateVersion
from tests.factories import JobFactory
from tests.integration.admin.conftest import Browser, Film
from tests.integration.admin.rows import listing, page

pytestmark = pytest.mark.django_db


@pytest.fixture
def need(film: Film, templates: None) -> Need:
    """FLUX in fp8, which declares 16 GB and has done on 12."""
    version = WorkflowTemplateVersion.objects.get(template__slug="flux_t2i")
    sizes = {"width": 1024, "height": 1024, "precision": "fp8", "need_gb": 16.0, "tier_gb": 16}
    job: Job = JobFactory.create(shot=film.shot, template_version=version, **sizes)
    assert job.lane is not None
    need = job.lane.need
    NeedTier.objects.create(
        need=need, tier_gb=12, successes=4, seconds_mean=20.0, seconds_m2=12.0, peak_mib=11_900
    )
    NeedTier.objects.create(need=need, tier_gb=8, ooms=2)
    settle([version.pk])
    need.refresh_from_db()
    return need


def test_the_list_says_what_is_declared_and_what_was_learned(need: Need, as_: Browser) -> None:
    shown = as_("viewer").get(listing(Need)).content.decode()
    for words in ("flux_t2i", "16 GB → 16 GB", "learned", "4 renders", "20 s ± 2.0 s", "peak 11.6 GB"):
        assert words in shown, words
    assert "2 out of memory" in shown


def test_a_longer_list_takes_no_more_queries(need: Need, film: Film, as_: Browser) -> None:
    def queries() -> int:
        browser.get(listing(Need))
        with CaptureQueriesContext(connection) as seen:
            assert browser.get(listing(Need)).status_code == 200
        return len(seen)

    browser = as_("viewer")
    few = queries()
    for frames in range(2, 12):
        job = JobFactory.create(shot=film.shot, template_version=need.template_version, frames=frames)
        assert job.lane is not None
        NeedTier.objects.create(need=job.lane.need, tier_gb=24, successes=1)
    assert queries() == few


def test_a_needs_page_shows_its_evidence_and_what_the_manifest_says(need: Need, as_: Browser) -> None:
    shown = as_("viewer").get(page(need)).content.decode()
    evidence = next(row for row in need.template_version.manifest["vram"] if row["gb"] == 16)["evidence"]
    assert evidence[:30] in shown
    assert "11.6 GB" in shown
    assert "± 2.0 s" in shown
    assert "too small" not in shown


def test_a_figure_that_is_too_small_is_said_to_be(need: Need, as_: Browser) -> None:
    NeedTier.objects.create(need=need, tier_gb=16, ooms=1)
    assert "figure is too small" in as_("viewer").get(page(need)).content.decode()


def test_whoever_may_makes_the_farm_forget_and_others_are_not_offered_to(
    need: Need, as_: Browser, people: dict[str, User]
) -> None:
    forget = reverse("admin:renders_need_forget", args=[need.pk])
    for address in (page(need), f"{page(need)}?forget=ask"):
        assert forget not in as_("admin").get(address).content.decode()
    assert as_("admin").post(forget).status_code == 403
    people["viewer"].user_permissions.add(Permission.objects.get(codename="change_need"))
    assert "?forget=ask" in as_("viewer").get(page(need)).content.decode()
    assert forget in as_("viewer").get(f"{page(need)}?forget=ask").content.decode()
    as_("viewer").post(forget)
    need.refresh_from_db()
    assert (need.tier_gb, need.learned, need.tiers.count()) == (16, False, 0)
    assert "what was learned is forgotten" in as_("viewer").get(page(need)).content.decode()


def test_many_are_forgotten_from_the_list(need: Need, as_: Browser) -> None:
    tick = {"action": "forget_them", "index": "0", "_selected_action": [str(need.pk)]}
    as_("coordinator").post(listing(Need), tick)
    assert need.tiers.exists()
    as_("root").post(listing(Need), tick)
    assert not need.tiers.exists()

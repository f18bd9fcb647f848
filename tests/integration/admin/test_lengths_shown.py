"""A take's page and its job's page say what the shot asked for and what came back."""

from __future__ import annotations

from fractions import Fraction

import pytest

from apps.renders.models import Job
from apps.review.models import Artifact, Take
from tests.integration.admin.conftest import Browser, Film
from tests.integration.admin.rows import page
from workflows.conforming import Conform, Length

pytestmark = pytest.mark.django_db


def test_pictures_of_a_clip_are_no_short_clip(film: Film, as_: Browser) -> None:
    asked = Conform(Length(48, Fraction(24)), rendered=33, rate=Fraction(16)).as_json()
    Job.objects.filter(pk=film.job.pk).update(length=asked, kind="frames")
    Take.objects.filter(pk=film.take.pk).update(length=asked, kind="frames")
    for row in (film.take, film.job):
        assert "were ordered" not in as_("viewer").get(page(row)).content.decode()


def test_what_is_not_as_asked_for_stands_on_both_pages(film: Film, as_: Browser) -> None:
    asked = Conform(Length(48, Fraction(24000, 1001), head=8, tail=8), rendered=45, rate=Fraction(16))
    Job.objects.filter(pk=film.job.pk).update(length=asked.as_json())
    Take.objects.filter(pk=film.take.pk).update(length=asked.as_json())
    Artifact.objects.filter(take=film.take, role="primary").update(frames=41, fps=16.0)
    for row in (film.take, film.job):
        shown = " ".join(as_("viewer").get(page(row)).content.decode().split())
        assert "48 + 8 + 8 handles = 64 frames @ 24000/1001 fps" in shown
        assert "frames 0 to 43 (exclusive) of 41 @ 16 fps" in shown
        assert "The file has 41 frames; 45 were ordered." in shown
        assert "2 frames at 16 fps are missing" in shown

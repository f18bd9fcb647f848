"""Material that is taken away at the very moment when a job is given it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import transaction

from apps.accounts.models import User
from apps.common.errors import Refused
from apps.materials.models import Material
from apps.materials.services import Added, add_material
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.renders.models import Job
from apps.renders.services.material import remove_material
from tests.factories import ShotFactory
from tests.integration.materials.made import mask, upload
from tests.integration.renders.elsewhere import Elsewhere
from tests.integration.renders.test_material import SIZE, bring, press

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture
def shot(film: Project, templates: None, artifact_root: Path) -> Shot:
    return ShotFactory.create(sequence=film.sequences.get())


def test_who_takes_it_away_while_a_job_is_submitted_waits_and_is_refused(
    shot: Shot, coordinator: User
) -> None:
    bring(shot, coordinator, "plate.png")
    drawn = bring(shot, coordinator, "a_mask.png")
    with transaction.atomic():
        job = press(coordinator, shot)
        other = Elsewhere(lambda: remove_material(drawn, user=coordinator))
        other.meets_our_lock()
    with pytest.raises(Refused, match=job.code):
        other.answer()
    assert Material.objects.get(pk=drawn.pk).removed_at is None


def test_a_job_that_is_submitted_while_it_is_taken_away_waits_and_is_refused(
    shot: Shot, coordinator: User
) -> None:
    bring(shot, coordinator, "plate.png")
    drawn = bring(shot, coordinator, "a_mask.png")
    with transaction.atomic():
        remove_material(drawn, user=coordinator)
        other = Elsewhere(lambda: press(coordinator, shot))
        other.meets_our_lock()
    with pytest.raises(Refused):
        other.answer()
    assert not Job.objects.exists()


def test_two_uploads_of_one_file_at_once_are_one_material(
    shot: Shot, coordinator: User, artifact_root: Path
) -> None:
    def upload_it() -> Added:
        return add_material(shot, upload(mask(SIZE), "a_mask.png"), user=coordinator)

    with transaction.atomic():
        first = upload_it()
        other = Elsewhere(upload_it)
        other.meets_our_lock()
    second = other.answer()
    assert (second.material.pk, second.created) == (first.material.pk, False)
    assert len(list(artifact_root.rglob("*.png"))) == 1, "what the second had put into the store is gone"

"""A small film, an artifact store and a root of published files beside it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from pytest_django import Settings

from apps.folders.services import wanting
from apps.productions.models import Sequence, Shot
from apps.projects.models import Project
from apps.projects.stages import Stage
from apps.review.models import Take
from apps.review.states import Media
from tests.factories import (
    ArtifactFactory,
    CharacterFactory,
    LocationFactory,
    ProjectFactory,
    SequenceFactory,
    ShotFactory,
    TakeFactory,
)


@pytest.fixture
def root(tmp_path: Path, settings: Settings, artifact_root: Path) -> Path:
    """The root of what is published: empty, beside the artifact store."""
    top = tmp_path / "published"
    top.mkdir()
    there = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(top)}}
    settings.STORAGES = {**settings.STORAGES, "published": there}
    return top


@pytest.fixture
def film(db: None) -> Project:
    """FROST: one sequence, two shots, a character, a location."""
    project = ProjectFactory.create(code="FROST", name="Frost")
    sequence = SequenceFactory.create(project=project, code="SQ010", order=10)
    for place, code in enumerate(("SH0010", "SH0020")):
        ShotFactory.create(sequence=sequence, code=code, order=place)
    CharacterFactory.create(project=project, code="CH0001")
    LocationFactory.create(project=project, code="LOC010")
    return project


def sequence_of(film: Project) -> Sequence:
    return Sequence.objects.get(project=film)


def shot_of(film: Project, code: str = "SH0010") -> Shot:
    return Shot.objects.get(project=film, code=code)


def take_of(
    shot: Shot, store: Path, *, number: int = 1, content: bytes = b"a clip", name: str = "clip.mp4"
) -> Take:
    """A clip that came back, with its file in the artifact store."""
    take = TakeFactory.create(shot=shot, number=number, stage=Stage.CLIP, media_state=Media.READY)
    key = f"attempts/{take.attempt_id}/{name}"
    (store / key).parent.mkdir(parents=True)
    (store / key).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    ArtifactFactory.create(take=take, key=key, bytes=len(content), sha256=digest, kind="video")
    return take


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What would be sent to the media worker."""
    sent: list[object] = []
    monkeypatch.setattr(wanting, "request_publication", sent.append)
    monkeypatch.setattr(wanting, "request_folders", sent.append)
    return sent

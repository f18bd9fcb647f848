"""The prototype's pictures and videos become takes, once each; dates of shots come over."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import av
import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from PIL import Image

from apps.productions.models import Shot
from apps.review.models import Artifact, Take
from apps.review.services.media import process_media
from apps.review.states import Media
from tests.integration.prototype.conftest import Data, a_shot

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unheard")]
Write = Callable[[Data], Path]
RENDERED = datetime(2026, 2, 10, 8, 0, tzinfo=UTC)


@pytest.fixture
def unheard(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Media work is asked for, and nobody is there to do it."""
    asked: list[Any] = []
    monkeypatch.setattr("apps.review.services.taking_over.request_media", asked.append)
    return asked


def painted(path: Path, colour: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (32, 18), colour).save(path)
    os.utime(path, (RENDERED.timestamp(), RENDERED.timestamp()))
    return path


def filmed(path: Path) -> Path:
    """Three frames of video."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=24)
        stream.width, stream.height, stream.pix_fmt = 32, 18, "yuv420p"
        for shade in (10, 90, 170):
            picture = Image.new("RGB", (32, 18), (shade, shade, shade))
            frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.fixture
def rendered(folder: Write) -> Path:
    """A project of two shots, with what was rendered of them in its folders."""
    place = folder(
        {
            "project_id": "harbour",
            "description": "",
            "shots": [
                a_shot(
                    10,
                    generated_image_path="scenes/SEQ-001/shots/SHT-00010/render/v001/SHT-00010_render_v001.png",
                    generated_video_path="http://worker:8188/view?filename=lost.mp4",
                    created_at="2026-02-02T10:00:00",
                    updated_at="2026-02-09T18:30:00+09:00",
                    workflow_type="wan_animate",
                ),
                a_shot(20, created_at="yesterday", updated_at="2999-01-01T00:00:00"),
            ],
        }
    )
    shots = place / "scenes/SEQ-001/shots"
    painted(shots / "SHT-00010/render/v001/SHT-00010_render_v001.png", "navy")
    filmed(shots / "SHT-00010/render/v002/SHT-00010_render_v002.mp4")
    painted(shots / "SHT_00020/previz/v001/board.jpg", "teal")
    twin = shots / "SHT-00010/final/v001/SHT-00010_final_v001.png"
    twin.parent.mkdir(parents=True)
    twin.write_bytes((shots / "SHT-00010/render/v001/SHT-00010_render_v001.png").read_bytes())
    (shots / "SHT_00020/render/v001").mkdir(parents=True)
    (shots / "SHT_00020/render/v001/broken.png").write_bytes(b"no picture")
    (shots / "SHT_00020/render/v001/away.png").symlink_to("/etc/hostname")
    return place


def taken_over(place: Path, *options: str) -> dict[str, Any]:
    out = StringIO()
    call_command("import_aipipeline", str(place), "--json", *options, stdout=out)
    report: dict[str, Any] = json.loads(out.getvalue())
    return report


def test_pictures_and_videos_in_its_folders_become_takes_with_their_files(
    rendered: Path, unheard: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        report = taken_over(rendered)
    takes = {(take.shot.code, take.kind, take.stage): take for take in Take.objects.select_related("shot")}
    assert set(takes) == {
        ("SHT-00010", "keyframe", "finish"),
        ("SHT-00010", "clip", "clip"),
        ("SHT-00020", "keyframe", "previz"),
    }
    assert report["created"]["takes"] == 3
    assert report["created"]["bytes of takes"] == sum(Artifact.objects.values_list("bytes", flat=True))
    clip = takes["SHT-00010", "clip", "clip"]
    file = clip.artifacts.get()
    assert (file.width, file.height, file.frames, file.media_type) == (32, 18, 3, "video/mp4")
    with default_storage.open(file.key) as stored:
        assert hashlib.sha256(stored.read()).hexdigest() == file.sha256
    assert (clip.template, clip.number, clip.review_state) == ("AIPipeline wan_animate", 1, "pending")
    assert takes["SHT-00010", "keyframe", "finish"].created_at.year == datetime.now(UTC).year
    assert takes["SHT-00020", "keyframe", "previz"].created_at == RENDERED
    assert set(unheard) == {take.pk for take in takes.values()}
    process_media(clip.pk)
    clip.refresh_from_db()
    assert clip.media_state == Media.READY


def test_what_is_not_there_or_no_picture_is_told_and_stops_nothing(rendered: Path) -> None:
    told = {(note["where"], note["field"]): note["told"] for note in taken_over(rendered)["notes"]}
    assert "no take is made of it" in told["shot SHT-00010", "generated_video_path"]
    assert "does not decode" in told["shot SHT-00020", "file"]
    assert Take.objects.count() == 3


def test_a_store_that_takes_nothing_is_told_in_its_own_words(
    rendered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_told: Any) -> None:
        raise OSError("the bucket is full")  # a store's errors have no number, and so no strerror

    monkeypatch.setattr("apps.review.services.taking_over.keep", full)
    told = [note["told"] for note in taken_over(rendered)["notes"] if note["field"] == "file"]
    assert told.count("no take is made of it: the bucket is full") == 3
    assert not Take.objects.exists()


def test_a_second_import_makes_no_second_take_and_a_new_render_comes_after(rendered: Path) -> None:
    taken_over(rendered)
    before = set(Take.objects.values_list("pk", flat=True))
    again = taken_over(rendered)
    assert (again["there"]["takes"], "takes" in again["created"]) == (3, False)
    assert set(Take.objects.values_list("pk", flat=True)) == before
    painted(rendered / "scenes/SEQ-001/shots/SHT-00010/render/v003/new.png", "red")
    assert taken_over(rendered)["created"]["takes"] == 1
    assert sorted(
        Take.objects.filter(shot__code="SHT-00010", kind="keyframe").values_list("number", flat=True)
    ) == [1, 2]


def test_a_dry_run_tells_how_many_takes_and_bytes_and_makes_none(rendered: Path, artifact_root: Path) -> None:
    dry = taken_over(rendered, "--dry-run")
    assert not Take.objects.exists()
    assert not [path for path in artifact_root.rglob("*") if path.is_file()]
    real = taken_over(rendered)
    assert dry["created"] == real["created"]
    assert real["created"]["bytes of takes"] > 0


def test_takes_can_be_left_where_they_are(rendered: Path) -> None:
    assert "takes" not in taken_over(rendered, "--without-takes")["created"]
    assert not Take.objects.exists()


def test_when_a_shot_was_made_and_changed_comes_over(rendered: Path) -> None:
    report = taken_over(rendered, "--without-takes")
    shot = Shot.objects.get(code="SHT-00010")
    assert shot.updated_at == datetime(2026, 2, 9, 9, 30, tzinfo=UTC)
    assert shot.created_at.strftime("%Y-%m-%d") in {"2026-02-01", "2026-02-02"}  # the farm's own zone
    odd = {note["field"] for note in report["notes"] if note["where"] == "shot SHT-00020"}
    assert {"created_at", "updated_at"} <= odd
    assert Shot.objects.get(code="SHT-00020").created_at.year >= 2026

"""A file comes in for a shot, is looked at, and may be used, or not."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from PIL import Image

from apps.accounts.models import User
from apps.common.errors import NotAllowed, Refused
from apps.common.models import StateEvent
from apps.materials.models import Material
from apps.materials.selectors import nearest, usable_by
from apps.materials.services import (
    add_material,
    adding,
    change_material,
    changing,
    looking,
    process_material,
)
from apps.materials.services.adding import forget_files
from apps.productions.models import Shot
from apps.projects.roles import Role
from apps.review.previews import make_previews
from tests.factories import MembershipFactory, ShotFactory
from tests.integration.materials.made import clip, mask, picture, sound, upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def shot(artifact_root: Path) -> Shot:
    return ShotFactory.create()


@pytest.fixture
def artist(shot: Shot) -> User:
    return MembershipFactory.create(project=shot.project, role=Role.COORDINATOR).user


def refused(shot: Shot, user: User, content: bytes, name: str, kind: str = "") -> str:
    with pytest.raises(Refused) as told:
        add_material(shot, upload(content, name), kind=kind, user=user)
    assert not Material.objects.exists()
    (problem,) = told.value.problems
    return f"{problem.code}: {problem.message}"


def stored(root: Path) -> list[str]:
    return sorted(path.name for path in root.rglob("*") if path.is_file())


def test_a_picture_is_ready_at_once_with_its_size_hash_and_thumbnail(
    shot: Shot, artist: User, artifact_root: Path
) -> None:
    added = add_material(shot, upload(mask((320, 180)), "sky_mask.png"), user=artist)
    made = added.material
    assert added.created
    assert (made.kind, made.name, made.state) == ("mask", "sky_mask.png", "ready")
    assert (made.width, made.height, made.frames, made.medium) == (320, 180, 1, "image")
    kept = (artifact_root / made.key).read_bytes()
    assert (len(kept), hashlib.sha256(kept).hexdigest()) == (made.bytes, made.sha256)
    with Image.open(artifact_root / made.key) as file:
        assert [file.convert("L").getpixel(at) for at in ((5, 5), (300, 5))] == [255, 0]
    with Image.open(artifact_root / made.thumb_key) as thumb:
        assert thumb.size == (320, 180)
    assert StateEvent.objects.get(subject=made.pk).actor == artist.username


def test_the_same_file_twice_is_one_material_and_of_another_kind_another(shot: Shot, artist: User) -> None:
    first = add_material(shot, upload(picture(), "a.png"), user=artist)
    again = add_material(shot, upload(picture(), "b.png"), user=artist)
    other = add_material(shot, upload(picture(), "b.png"), kind="control", user=artist)
    assert (again.material, again.created) == (first.material, False)
    assert other.created
    with pytest.raises(Refused, match="already"):
        change_material(other.material, kind="plate", user=artist)
    assert change_material(other.material, kind="mask", name=" sky ", user=artist).name == "sky"


def test_a_clip_may_be_used_once_the_media_worker_has_decoded_it(
    shot: Shot, artist: User, artifact_root: Path, tmp_path: Path
) -> None:
    made = add_material(shot, upload(clip(tmp_path), "walk.mp4"), user=artist).material
    assert (made.kind, made.state, made.frames) == ("video", "processing", 0)
    process_material(made.pk)
    made.refresh_from_db()
    assert (made.state, made.width, made.height, made.frames, made.fps) == ("ready", 64, 48, 6, 12)
    assert made.seconds == 0.5
    assert {"thumb.webp", "proxy.mp4"} <= set(stored(artifact_root))


def test_a_sound_is_as_long_as_it_decodes(shot: Shot, artist: User) -> None:
    made = add_material(shot, upload(sound(0.5), "rain.wav"), user=artist).material
    process_material(made.pk)
    made.refresh_from_db()
    assert (made.kind, made.state, made.seconds, made.media_type) == ("audio", "ready", 0.5, "audio/wav")


def test_a_file_that_only_begins_like_a_clip_or_a_sound_is_broken_and_says_why(
    shot: Shot, artist: User, tmp_path: Path
) -> None:
    cut = clip(tmp_path)[:300]
    playlist = b"\x00\x00\x00\x18ftypmp42" + b"#EXTM3U\nfile:///etc/passwd\n" * 9
    for content, name in ((cut, "cut.mp4"), (playlist, "list.mp4"), (b"ID3\x04" + bytes(400), "a.mp3")):
        made = add_material(shot, upload(content, name), user=artist).material
        process_material(made.pk)
        made.refresh_from_db()
        assert made.state == "broken", name
        assert made.problem, name
        assert "/" not in made.problem, "where our copy lay is nobody's business"


def test_a_clip_with_more_frames_or_a_sound_longer_than_allowed_is_broken(
    shot: Shot, artist: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "MOST_FRAMES", 5)
    monkeypatch.setattr("apps.materials.sounds.MOST_SECONDS", 0.2)
    for content, name in ((clip(tmp_path), "long.mp4"), (sound(), "long.wav")):
        made = add_material(shot, upload(content, name), user=artist).material
        process_material(made.pk)
        made.refresh_from_db()
        assert made.state == "broken", name


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"", "a.png", "empty"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "plate.png", "unknown_format"),
        (b"#EXTM3U\nhttp://127.0.0.1/\n", "drive.mp4", "unknown_format"),
        (b"<svg onload='alert(1)'/>", "mask.png", "unknown_format"),
        (picture(kind="JPEG"), "plate.png", "wrong_extension"),
        (sound(), "drive.mp4", "wrong_extension"),
        (picture() + b"PK\x03\x04 an archive", "plate.png", "trailing_data"),
        (picture()[:80], "plate.png", "damaged"),
    ],
)
def test_what_is_no_such_file_is_refused_and_nothing_is_kept(
    shot: Shot, artist: User, artifact_root: Path, content: bytes, name: str, code: str
) -> None:
    assert refused(shot, artist, content, name).startswith(f"{code}: ")
    assert stored(artifact_root) == []


def test_a_file_of_another_medium_than_its_kind_takes_is_refused(shot: Shot, artist: User) -> None:
    assert "“mask” takes: picture" in refused(shot, artist, sound(), "a.wav", kind="mask")
    assert "plate, video, mask, control, audio" in refused(shot, artist, picture(), "a.png", kind="matte")


def test_too_many_bytes_are_refused(
    shot: Shot, artist: User, artifact_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adding, "MOST_BYTES", 1_000)
    assert refused(shot, artist, sound(), "a.wav").startswith("too_large: ")
    assert stored(artifact_root) == []


def test_no_name_finds_its_way_into_the_store(shot: Shot, artist: User, artifact_root: Path) -> None:
    made = add_material(shot, upload(picture(), "..\\..\\con.png"), name="a/../b", user=artist).material
    assert made.name == "a/../b"
    assert stored(artifact_root) == sorted([f"{made.sha256}.png", "thumb.webp"])


def test_a_viewer_brings_nothing(shot: Shot) -> None:
    viewer = MembershipFactory.create(project=shot.project, role=Role.CLIENT).user
    with pytest.raises(NotAllowed):
        add_material(shot, upload(picture(), "a.png"), user=viewer)


def test_a_shot_uses_its_own_before_its_sequences_and_its_films(shot: Shot, artist: User) -> None:
    for owner, colour in ((shot.project, "red"), (shot.sequence, "green"), (shot, "blue")):
        add_material(owner, upload(picture(colour=colour), f"{colour}.png"), user=artist)
    neighbour = ShotFactory.create(sequence=shot.sequence)
    mine, its = (usable_by([shot, neighbour])[one.pk] for one in (shot, neighbour))
    assert [one.name for one in mine] == ["blue.png", "green.png", "red.png"]
    assert [one.name for one in its] == ["green.png", "red.png"]
    assert [one.name for one in nearest(its, kind="plate", medium="image")] == ["green.png"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "matte"},
        {"kind": "audio"},
        {"state": "lost"},
        {"bytes": 0},
        {"width": 0},
    ],
)
def test_the_database_itself_refuses_a_row_that_makes_no_sense(
    shot: Shot, artist: User, wrong: dict[str, object]
) -> None:
    made = add_material(shot, upload(picture(), "a.png"), user=artist).material
    with pytest.raises(IntegrityError), transaction.atomic():
        Material.objects.filter(pk=made.pk).update(**wrong)


def test_the_database_itself_refuses_a_material_of_two_things(shot: Shot, artist: User) -> None:
    made = add_material(shot, upload(picture(), "a.png"), user=artist).material
    with pytest.raises(IntegrityError), transaction.atomic():
        Material.objects.filter(pk=made.pk).update(sequence=shot.sequence)


def test_what_is_taken_away_while_it_is_looked_at_leaves_nothing_behind(
    shot: Shot, artist: User, artifact_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = add_material(shot, upload(clip(tmp_path), "walk.mp4"), user=artist).material

    def taken_away_then_made(*args: Any, **more: Any) -> Any:
        Material.objects.filter(pk=made.pk).delete()
        forget_files(made)
        return make_previews(*args, **more)

    monkeypatch.setattr(looking, "make_previews", taken_away_then_made)
    process_material(made.pk)
    assert stored(artifact_root) == []


def test_of_two_who_make_the_same_file_one_kind_at_once_the_second_is_told(
    shot: Shot, artist: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_material(shot, upload(picture(), "a.png"), user=artist)
    other = add_material(shot, upload(picture(), "b.png"), kind="control", user=artist).material
    monkeypatch.setattr(changing, "_no_twin", lambda row, kind: None)  # the first was not there yet
    with pytest.raises(Refused, match="already"):
        change_material(other, kind="plate", user=artist)
    other.refresh_from_db()
    assert other.kind == "control"

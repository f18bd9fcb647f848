"""The media worker: what it makes of a take's files, and what it says when it cannot."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image
from pytest_django import Settings

from apps.common.ids import uuid7
from apps.common.models import StateEvent
from apps.review import decoding
from apps.review.models import Artifact, ArtifactRole, Take
from apps.review.services import look_again, process_media
from apps.review.states import Media
from tests.factories import ArtifactFactory, MembershipFactory, TakeFactory

pytestmark = pytest.mark.django_db

Keep = Callable[..., Take]


@pytest.fixture
def take_of(artifact_root: Path) -> Keep:
    """Make a take whose only original has this content, as a node would have stored and reported it."""

    def keep(content: bytes, *, name: str = "picture.png", kind: str = "image") -> Take:
        take = TakeFactory.create()
        artifact = ArtifactFactory.create(
            take=take,
            key=f"attempts/FILM/{take.attempt_id}/{name}",
            kind=kind,
            bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
        )
        path = artifact_root / artifact.key
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        return take

    return keep


def png(width: int = 640, height: int = 360, colour: str = "#b05020", mode: str = "RGB") -> bytes:
    return encoded(Image.new("RGB", (width, height), colour).convert(mode), "PNG")


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    file = BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def mp4(tmp_path: Path, colours: list[str], *, size: tuple[int, int] = (322, 180), fps: int = 12) -> bytes:
    path = tmp_path / "made.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(fps), options={"crf": "10"})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for colour in colours:
            frame = av.VideoFrame.from_image(Image.new("RGB", size, colour))  # type: ignore[no-untyped-call]
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path.read_bytes()


def state_of(take: Take) -> tuple[str, str]:
    take.refresh_from_db()
    return take.media_state, take.media_error


def file_of(take: Take, role: ArtifactRole) -> Artifact:
    return Artifact.objects.get(take=take, role=role)


def roles_of(take: Take) -> list[str]:
    return sorted(take.artifacts.values_list("role", flat=True))


def test_a_picture_gets_a_thumbnail_beside_it(take_of: Keep, artifact_root: Path) -> None:
    take = take_of(png(1000, 500))

    process_media(take.pk)

    assert state_of(take) == (Media.READY, "")
    thumb = file_of(take, ArtifactRole.THUMBNAIL)
    assert thumb.key == f"takes/{take.pk}/thumb.webp"
    content = (artifact_root / thumb.key).read_bytes()
    assert (thumb.bytes, thumb.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    with Image.open(BytesIO(content)) as picture:
        assert (picture.format, picture.size) == ("WEBP", (480, 240))
    assert (thumb.width, thumb.height) == (480, 240)


def test_a_picture_a_browser_shows_gets_no_proxy(take_of: Keep) -> None:
    take = take_of(png(2048, 16))
    process_media(take.pk)
    assert roles_of(take) == ["primary", "thumbnail"]


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (png(3000, 30), (2048, 20)),
        (encoded(Image.new("RGB", (200, 100)), "TIFF"), (200, 100)),
    ],
    ids=["too large", "no format of the web"],
)
def test_a_picture_a_browser_does_not_show_gets_a_proxy(
    take_of: Keep, content: bytes, size: tuple[int, int]
) -> None:
    take = take_of(content)
    process_media(take.pk)
    proxy = file_of(take, ArtifactRole.PROXY)
    assert (proxy.media_type, (proxy.width, proxy.height)) == ("image/webp", size)


def test_sixteen_bit_greys_are_scaled_not_cut_off(take_of: Keep, artifact_root: Path) -> None:
    take = take_of(encoded(Image.new("I;16", (32, 32), 128 * 256), "PNG"))
    process_media(take.pk)
    with Image.open(artifact_root / file_of(take, ArtifactRole.THUMBNAIL).key) as thumb:
        assert thumb.convert("L").getpixel((5, 5)) == pytest.approx(128, abs=2)


def test_a_video_gets_a_proxy_that_browsers_play(take_of: Keep, artifact_root: Path, tmp_path: Path) -> None:
    take = take_of(mp4(tmp_path, ["#c03030"] * 7, size=(1282, 722), fps=12), name="clip.mp4", kind="video")

    process_media(take.pk)

    assert state_of(take) == (Media.READY, "")
    proxy = file_of(take, ArtifactRole.PROXY)
    assert (proxy.kind, proxy.media_type, proxy.frames, proxy.fps) == ("video", "video/mp4", 7, 12.0)
    path = artifact_root / proxy.key
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert (stream.width, stream.height) == (960, 540) == (proxy.width, proxy.height)
        assert stream.average_rate == 12
        pictures = [frame.to_image() for frame in container.decode(stream)]  # type: ignore[no-untyped-call]
    assert len(pictures) == 7
    assert pictures[3].getpixel((400, 200)) == pytest.approx((0xC0, 0x30, 0x30), abs=6)
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat"), "the index stands first: it plays while loading"


def test_odd_sizes_become_even(take_of: Keep) -> None:
    frames = [Image.new("RGB", (101, 55), (200, shade, 0)) for shade in (0, 90, 180)]
    gif = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=100)
    take = take_of(gif, name="loop.gif", kind="video")
    process_media(take.pk)
    proxy = file_of(take, ArtifactRole.PROXY)
    assert (proxy.width, proxy.height, proxy.frames, proxy.fps) == (100, 54, 3, 10.0)


def test_the_thumbnail_is_the_first_frame_that_is_not_black(
    take_of: Keep, artifact_root: Path, tmp_path: Path
) -> None:
    take = take_of(mp4(tmp_path, ["black", "black", "#20c020", "#2020c0"]), name="clip.mp4", kind="video")
    process_media(take.pk)
    with Image.open(artifact_root / file_of(take, ArtifactRole.THUMBNAIL).key) as thumb:
        red, green, blue = thumb.convert("RGB").crop((100, 100, 101, 101)).tobytes()
    assert green > 150 > max(red, blue)


def test_a_black_film_still_has_a_thumbnail(take_of: Keep, tmp_path: Path) -> None:
    take = take_of(mp4(tmp_path, ["black"] * 3), name="clip.mp4", kind="video")
    process_media(take.pk)
    assert roles_of(take) == ["primary", "proxy", "thumbnail"]


def test_a_second_run_changes_nothing(take_of: Keep, artifact_root: Path) -> None:
    take = take_of(png())
    process_media(take.pk)
    rows = list(take.artifacts.order_by("key").values())
    files = {path: path.stat().st_mtime_ns for path in artifact_root.rglob("*") if path.is_file()}
    events = StateEvent.objects.count()

    process_media(take.pk)

    assert list(take.artifacts.order_by("key").values()) == rows
    assert {path: path.stat().st_mtime_ns for path in artifact_root.rglob("*") if path.is_file()} == files
    assert StateEvent.objects.count() == events


def test_looking_again_replaces_the_previews(take_of: Keep) -> None:
    take = take_of(png())
    process_media(take.pk)
    user = MembershipFactory.create(project=take.project).user
    assert look_again(take, user=user)

    process_media(take.pk)

    assert state_of(take) == (Media.READY, "")
    assert roles_of(take) == ["primary", "thumbnail"]


def test_the_story_of_the_job_tells_what_became_of_the_media(take_of: Keep) -> None:
    take = take_of(png())
    process_media(take.pk)
    event = StateEvent.objects.get(story=take.job_id, machine="take_media")
    assert (event.from_state, event.to_state, event.actor) == ("processing", "ready", "media")


def test_a_file_that_is_gone_makes_the_take_missing(take_of: Keep, artifact_root: Path) -> None:
    take = take_of(png())
    key = file_of(take, ArtifactRole.PRIMARY).key
    (artifact_root / key).unlink()
    process_media(take.pk)
    assert state_of(take) == (Media.MISSING, f"{key} is not in the artifact store.")


def test_a_take_without_any_file_is_missing(artifact_root: Path) -> None:
    take = TakeFactory.create()
    process_media(take.pk)
    assert state_of(take) == (Media.MISSING, "The take has no file.")


def test_a_truncated_file_makes_the_take_broken(take_of: Keep, artifact_root: Path) -> None:
    content = png()
    take = take_of(content)
    (artifact_root / file_of(take, ArtifactRole.PRIMARY).key).write_bytes(content[:100])
    process_media(take.pk)
    state, why = state_of(take)
    assert state == Media.BROKEN
    assert f"has 100 bytes; the node stored {len(content)}" in why


def test_a_tampered_file_of_the_same_length_makes_the_take_broken(take_of: Keep, artifact_root: Path) -> None:
    content = png()
    take = take_of(content)
    changed = content[:-20] + bytes([content[-20] ^ 1]) + content[-19:]
    (artifact_root / file_of(take, ArtifactRole.PRIMARY).key).write_bytes(changed)
    process_media(take.pk)
    state, why = state_of(take)
    assert state == Media.BROKEN
    assert hashlib.sha256(changed).hexdigest() in why


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(png()[:300], id="half a picture"),
        pytest.param(b"not a picture at all" * 50, id="text"),
        pytest.param(b"", id="nothing"),
        pytest.param(
            b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nother.ts\n#EXT-X-ENDLIST\n", id="a playlist"
        ),
    ],
)
def test_a_file_that_does_not_decode_makes_the_take_broken(take_of: Keep, content: bytes) -> None:
    take = take_of(content)
    process_media(take.pk)
    state, why = state_of(take)
    assert state == Media.BROKEN
    assert "does not decode" in why
    assert roles_of(take) == ["primary"]


def test_half_a_video_makes_the_take_broken(take_of: Keep, tmp_path: Path) -> None:
    content = mp4(tmp_path, ["#c03030"] * 5)
    take = take_of(content[: len(content) // 2], name="clip.mp4", kind="video")
    process_media(take.pk)
    assert state_of(take)[0] == Media.BROKEN


def test_a_picture_of_more_pixels_than_we_decode_is_refused(
    take_of: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "MAX_PIXELS", 10_000)
    take = take_of(png(200, 100))
    process_media(take.pk)
    state, why = state_of(take)
    assert state == Media.BROKEN
    assert "200 × 100 pixels are more than the 10000" in why


@pytest.mark.parametrize(
    ("content", "claimed", "told"),
    [
        (png(), "text/html", "image/png"),
        (png(), "video/mp4", "image/png"),
        (encoded(Image.new("RGB", (64, 36)), "JPEG"), "image/svg+xml", "image/jpeg"),
        (png(), "image/png", "image/png"),
    ],
)
def test_browsers_are_told_what_was_decoded_not_what_the_node_said(
    take_of: Keep, content: bytes, claimed: str, told: str
) -> None:
    take = take_of(content)
    take.artifacts.update(media_type=claimed)
    process_media(take.pk)
    assert file_of(take, ArtifactRole.PRIMARY).media_type == told


@pytest.mark.parametrize(
    ("claimed", "told"), [("video/quicktime", "video/quicktime"), ("text/html", "video/mp4")]
)
def test_a_container_keeps_a_claim_that_fits_it(
    take_of: Keep, tmp_path: Path, claimed: str, told: str
) -> None:
    take = take_of(mp4(tmp_path, ["#c03030"] * 3), name="clip.mp4", kind="video")
    take.artifacts.update(media_type=claimed)
    process_media(take.pk)
    assert file_of(take, ArtifactRole.PRIMARY).media_type == told


@pytest.mark.parametrize(
    "content",
    [
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n(ghostscript would run this) print\n",
        b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="36"><script>alert(1)</script></svg>',
        b"<!DOCTYPE html><script>alert(1)</script>",
    ],
    ids=["EPS", "SVG", "HTML"],
)
def test_what_could_run_is_not_opened(take_of: Keep, content: bytes) -> None:
    take = take_of(content)
    process_media(take.pk)
    assert state_of(take)[0] == Media.BROKEN


def test_every_original_of_a_take_is_checked(take_of: Keep, artifact_root: Path) -> None:
    take = take_of(png())
    second = ArtifactFactory.create(take=take, key=f"attempts/FILM/{take.attempt_id}/picture_2.png")
    process_media(take.pk)
    assert state_of(take) == (Media.MISSING, f"{second.key} is not in the artifact store.")


def test_a_store_that_fails_is_no_verdict_about_the_take(
    take_of: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = take_of(png())

    def stale(*_args: object) -> str:
        raise OSError(116, "Stale file handle")

    monkeypatch.setattr("apps.review.services.media.fetch", stale)
    with pytest.raises(OSError, match="Stale"):
        process_media(take.pk)
    assert state_of(take)[0] == Media.PROCESSING


def test_an_object_store_keeps_previews_too(settings: Settings) -> None:
    memory = {
        "BACKEND": "apps.common.object_storage.ObjectStorage",
        "OPTIONS": {"url": "memory://previews"},
    }
    settings.STORAGES = {**settings.STORAGES, "default": memory}
    content = png()
    artifact = ArtifactFactory.create(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    default_storage.save(artifact.key, ContentFile(content))

    process_media(artifact.take_id)

    thumb = file_of(artifact.take, ArtifactRole.THUMBNAIL)
    with default_storage.open(thumb.key) as stored:
        assert hashlib.sha256(stored.read()).hexdigest() == thumb.sha256


def test_an_unknown_take_is_nobodys_business() -> None:
    process_media(uuid7())
    assert not Artifact.objects.exists()

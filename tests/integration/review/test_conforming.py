"""A clip becomes the shot: exactly its frames, at its rate, whatever the model made."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import Image

from apps.review.conforming import lengths_of
from apps.review.models import Artifact, ArtifactRole, Take
from apps.review.services import process_media
from apps.review.states import Media
from tests.factories import ArtifactFactory, TakeFactory
from workflows.conforming import Conform, Length
from workflows.rates import exact_fps

pytestmark = pytest.mark.django_db

Keep = Callable[..., Take]
LIGHT = 9
"""Frame n of a test clip has the grey 20 + 9 n: so each is known again after encoding."""


@pytest.fixture
def clip_of(artifact_root: Path, tmp_path: Path) -> Keep:
    """A take whose file has so many frames at a rate, ordered as a conform tells."""

    def keep(
        asked: Conform, *, frames: int, fps: Fraction, sounds: bool = False, size: tuple[int, int] = (64, 36)
    ) -> Take:
        path = tmp_path / "clip.mp4"
        with av.open(str(path), "w") as container:
            track = container.add_stream("aac", rate=44_100, layout="mono") if sounds else None
            stream = container.add_stream("libx264", rate=fps, options={"crf": "4"})
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            for number in range(frames):
                grey = 20 + LIGHT * number
                picture = Image.new("RGB", size, (grey, grey, grey))
                container.mux(stream.encode(av.VideoFrame.from_image(picture)))  # type: ignore[no-untyped-call]
            container.mux(stream.encode(None))
            if track:
                heard = av.AudioFrame(format="fltp", layout="mono", samples=int(44_100 * frames / fps))
                heard.rate = 44_100
                [plane] = heard.planes
                silent = int(44_100 * asked.start / fps)
                wave = array("f", (0.5 if n > silent and n % 80 < 40 else 0.0 for n in range(heard.samples)))
                plane.update(wave.tobytes().ljust(plane.buffer_size, b"\0"))
                container.mux(track.encode(heard))
                container.mux(track.encode(None))
        content = path.read_bytes()
        take: Take = TakeFactory.create(kind="clip", length=asked.as_json())
        artifact: Artifact = ArtifactFactory.create(
            take=take,
            key=f"attempts/FILM/{take.attempt_id}/clip.mp4",
            kind="video",
            media_type="video/mp4",
            bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            frames=frames,
            fps=round(float(fps), 3),
        )
        stored = artifact_root / artifact.key
        stored.parent.mkdir(parents=True)
        stored.write_bytes(content)
        return take

    return keep


def shown(path: Path) -> tuple[list[int], Fraction | None]:
    """Which frame of the test clip each frame of a file shows, and the file's rate."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        pictures = [frame.to_image() for frame in container.decode(stream)]  # type: ignore[no-untyped-call]
        greys = [picture.convert("L").getpixel((30, 15)) for picture in pictures]
        return [round((grey - 20) / LIGHT) for grey in greys], stream.average_rate


def test_a_clip_at_the_models_rate_is_conformed_to_the_shots_frames(
    clip_of: Keep, artifact_root: Path
) -> None:
    asked = Conform(Length(8, exact_fps(23.976), head=2, tail=2), rendered=13, rate=Fraction(16))
    take = clip_of(asked, frames=13, fps=Fraction(16))

    process_media(take.pk)

    take.refresh_from_db()
    assert (take.media_state, take.media_error) == (Media.READY, "")
    file = take.artifacts.get(role=ArtifactRole.CONFORMED)
    assert (file.frames, file.fps) == (12, 23.976)
    frames, rate = shown(artifact_root / file.key)
    assert rate == Fraction(24000, 1001)
    assert frames == asked.mapping() == [0, 1, 1, 2, 3, 3, 4, 5, 5, 6, 7, 7]


def test_what_is_shown_of_a_clip_is_heard_too_and_ends_with_the_picture(
    clip_of: Keep, artifact_root: Path
) -> None:
    asked = Conform(Length(24, Fraction(24)), rendered=21, rate=Fraction(16), skip=5)
    take = clip_of(asked, frames=21, fps=Fraction(16), sounds=True)
    process_media(take.pk)
    for role, seconds, loud in ((ArtifactRole.PROXY, 21 / 16, False), (ArtifactRole.CONFORMED, 1.0, True)):
        with av.open(str(artifact_root / take.artifacts.get(role=role).key)) as container:
            [track] = container.streams.audio
            assert (track.codec_context.name, track.rate, track.layout.name) == ("aac", 48_000, "stereo")
            pieces = [
                array("f", bytes(frame.planes[0]))[: frame.samples] for frame in container.decode(track)
            ]
            assert sum(map(len, pieces)) / track.rate == pytest.approx(seconds, abs=0.05)
            assert (max(pieces[4]) > 0.2) is loud, "the repeated beginning is silent, the rest is not"
    assert shown(artifact_root / take.artifacts.get(role=ArtifactRole.CONFORMED).key)[0] == asked.mapping()


def test_a_conformed_clip_is_as_large_as_the_clip_which_its_proxy_is_not(clip_of: Keep) -> None:
    asked = Conform(Length(4, Fraction(24)), rendered=5, rate=Fraction(16))
    take = clip_of(asked, frames=5, fps=Fraction(16), size=(1280, 720))
    process_media(take.pk)
    sizes = {file.role: (file.width, file.height) for file in take.artifacts.all()}
    assert (sizes["conformed"], sizes["proxy"]) == ((1280, 720), (960, 540))


def test_a_clip_that_is_the_shot_already_is_not_made_twice(clip_of: Keep) -> None:
    asked = Conform(Length(9, Fraction(24)), rendered=9, rate=Fraction(24))
    take = clip_of(asked, frames=9, fps=Fraction(24))
    process_media(take.pk)
    assert sorted(take.artifacts.values_list("role", flat=True)) == ["primary", "proxy", "thumbnail"]


def test_a_clip_that_came_back_short_says_so_and_is_not_conformed(clip_of: Keep) -> None:
    asked = Conform(Length(12, Fraction(24)), rendered=9, rate=Fraction(16))
    take = clip_of(asked, frames=5, fps=Fraction(16))
    process_media(take.pk)
    told = lengths_of(take)
    assert told is not None
    assert told.mismatches == [
        "The file has 5 frames; 9 were ordered.",
        "The clip does not cover the shot: 3 frames at 16 fps are missing.",
    ]
    assert told.mapping == []
    assert not take.artifacts.filter(role=ArtifactRole.CONFORMED).exists()


def test_a_clip_at_another_rate_than_ordered_is_conformed_as_it_is(clip_of: Keep) -> None:
    asked = Conform(Length(12, Fraction(24)), rendered=9, rate=Fraction(16))
    told = lengths_of(clip_of(asked, frames=9, fps=Fraction(12)))
    assert told is not None
    assert told.mismatches == ["The file runs at 12 fps; 16 were ordered."]
    assert told.mapping == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_a_file_that_states_its_rate_rounded_has_the_rate_that_was_ordered(clip_of: Keep) -> None:
    asked = Conform(Length(6, Fraction(24)), rendered=6, rate=exact_fps(23.976))
    take = clip_of(asked, frames=6, fps=exact_fps(23.976))
    Artifact.objects.filter(take=take).update(fps=23.81)
    told = lengths_of(take)
    assert told is not None
    assert (told.conform.rate, told.mismatches) == (exact_fps(23.976), [])


def test_a_clip_of_another_usual_rate_is_no_rounding_of_what_was_ordered(clip_of: Keep) -> None:
    asked = Conform(Length(6, Fraction(24)), rendered=6, rate=Fraction(24))
    told = lengths_of(clip_of(asked, frames=6, fps=exact_fps(23.976)))
    assert told is not None
    assert told.mismatches == ["The file runs at 24000/1001 fps; 24 were ordered."]


def test_a_picture_has_no_length() -> None:
    take = ArtifactFactory.create().take
    assert lengths_of(take) is None

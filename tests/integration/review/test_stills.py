"""A note's drawing as a picture: the right frame, the strokes on it, for whoever reads the note."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import av
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from PIL import Image

from apps.projects.roles import Role
from apps.review import stills
from apps.review.models import ArtifactRole, ReviewNote, Take
from apps.review.models.notes import Visibility
from apps.review.stills import drawn_on
from tests.factories import ArtifactFactory, MembershipFactory, ShotFactory, TakeFactory, UserFactory

pytestmark = pytest.mark.django_db
RED, GREEN = "#ff3b30", "#34c759"
CROSS = [
    {"tool": "pen", "colour": RED, "width": 0.05, "points": [[0.0, 0.5], [0.5, 0.5]]},
    {"tool": "arrow", "colour": GREEN, "width": 0.05, "points": [[0.75, 0.1], [0.75, 0.9]]},
]


def film_of(shades: list[int], path: Path, fps: int = 24) -> bytes:
    """A clip of one grey a frame, with a frame that stands alone every eight."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"g": "8", "bf": "2"})
        stream.width, stream.height, stream.pix_fmt = 64, 36, "yuv420p"
        for shade in shades:
            picture = Image.new("RGB", (64, 36), (shade, shade, shade))
            frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path.read_bytes()


@pytest.fixture
def clip(artifact_root: Path, tmp_path: Path) -> Callable[..., Take]:
    """Make a take of a clip whose frames are 8, 16, 24 … bright."""

    def make(fps: int = 24) -> Take:
        take: Take = TakeFactory.create(
            shot=ShotFactory.create(project__fps=24), kind="clip", stage="clip", media_state="ready"
        )
        content = film_of([8 * (number + 1) for number in range(28)], tmp_path / "clip.mp4", fps)
        key = default_storage.save(f"takes/{take.pk}/proxy.mp4", ContentFile(content))
        told = {"kind": "video", "media_type": "video/mp4", "frames": 28, "fps": fps}
        ArtifactFactory.create(take=take, key=f"takes/{take.pk}/original.mp4", **told)
        ArtifactFactory.create(take=take, role=ArtifactRole.PROXY, key=key, **told)
        return take

    return make


def noted(take: Take, frame: int, *, visibility: str = Visibility.INTERNAL) -> ReviewNote:
    note: ReviewNote = ReviewNote.objects.create(
        project=take.project, take=take, frame=frame, drawing=CROSS, stage=take.stage, author="vera",
        visibility=visibility,
    )  # fmt: skip
    return note


def still(client: Client, note: ReviewNote) -> Image.Image:
    answer = client.get(f"/api/v1/notes/{note.pk}/still")
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    return Image.open(BytesIO(answer.content)).convert("RGB")


def near(picture: Image.Image, x: float, y: float) -> tuple[int, ...]:
    found = picture.getpixel((int(x * picture.width), int(y * picture.height)))
    assert isinstance(found, tuple)
    return found


@pytest.mark.parametrize("frame", [0, 9, 27])
def test_it_is_the_frame_of_the_note_with_what_was_drawn(
    clip: Callable[..., Take], client: Client, frame: int
) -> None:
    take = clip()
    client.force_login(MembershipFactory.create(project=take.project, role=Role.ARTIST).user)
    picture = still(client, noted(take, frame))
    assert picture.size == (64, 36)
    assert near(picture, 0.6, 0.1)[0] == pytest.approx(8 * (frame + 1), abs=4)
    assert near(picture, 0.25, 0.5) == pytest.approx((255, 59, 48), abs=3)
    assert near(picture, 0.75, 0.5) == pytest.approx((52, 199, 89), abs=3)


def test_a_clip_of_another_rate_shows_the_frame_that_the_page_shows(
    clip: Callable[..., Take], client: Client
) -> None:
    take = clip(fps=12)
    client.force_login(MembershipFactory.create(project=take.project, role=Role.ARTIST).user)
    assert near(still(client, noted(take, 20)), 0.6, 0.1)[0] == pytest.approx(8 * 11, abs=4)


def test_who_does_not_read_the_note_does_not_get_its_picture(
    clip: Callable[..., Take], client: Client
) -> None:
    note = noted(clip(), 3)
    for user in (
        UserFactory.create(),
        MembershipFactory.create(project=note.project, role=Role.CLIENT).user,
    ):
        client.force_login(user)
        assert client.get(f"/api/v1/notes/{note.pk}/still").status_code == 404


def test_a_take_whose_file_is_gone_says_so(clip: Callable[..., Take], client: Client) -> None:
    take = clip()
    client.force_login(MembershipFactory.create(project=take.project, role=Role.ARTIST).user)
    default_storage.delete(take.artifacts.get(role=ArtifactRole.PROXY).key)
    answer = client.get(f"/api/v1/notes/{noted(take, 0).pk}/still")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "no_media")


@pytest.mark.parametrize("fine_up_to", [stills.FINE_UP_TO, 0], ids=["usual", "huge picture"])
def test_an_arrow_has_its_head_at_its_end(fine_up_to: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stills, "FINE_UP_TO", fine_up_to)
    arrow = {"tool": "arrow", "colour": RED, "width": 0.01, "points": [[0.1, 0.5], [0.9, 0.5]]}
    picture = drawn_on(Image.new("RGB", (400, 200)), [arrow])
    assert picture.size == (400, 200)
    beside = [near(picture, x, 0.54)[0] for x in (0.1415, 0.8585)]
    assert beside[0] == 0
    assert beside[1] > 100


def test_the_takes_page_leads_to_it(clip: Callable[..., Take], client: Client) -> None:
    take = clip()
    note = noted(take, 3)
    client.force_login(UserFactory.create(is_staff=True, is_superuser=True))
    page = client.get(f"/admin/review/take/{take.pk}/change/").content.decode()
    assert f'href="/api/v1/notes/{note.pk}/still"' in page

"""Characters and their reference pictures."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, ImageFile

from apps.characters import pictures
from apps.characters.models import CharacterReference
from apps.characters.services import add_reference, create_character
from apps.common.errors import NotAllowed, Refused
from apps.projects.roles import Role
from tests.factories import CharacterFactory, MembershipFactory, ProjectFactory

pytestmark = pytest.mark.django_db


def _picture(kind: str = "PNG", *, size: tuple[int, int] = (48, 32), **options: object) -> bytes:
    file = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(file, kind, **options)
    return file.getvalue()


def _upload(content: bytes, name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def _refusal(content: bytes, name: str = "sheet.png") -> tuple[str, str, str]:
    with pytest.raises(Refused) as refused:
        add_reference(CharacterFactory.create(), _upload(content, name), user=None)
    (problem,) = refused.value.problems
    assert not CharacterReference.objects.exists()
    return problem.field, problem.value, str(problem.message)


def test_characters_are_numbered_within_their_project() -> None:
    project = ProjectFactory.create()
    codes = [create_character(project=project, name=name, user=None).code for name in ("Gerda", "Kai")]
    assert codes == ["CH0001", "CH0002"]
    assert create_character(project=ProjectFactory.create(), name="Gerda", user=None).code == "CH0001"


def test_a_typed_character_code_is_checked_and_counted() -> None:
    project = ProjectFactory.create()
    with pytest.raises(Refused, match="capital letters"):
        create_character(project=project, name="Kai", user=None, code="../CH")
    create_character(project=project, name="Kai", user=None, code="CH0007")
    assert create_character(project=project, name="Gerda", user=None).code == "CH0008"


def test_a_viewer_creates_no_characters_and_adds_no_pictures() -> None:
    character = CharacterFactory.create()
    viewer = MembershipFactory.create(project=character.project, role=Role.CLIENT).user
    with pytest.raises(NotAllowed):
        create_character(project=character.project, name="Kai", user=viewer)
    with pytest.raises(NotAllowed):
        add_reference(character, _upload(_picture(), "a.png"), user=viewer)


@pytest.mark.parametrize(
    ("kind", "name", "media_type", "ending"),
    [
        ("PNG", "sheet.png", "image/png", ".png"),
        ("JPEG", "SHEET.JPEG", "image/jpeg", ".jpg"),
        ("WEBP", "sheet.webp", "image/webp", ".webp"),
        ("PNG", "", "image/png", ".png"),
    ],
)
def test_a_picture_is_kept_under_the_name_of_its_content(
    artifact_root: Path, kind: str, name: str, media_type: str, ending: str
) -> None:
    content = _picture(kind)
    character = CharacterFactory.create()
    file = io.BytesIO(content) if not name else _upload(content, name)
    reference = add_reference(character, file, title=" Turnaround ", user=None)
    assert reference.key == f"characters/{character.project.code}/{reference.sha256}{ending}"
    kept = (artifact_root / reference.key).read_bytes()
    assert hashlib.sha256(kept).hexdigest() == reference.sha256
    with Image.open(io.BytesIO(kept)) as picture:
        assert picture.format == kind
    assert (reference.media_type, reference.width, reference.height) == (media_type, 48, 32)
    assert (reference.bytes, reference.title, reference.order) == (len(kept), "Turnaround", 0)


def test_a_file_name_with_a_path_reaches_no_other_folder(artifact_root: Path) -> None:
    file = io.BytesIO(_picture())
    file.name = "../../etc/cron.d/evil.png"
    reference = add_reference(CharacterFactory.create(), file, user=None)
    kept = [path for path in artifact_root.rglob("*") if path.is_file()]
    assert kept == [artifact_root / reference.key]


def test_a_new_picture_comes_last_also_where_others_are_gone(artifact_root: Path) -> None:
    character = CharacterFactory.create()

    def bring() -> CharacterReference:
        return add_reference(character, _upload(_picture(), "sheet.png"), user=None)

    gone, face = [bring(), bring(), bring()], bring()
    for reference in gone:
        reference.delete()
    bring()
    assert character.references.order_by("order", "created_at").first() == face


def test_the_same_picture_twice_is_one_reference(artifact_root: Path) -> None:
    character, content = CharacterFactory.create(), _picture()
    first = add_reference(character, _upload(content, "a.png"), user=None)
    second = add_reference(character, _upload(content, "b.png"), user=None)
    assert first == second
    other = CharacterFactory.create(project=character.project)
    assert add_reference(other, _upload(content, "c.png"), user=None).key == first.key
    assert default_storage.exists(first.key)


@pytest.mark.parametrize("content", [b"hello, I am a picture", b"<svg xmlns='http://www.w3.org/2000/svg'/>"])
def test_what_is_not_a_picture_is_refused_with_field_value_and_remedy(content: bytes) -> None:
    field, value, message = _refusal(content)
    assert (field, value) == ("file", "sheet.png")
    assert message == "This is not a picture. Choose a PNG, JPEG or WebP file."


def test_an_empty_file_is_refused() -> None:
    assert "empty" in _refusal(b"")[2]


def test_a_gif_is_refused_though_it_is_a_picture() -> None:
    assert "Choose a PNG, JPEG or WebP" in _refusal(_picture("GIF"), "sheet.gif")[2]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_cut_off_in_the_middle_is_refused(kind: str) -> None:
    content = _picture(kind)
    message = _refusal(content[: len(content) // 2], f"sheet.{kind.lower()}")[2]
    assert "damaged" in message or "not a picture" in message


@pytest.mark.parametrize("name", ["sheet.png", "sheet.html", "sheet.php"])
def test_a_picture_that_calls_itself_something_else_is_refused(name: str) -> None:
    field, value, message = _refusal(_picture("JPEG"), name)
    assert (field, value) == ("file", name)
    assert "the content is JPEG" in message


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_with_an_archive_behind_it_is_refused(kind: str) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("payload.txt", "surprise")
    message = _refusal(_picture(kind) + file.getvalue(), f"sheet.{kind.lower()}")[2]
    assert "attached behind the picture" in message


def test_an_animation_is_refused() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    file = io.BytesIO()
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:])
    assert "animated" in _refusal(file.getvalue(), "sheet.webp")[2]


def test_too_many_pixels_are_refused_before_they_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    content = _picture()
    monkeypatch.setattr(pictures, "MAX_PIXELS", 1000)
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda picture: pytest.fail("decoded"))
    assert _refusal(content)[2].startswith("48 × 32: A picture may have at most")


def test_too_many_bytes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MAX_BYTES", 100)
    assert "larger than 20 MB" in _refusal(_picture())[2]

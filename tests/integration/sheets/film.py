"""A film with one of everything a spreadsheet tells, and the way there and back."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Model
from openpyxl import Workbook

from apps.accounts.models import User
from apps.characters.models import Character, CharacterLora, Costume
from apps.presets.models import CinematicPreset, Look, LookPreset
from apps.productions.models import Episode, Location, Shot, ShotCharacter, ShotPreset
from apps.productions.models import Sequence as ShotSequence
from apps.projects.models import Project
from apps.projects.roles import Role
from apps.sheets.exporting import export
from apps.sheets.models import ImportBatch, Work
from apps.sheets.services.asking import confirm
from apps.sheets.services.choosing import choose
from apps.sheets.services.doing import ask
from apps.sheets.services.uploading import upload
from apps.sheets.writing import Written
from tests.factories import (
    CharacterFactory,
    CharacterLoraFactory,
    CostumeFactory,
    EpisodeFactory,
    LocationFactory,
    MembershipFactory,
    ProjectFactory,
    SequenceFactory,
    ShotCharacterFactory,
    ShotFactory,
    UserFactory,
)

PLANNED: tuple[type[Model], ...] = (
    Project,
    Episode,
    ShotSequence,
    Location,
    Look,
    LookPreset,
    Character,
    Costume,
    CharacterLora,
    Shot,
    ShotCharacter,
    ShotPreset,
    Shot.assignees.through,
)


def make_film(code: str = "FROST") -> User:
    """Make the film; return its coordinator."""
    project = ProjectFactory.create(code=code, name_ko="서리", fps="24000/1001", handles=8)
    user: User = MembershipFactory.create(
        project=project,
        role=Role.COORDINATOR,
        user=UserFactory.create(username=f"cora-{code.lower()}", is_staff=True),
    ).user
    artist = MembershipFactory.create(
        project=project, role=Role.ARTIST, user=UserFactory.create(username=f"art-{code.lower()}")
    ).user
    episode = EpisodeFactory.create(project=project, code="EP01", name="The mirror")
    sequence = SequenceFactory.create(project=project, episode=episode, code="SQ010", order=10)
    place = LocationFactory.create(project=project, code="LOC01")
    gerda = CharacterFactory.create(project=project, code="CH0001", age="012", use_lora=True)
    kay = CharacterFactory.create(project=project, code="CH0002", name="Kay", name_ko="카이")
    coat = CostumeFactory.create(character=gerda, name="Red coat")
    Character.objects.filter(pk=gerda.pk).update(default_costume=coat)
    CharacterLoraFactory.create(character=gerda, trigger_words=["gerda_v2", "braids"], sha256="a" * 64)
    first = ShotFactory.create(
        sequence=sequence,
        code="SH0010",
        order=10,
        location=place,
        weather="snow",
        time_of_day="dusk",
        dialogue="-- wait!\n=stop",
        negative="+blurry",
        notes="'quoted",
        seed=40,
        cut_in=1001,
        frames=96,
    )
    second = ShotFactory.create(
        sequence=sequence, code="SH0020", order=20, continuity_from=first, continuity_keep="latents"
    )
    first.assignees.add(artist)
    look = Look.objects.create(project=project, slug="harbour", name="Harbour", name_ko="항구", order=3)
    for order, slug in enumerate(("close-up", "35mm")):
        preset = CinematicPreset.objects.get(slug=slug, project=None)
        ShotPreset.objects.create(shot=first, preset=preset, order=order)
        LookPreset.objects.create(look=look, preset=preset, order=order)
    ShotCharacterFactory.create(shot=first, character=kay, order=3, action="looks up", lora_weight=0.35)
    ShotCharacterFactory.create(shot=first, character=gerda, order=7, costume=coat)
    ShotCharacterFactory.create(shot=second, character=gerda, costume_override="@soaked", order=0)
    return user


def everything() -> list[Any]:
    """Every planned row of the database, whole."""
    return [row for model in PLANNED for row in model._default_manager.order_by("pk").values()]


def exported(project: Project, user: User, **asked: Any) -> Written:
    """A project's plan as a file."""
    return export(project, user=user, **asked)


def bring(
    project: Project, user: User, content: bytes, name: str = "shots.xlsx", **options: Any
) -> ImportBatch:
    """Bring a file and plan it, as the upload page does; with options, plan it again with those."""
    batch = upload(project, io.BytesIO(content), name=name, user=user)
    ask(batch, Work.PLAN)
    if options:
        batch.refresh_from_db()
        choose(batch, user=user, **options)
    batch.refresh_from_db()
    return batch


def written(batch: ImportBatch, user: User) -> ImportBatch:
    """Confirm; return the batch as it is then."""
    confirm(batch, user=user)
    batch.refresh_from_db()
    return batch


def told(batch: ImportBatch, column: str) -> list[list[str]]:
    """What the plan says of a column: state, before, after, problem, row by row."""
    return [cell[1:] for row in batch.rows.order_by("position") for cell in row.cells if cell[0] == column]


def errors(batch: ImportBatch) -> list[str]:
    """Every problem of the plan, as people read it."""
    of_rows = [cell[4] for row in batch.rows.order_by("position") for cell in row.cells if cell[1] == "error"]
    return [f"{one['field']}: {one['message']}" for one in batch.problems] + of_rows


def workbook(**sheets: Sequence[Sequence[Any]]) -> bytes:
    """Sheets of rows as XLSX."""
    made = Workbook()
    made.remove(made.worksheets[0])
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def csv_of(rows: Iterable[Sequence[Any]], *, encoding: str = "utf-8-sig", separator: str = ",") -> bytes:
    """Rows as CSV."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator).writerows(rows)
    return text.getvalue().encode(encoding)

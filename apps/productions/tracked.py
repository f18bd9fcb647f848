"""What is remembered of the plan: sequences, locations, and shots with their cast and presets."""

from __future__ import annotations

from collections.abc import Sequence as Listed
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.characters.models import Character, Costume
from apps.common.errors import lacks_permission
from apps.ledger.documents import Children, Document, Reference, track
from apps.presets.models import CinematicPreset
from apps.productions.models import Episode, Location, Sequence, Shot, ShotCharacter, ShotPreset, ShotStatus
from apps.projects.roles import Act
from apps.projects.selectors import require_each
from apps.projects.tracked import PERSON, PROJECT

EPISODE = Reference(model=Episode, within="project")
SEQUENCE = Reference(model=Sequence, within="project")
SHOT = Reference(model=Shot, by=("sequence__code", "code"), joined="_", within="project")
LOCATION = Reference(model=Location, within="project")
CHARACTER = Reference(model=Character, within="project")
COSTUME = Reference(model=Costume, by=("name",), within="character", of="character")
PRESET = Reference(model=CinematicPreset, by=("category__slug", "slug"), of="")
STATUS = Reference(model=ShotStatus, by=("slug",), of="")


def _may_plan(rows: Listed[Any], user: User) -> None:
    require_each(user, Act.PLAN, {row.project_id for row in rows})


def _may_rename(statuses: Listed[ShotStatus], user: User) -> None:
    if not user.has_perm("productions.change_shotstatus"):
        raise lacks_permission(user, "productions.change_shotstatus")


track(Document(model=ShotStatus, kind="shot_status", label=("slug",), project="", permit=_may_rename))
track(Document(model=Location, kind="location", references={"project": PROJECT}, permit=_may_plan))
track(Document(model=Episode, kind="episode", references={"project": PROJECT}, permit=_may_plan))
track(
    Document(
        model=Sequence,
        kind="sequence",
        references={"project": PROJECT, "episode": EPISODE},
        permit=_may_plan,
    )
)
track(
    Document(
        model=Shot,
        kind="shot",
        label=("sequence__code", "code"),
        left_out=("retake_count",),  # counted by verdicts, which are events
        references={
            "project": PROJECT,
            "sequence": SEQUENCE,
            "location": LOCATION,
            "continuity_from": SHOT,
            "status": STATUS,
        },
        children={
            "casting": Children(
                model=ShotCharacter,
                parent="shot",
                key=("character",),
                references={"character": CHARACTER, "costume": COSTUME},
                ordered="order",
                label=_("casting"),
            ),
            "assignees": Children(
                model=Shot.assignees.through,
                parent="shot",
                key=("user",),
                references={"user": PERSON},
                flat=True,
                label=_("assigned to"),
            ),
            "presets": Children(
                model=ShotPreset,
                parent="shot",
                key=("preset",),
                references={"preset": PRESET},
                ordered="order",
                flat=True,
                label=_("presets"),
            ),
        },
        permit=_may_plan,
    )
)

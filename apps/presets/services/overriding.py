"""What a film says instead of the studio: other texts, or nothing at all. No other film hears of it."""

from __future__ import annotations

from typing import TypedDict, Unpack

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Problem, Refused
from apps.common.validation import clean
from apps.ledger.services.recording import changing
from apps.ledger.services.versions import claim
from apps.presets.models import CinematicPreset, PresetOverride
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.projects.selectors import require


class OverrideFields(TypedDict, total=False):
    """What a film may say of a studio's preset."""

    prompt_fragment: str
    prompt_fragment_ko: str
    negative_fragment: str
    negative_fragment_ko: str
    hidden: bool


@transaction.atomic
def override_preset(
    preset: CinematicPreset,
    *,
    project: Project,
    user: User,
    row_version: int | None = None,
    **fields: Unpack[OverrideFields],
) -> PresetOverride:
    """Say something else in one film, or hide the preset there. What is not named stays as it is there.

    ``row_version``: of the override as it was read; None while there is none. Raises Refused for a film's own
    preset (change that itself), Stale, NotAllowed.
    """
    require(user, Act.PLAN, project)
    if preset.project_id is not None:
        told = _("it is a project's own preset; change it itself")
        raise Refused(Problem("preset", preset.name, told))
    row = PresetOverride.objects.select_for_update().filter(project=project, preset=preset).first()
    if row is None:
        row = PresetOverride(project=project, preset=preset)
    new = row._state.adding
    with changing(PresetOverride, [] if new else [row.pk], actor=user) as change:
        if not new:
            claim(row, _said(row_version))
        for name, value in fields.items():
            setattr(row, name, value)
        if new:
            clean(row)
            change.born(row)
        else:
            row.row_version += 1
        row.save()
    return row


def forget_override(
    preset: CinematicPreset, *, project: Project, user: User, row_version: int | None
) -> bool:
    """Let the studio's words stand in a film again; return False if they did. Raises Stale, NotAllowed."""
    require(user, Act.PLAN, project)
    row = PresetOverride.objects.filter(project=project, preset=preset).first()
    if row is None:
        return False
    with changing(PresetOverride, [row.pk], actor=user):
        claim(row, _said(row_version))
        row.delete()
    return True


def _said(row_version: int | None) -> int:
    if row_version is None:
        told = _("this project says something of it already; send the row_version you read")
        raise Refused(Problem("row_version", "", told, code="required"))
    return row_version

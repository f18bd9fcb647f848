"""What is remembered of the plan: sequences, locations, and shots with their cast and presets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from collections.abc import Sequence as Listed
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.characters.models import Character, Costume
from apps.common.errors import Problem, Refused, lacks_permission
from apps.common.show import spoken
from apps.ledger.documents import Children, Document, Reference, track
from apps.presets.models import CinematicPreset
from apps.presets.selectors import preset_names
from apps.productions.assigning import leave_out_strangers
from apps.productions.automating import require_sound
from apps.productions.continuity import hold_chains, refuse_circles
from apps.productions.editing import RULED
from apps.productions.models import (
    Automation,
    Episode,
    Location,
    Sequence,
    Shot,
    ShotCharacter,
    ShotPreset,
    ShotStatus,
)
from apps.productions.moving import move_along, show_as
from apps.productions.preset_facts import require_rules
from apps.productions.states import way
from apps.projects.roles import Act
from apps.projects.selectors import may, require_each, require_rows
from apps.projects.tracked import PERSON, PROJECT

EPISODE = Reference(model=Episode, within="project")
SEQUENCE = Reference(model=Sequence, within="project")
SHOT = Reference(model=Shot, by=("sequence__code", "code"), joined="_", within="project")
LOCATION = Reference(model=Location, within="project")
CHARACTER = Reference(model=Character, within="project")
COSTUME = Reference(model=Costume, by=("name",), within="character", of="character")
PRESET = Reference(model=CinematicPreset, by=("category__slug", "slug"), own="project")
STATUS = Reference(model=ShotStatus, by=("slug",), of="")


def _called() -> dict[str, str]:
    """What pages call each status of a shot."""
    return {row.slug: spoken(row, "name") for row in ShotStatus.objects.all()}


def _may_plan(rows: Listed[Any], user: User) -> None:
    require_each(user, Act.PLAN, {row.project_id for row in rows})


def _may_change(shots: Listed[Shot], user: User) -> None:
    there = [shot.pk for shot in shots if not shot._state.adding]
    require_rows(user, Act.PLAN, Shot.objects.filter(pk__in=there), shot="pk")
    require_each(user, Act.PLAN, {shot.project_id for shot in shots if shot._state.adding})
    locked = [shot for shot in shots if shot.locked_by]
    if locked:
        told = gettext("%(user)s locked this shot; unlock it to change its plan")
        raise Refused(
            *(
                Problem("locked_by", f"{shot}", told % {"user": shot.locked_by}, code="locked")
                for shot in locked[:20]
            )
        )


def _check_put(shots: Mapping[Any, Mapping[str, Any]]) -> None:
    linked = [key for key, told in shots.items() if told.get("continuity_from") is not None]
    if linked:
        refuse_circles(linked)
    ruled = [key for key, told in shots.items() if told.keys() & {*RULED, "presets"}]
    if ruled:
        require_rules(ruled)


def _mend_put(shots: Mapping[Any, Mapping[str, Any]]) -> None:
    assigned = [key for key, told in shots.items() if told.get("assignees")]
    if assigned:
        leave_out_strangers(assigned)


def _may_assign(shots: Listed[Shot], user: User) -> bool:
    return all(may(user, Act.PLAN, shot.project) for shot in shots)


def _move_back(statuses: Mapping[Any, Any], user: User) -> list[Any]:
    """Move shots to these statuses on the machine's shortest way there; return those that stay."""
    together: dict[tuple[str, ...], list[Shot]] = defaultdict(list)
    for shot in Shot.objects.filter(pk__in=statuses):
        together[way(str(shot.status_id), statuses[shot.pk]) or ()].append(shot)
    stay = {shot.pk for shot in together.pop((), ())}  # the machine has no way, and the undo names the shot
    for steps, shots in sorted(together.items()):
        stay |= {shot.pk for shot in shots} - move_along(shots, steps, user=user)
    return list(stay)


def _show_again(shades: Mapping[Any, Any], user: User) -> list[Any]:
    """Show shots as these statuses of the studio (None: as their state is called); return those that stay."""
    wanted: dict[str, set[Any]] = defaultdict(set)
    there = Shot.objects.filter(pk__in=shades).values_list("pk", "status_id", "studio_status_id")
    for key, state, shade in there:
        if shade != shades[key]:
            wanted[shades[key] or state].add(key)
    stay: set[Any] = set().union(*wanted.values())
    for row in ShotStatus.objects.filter(pk__in=wanted, archived=False):
        stay -= show_as(wanted[row.pk], row, user=user)
    return list(stay)


def _may_rename(statuses: Listed[ShotStatus], user: User) -> None:
    if not user.has_perm("productions.change_shotstatus"):
        raise lacks_permission(user, "productions.change_shotstatus")


def _may_automate(rows: Listed[Automation], user: User) -> None:
    require_each(user, Act.MANAGE, {row.project_id for row in rows if row.project_id})
    if any(row.project_id is None for row in rows) and not user.has_perm("productions.change_automation"):
        raise lacks_permission(user, "productions.change_automation")


def _check_automations(rows: Mapping[Any, Mapping[str, Any]]) -> None:
    for row in Automation.objects.filter(pk__in=list(rows)).select_related("status", "target"):
        require_sound(row)


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
        model=Automation,
        kind="automation",
        label=("name",),
        references={"project": PROJECT, "status": STATUS, "target": STATUS},
        left_out=("builtin",),
        permit=_may_automate,
        check=_check_automations,
        spoken={"status": _called, "target": _called},
    )
)
track(
    Document(
        model=Shot,
        kind="shot",
        label=("sequence__code", "code"),
        references={
            "project": PROJECT,
            "sequence": SEQUENCE,
            "location": LOCATION,
            "continuity_from": SHOT,
            "status": STATUS,
            "studio_status": STATUS,
        },
        left_out=("locked_at",),  # the time of a lock, which has a name of its own
        drivers={"status": _move_back, "studio_status": _show_again},
        guarded={"assignees": _may_assign},
        goes_with=("recommendation",),
        steered=("project", "sequence", "code", "status", "studio_status", "locked_by", "retake_count"),
        children={
            "casting": Children(
                model=ShotCharacter,
                parent="shot",
                key=("character",),
                references={"character": CHARACTER, "costume": COSTUME},
                ordered="order",
                label=_("casting"),
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
            "assignees": Children(
                model=Shot.assignees.through,
                parent="shot",
                key=("user",),
                references={"user": PERSON},
                flat=True,
                label=_("assigned to"),
            ),
        },
        permit=_may_change,
        hold=hold_chains,
        mend=_mend_put,
        check=_check_put,
        spoken={"status": _called, "studio_status": _called, "presets": preset_names},
    )
)

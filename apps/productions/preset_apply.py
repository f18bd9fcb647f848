"""Give presets, or a look, to many shots at once: shown first, then all of them or none."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from django.db import models, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.accounts.models import User
from apps.common.errors import Conflict, Problem, Refused
from apps.ledger.services.batching import open_batch
from apps.ledger.services.recording import changing
from apps.presets.models import CinematicPreset, Look
from apps.presets.rules import Broken, Rule
from apps.presets.selectors import rules_in
from apps.presets.services.choosing import exclusive_problems
from apps.productions.models import Shot, ShotPreset
from apps.productions.preset_facts import check, refusals
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.projects.selectors import require_shots

MOST_SHOTS: Final = 5_000
"""More at a time would hold the shots' rows for too long."""


class Mode(models.TextChoices):
    """What becomes of the presets a shot has."""

    ADD = "add", gettext_lazy("add; of exclusive categories the new one stands")
    FILL = "fill", gettext_lazy("add only where the shot has nothing of the category")
    REPLACE = "replace", gettext_lazy("replace everything")
    REMOVE = "remove", gettext_lazy("take away")


@dataclass(frozen=True)
class ShotPlan:
    """What becomes of one shot: its presets before and after, in its order; the rules it would break."""

    shot: Shot
    before: tuple[CinematicPreset, ...]
    after: tuple[CinematicPreset, ...]
    broken: tuple[Broken, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything happens to it."""
        return self.before != self.after

    @property
    def gained(self) -> list[CinematicPreset]:
        """Presets that come."""
        return [preset for preset in self.after if preset not in self.before]

    @property
    def lost(self) -> list[CinematicPreset]:
        """Presets that go."""
        return [preset for preset in self.before if preset not in self.after]


@dataclass(frozen=True)
class ApplyPlan:
    """What would happen, and why it may not. ``token`` names exactly this plan of exactly these shots."""

    rows: tuple[ShotPlan, ...]
    token: str
    problems: list[Problem] = field(default_factory=list)

    @property
    def changing(self) -> list[ShotPlan]:
        """The shots to which something happens."""
        return [row for row in self.rows if row.changed]


@dataclass(frozen=True)
class Applied:
    """What happened: how many shots changed, in which batch (None where all had it so already)."""

    changed: int
    batch: UUID | None


def plan_presets(
    shots: Sequence[Shot], presets: Sequence[CinematicPreset], *, mode: str, user: User, reason: str = ""
) -> ApplyPlan:
    """Work out what giving these presets to the shots comes to; nothing is written.

    The presets are offered in the shots' one project; read their category with them. Problems are hard rules
    that a changing shot would break without a reason. Raises Refused for shots of several projects, for too
    many, for no presets or two of an exclusive category; NotAllowed.
    """
    project = _project_of(shots)
    require_shots(user, Act.PLAN, project, shots=[shot.pk for shot in shots])
    if not presets:
        raise Refused(Problem("presets", "", _("name at least one preset, or a look")))
    if problems := exclusive_problems(presets):
        raise Refused(*problems)
    return _plan(shots, presets, mode, rules_in([project.pk])[project.pk], reason)


@transaction.atomic
def apply_presets(
    shots: Sequence[Shot],
    presets: Sequence[CinematicPreset],
    *,
    mode: str,
    user: User,
    reason: str = "",
    token: str = "",
) -> Applied:
    """Give these presets to the shots: all or nothing, in one batch.

    ``reason``: why hard rules may be broken, kept on the shots that break them. ``token``: of the plan that
    was shown; Conflict if the shots have changed since. Raises what plan_presets raises, and its problems.
    """
    keys = [shot.pk for shot in shots]
    locked = list(Shot.objects.select_for_update().filter(pk__in=keys).order_by("pk"))
    if len(locked) < len(set(keys)):
        raise Conflict(Problem("shots", "", _("a shot is not there any more; choose again"), code="stale"))
    fresh = in_order(keys)
    plan = plan_presets(fresh, presets, mode=mode, user=user, reason=reason)
    if token and token != plan.token:
        told = _("the shots have changed since this was shown; look at it again")
        raise Conflict(Problem("token", "", told, code="stale"))
    if plan.problems:
        raise Refused(*plan.problems)
    changed = [row.shot.pk for row in plan.changing]
    if not changed:
        return Applied(changed=0, batch=None)
    text = ngettext("%(count)d shot: presets", "%(count)d shots: presets", len(changed))
    batch = open_batch(project=fresh[0].project_id, actor=user, title=text % {"count": len(changed)})
    with changing(Shot, changed, actor=user, batch=batch):
        _write(plan.changing, reason)
    return Applied(changed=len(changed), batch=batch.pk)


def in_order(keys: Iterable[UUID]) -> list[Shot]:
    """Read shots with what rules want to know of them, in the film's order: one query."""
    shots = Shot.objects.filter(pk__in=list(keys)).select_related("sequence__project", "project", "location")
    return list(shots.order_by("sequence__order", "sequence__code", "order", "code"))


def presets_of_look(look: Look) -> list[CinematicPreset]:
    """A look's presets in its order, with their categories."""
    parts = look.look_presets.select_related("preset__category").order_by("order")
    return [part.preset for part in parts]


def used_by(shots: Iterable[Shot]) -> dict[UUID, list[CinematicPreset]]:
    """The presets of each shot in its order, with their categories: one query."""
    used: dict[UUID, list[CinematicPreset]] = {shot.pk: [] for shot in shots}
    rows = ShotPreset.objects.filter(shot__in=list(used)).select_related("preset__category")
    for row in rows.order_by("shot", "order", "pk"):
        used[row.shot_id].append(row.preset)
    return used


def combined(
    there: Sequence[CinematicPreset], given: Sequence[CinematicPreset], mode: str
) -> tuple[CinematicPreset, ...]:
    """The presets of a shot after these are given to it. A second of an exclusive category is never left."""
    if mode == Mode.REPLACE:
        return tuple(given)
    if mode == Mode.REMOVE:
        return tuple(preset for preset in there if preset not in given)
    if mode == Mode.FILL:
        taken = {preset.category_id for preset in there}
        return (*there, *(preset for preset in given if preset.category_id not in taken))
    pushed = {preset.category_id for preset in given if preset.category.exclusive}
    kept = [preset for preset in there if preset.category_id not in pushed or preset in given]
    return (*kept, *(preset for preset in given if preset not in kept))


def _plan(
    shots: Sequence[Shot],
    presets: Sequence[CinematicPreset],
    mode: str,
    rules: Sequence[Rule],
    reason: str,
) -> ApplyPlan:
    if mode not in Mode.values:
        raise Refused(Problem("mode", mode, _("use one of %s") % ", ".join(Mode.values)))
    used = used_by(shots)
    rows = []
    problems: list[Problem] = []
    for shot in shots:
        before, after = tuple(used[shot.pk]), combined(used[shot.pk], presets, mode)
        told = check(shot, after, rules)
        rows.append(ShotPlan(shot, before, after, told))
        if before != after:
            problems += _locked(shot)
            problems += refusals(told, reason or shot.preset_override, field=f"{shot.full_code} presets")
    return ApplyPlan(tuple(rows), _token(rows, mode), problems)


def _locked(shot: Shot) -> list[Problem]:
    """What a lock says against it."""
    if not shot.locked_by:
        return []
    told = _("%(user)s locked this shot; unlock it to change its plan") % {"user": shot.locked_by}
    return [Problem(shot.full_code, "", told, code="locked")]


def _token(rows: Sequence[ShotPlan], mode: str) -> str:
    said = hashlib.sha256(mode.encode())
    for row in rows:
        said.update(f"{row.shot.pk} {row.shot.row_version} {[str(one.pk) for one in row.after]}".encode())
    return said.hexdigest()


def _write(rows: Sequence[ShotPlan], reason: str) -> None:
    keys = [row.shot.pk for row in rows]
    ShotPreset.objects.filter(shot__in=keys).delete()
    ShotPreset.objects.bulk_create(
        [
            ShotPreset(shot=row.shot, preset=preset, order=order)
            for row in rows
            for order, preset in enumerate(row.after)
        ],
        batch_size=500,
    )
    reasons: Mapping[bool, list[UUID]] = {
        hard: [row.shot.pk for row in rows if any(told.hard for told in row.broken) is hard]
        for hard in (True, False)
    }
    changed = {"row_version": F("row_version") + 1, "updated_at": Now()}
    breaking = Shot.objects.filter(pk__in=reasons[True])
    breaking.update(**changed, **({"preset_override": reason.strip()} if reason.strip() else {}))
    Shot.objects.filter(pk__in=reasons[False]).update(**changed, preset_override="")


def _project_of(shots: Sequence[Shot]) -> Project:
    if not shots:
        raise Refused(Problem("shots", "", _("name at least one shot")))
    if len(shots) > MOST_SHOTS:
        told = _("at most %d shots at a time") % MOST_SHOTS
        raise Refused(Problem("shots", str(len(shots)), told))
    if len({shot.project_id for shot in shots}) > 1:
        raise Refused(Problem("shots", "", _("the shots belong to several projects; take those of one")))
    return shots[0].project

"""``farm hold`` and ``farm release``: the whole farm, a VRAM tier, a project, a batch, a job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Problem, Refused
from apps.common.show import tier_text
from apps.desk.terminal.answer import Answer
from apps.desk.terminal.finding import did_you_mean, tier_named
from apps.projects.models import Project
from apps.renders.models import Hold, Job, RenderBatch
from apps.renders.services import holds
from apps.renders.services.pausing import pause_batch
from apps.renders.services.steering import change_job
from farm.tiers import NO_VRAM, TIERS_GB


@dataclass(frozen=True)
class Holdable:
    """Something to hold back. ``set_held(held, user, reason)`` tells whether that changed anything."""

    scope: str
    title: str
    set_held: Callable[[bool, User, str], bool]


def holdable_named(typed: str) -> Holdable:
    """What ``farm``, a tier (24, 24gb), or the code of a project, batch or job stands for. Raises Refused."""
    asked = typed.strip()
    if asked.lower() == Hold.FARM:
        return _of_the_farm(Hold.FARM, _("the farm"))
    if (tier := tier_named(asked)) is not None:
        return _of_the_farm(str(tier), tier_text(tier))
    code = asked.upper()
    for found in (_project(code), _batch(code), _job(code)):
        if found is not None:
            return found
    tiers = ", ".join(map(str, (NO_VRAM, *TIERS_GB)))
    told = _("write %(farm)s, a VRAM tier (%(tiers)s), or the code of a project, a batch or a job")
    near = did_you_mean(asked, Project.objects.values_list("code", flat=True)) if asked.isalpha() else ""
    raise Refused(Problem("scope", typed, told % {"farm": Hold.FARM, "tiers": tiers} + near))


def hold(what: Holdable, *, user: User, reason: str = "") -> Answer:
    """Let nothing of it start. What nodes already have goes on. Raises Refused, NotAllowed."""
    changed = what.set_held(True, user, reason)
    told = _("%(what)s: paused already.")
    if changed:
        told = _("%(what)s: paused; what nodes already have goes on.")
    data = {"scope": what.scope, "held": True, "changed": changed}
    return Answer([told % {"what": what.title}], data)


def release(what: Holdable, *, user: User) -> Answer:
    """Let it go on. Raises Refused, NotAllowed."""
    changed = what.set_held(False, user, "")
    told = _("%(what)s: goes on.") if changed else _("%(what)s: was not paused.")
    data = {"scope": what.scope, "held": False, "changed": changed}
    return Answer([told % {"what": what.title}], data, found=changed)


def _of_the_farm(scope: str, title: str) -> Holdable:
    def set_held(held: bool, user: User, reason: str) -> bool:
        return holds.hold(scope, user=user, reason=reason) if held else holds.release(scope, user=user)

    return Holdable(scope, title, set_held)


def _project(code: str) -> Holdable | None:
    project = Project.objects.filter(code=code).first()
    if project is None:
        return None

    def set_held(held: bool, user: User, reason: str) -> bool:
        return holds.pause_project(project, paused=held, user=user, reason=reason)

    return Holdable(code, code, set_held)


def _batch(code: str) -> Holdable | None:
    batch = RenderBatch.objects.select_related("project").filter(code=code).first()
    if batch is None:
        return None

    def set_held(held: bool, user: User, reason: str) -> bool:
        return pause_batch(batch, paused=held, user=user, reason=reason)

    return Holdable(code, code, set_held)


def _job(code: str) -> Holdable | None:
    job = Job.objects.filter(code=code).first()
    if job is None:
        return None

    def set_held(held: bool, user: User, reason: str) -> bool:
        return change_job(job, {"paused": held}, user=user, reason=reason)

    return Holdable(code, code, set_held)

"""What memory jobs need is learned from how their attempts end (design §6, ADR 0029).

Evidence counts for the tier of the card it was gathered on, whatever was ordered. All of one template
version is learned under one lock, so coordinators that record at the same time lose nothing.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import astuple, dataclass, field
from typing import Final, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import NotAllowed
from apps.common.machines import Machine, events_together, record_event
from apps.renders.memory import ENOUGH, Conclusion, Experience, Sample, Shape, applying_to, conclude
from apps.renders.models import Attempt, Lane, Need, NeedTier
from apps.renders.services.ended import Ended
from apps.workflows.models import WorkflowTemplateVersion
from farm.contracts import FailureClass
from farm.tiers import NO_VRAM

logger = logging.getLogger(__name__)

ACTOR = "needs"
EDIT = "renders.change_need"
NEED = Machine(name="need", field="tier_gb", moves={})
"""No machine: any tier may follow any. It lends its name to the events that tell of a change."""

LEARNED_DOWN = "enough renders of it fit a smaller card"
LEARNED_UP = "a render of it ran out of memory"
FORGOTTEN = "what was learned is forgotten"

_UNREAD: Final = tuple(
    f"template_version__{name}" for name in ("graph", "manifest", "classes", "models_needed")
)


class Duration(NamedTuple):
    """Seconds of execution to expect: mean, standard deviation, and of how many renders."""

    mean_s: float
    spread_s: float
    n: int


@dataclass
class _Lesson:
    """What one group of ended attempts says of one need on cards of one tier."""

    seconds: list[float] = field(default_factory=list)
    ooms: int = 0
    peak_mib: int | None = None


def learn(ended: Sequence[Ended]) -> None:
    """Write down what these attempts say of memory and time, and draw the conclusions.

    A constant number of statements. Call it in the transaction in which they end.
    """
    telling = [item for item in ended if _says_something(item)]
    if not telling:
        return
    needs = _needs_of(telling)
    lessons: dict[tuple[UUID, int], _Lesson] = defaultdict(_Lesson)
    for item in telling:
        need = needs.get(item.attempt.job.lane_id)
        if need is not None and need.declared_tier_gb != NO_VRAM:
            _add(lessons[need.pk, card_of(item.attempt)], item)
    if not lessons:
        return
    versions = {need.template_version_id for need in needs.values()}
    _lock(versions)
    if _write(lessons):
        stories = {
            need.pk: item.attempt.job_id
            for item in telling
            if (need := needs.get(item.attempt.job.lane_id)) is not None
        }
        _settle(versions, stories)


def settle(version_ids: Collection[UUID]) -> None:
    """Draw the conclusions for every need of these template versions: a new one may be proven already."""
    with transaction.atomic():
        _lock(version_ids)
        _settle(version_ids, {})


def forget(needs: QuerySet[Need], *, user: User) -> int:
    """Forget what was learned of these needs; return of how many. Raises NotAllowed.

    What larger or smaller work of the same template says of them still counts.
    """
    if not user.has_perm(EDIT):
        told = _("%(user)s may not make the farm forget; that takes the permission %(permission)s")
        raise NotAllowed(told % {"user": user, "permission": EDIT})
    with transaction.atomic():
        versions = dict(needs.values_list("pk", "template_version_id"))
        _lock(versions.values())
        NeedTier.objects.filter(need__in=versions).delete()
        _settle(set(versions.values()), {}, actor=user.get_username(), reason=FORGOTTEN)
    logger.info("memory needs forgotten", extra={"needs": len(versions), "by": user.get_username()})
    return len(versions)


def expected_seconds(need_ids: Iterable[UUID]) -> dict[UUID, Duration | None]:
    """How long a render of each need executes, over all cards it ran on; one query.

    A need that never ran has its template version's mean; None where that never ran either.
    """
    wanted = set(need_ids)
    versions = Need.objects.filter(pk__in=wanted).values("template_version")
    rows = Need.objects.filter(template_version__in=versions).values_list(
        "pk", "template_version", "tiers__successes", "tiers__seconds_mean", "tiers__seconds_m2"
    )
    of_need: dict[UUID, Sample] = defaultdict(Sample)
    of_version: dict[UUID, Sample] = defaultdict(Sample)
    version_of: dict[UUID, UUID] = {}
    for need, version, count, mean, m2 in rows:
        version_of[need] = version
        if count:
            sample = Sample(count, mean, m2)
            of_need[need] += sample
            of_version[version] += sample
    return {
        need: _duration(of_need[need])
        or (_duration(of_version[version_of[need]]) if need in version_of else None)
        for need in wanted
    }


def card_of(attempt: Attempt) -> int:
    """The tier of the card an attempt ran on; 0 if no node told it."""
    if attempt.card_gb is not None:
        return attempt.card_gb
    return (attempt.node.tier_gb if attempt.node else None) or NO_VRAM


def _says_something(item: Ended) -> bool:
    """Whether a card of known size had it, and memory either did or did not suffice.

    A success that executed nothing came from ComfyUI's cache: it needed no memory.
    """
    if card_of(item.attempt) == NO_VRAM:
        return False
    return item.execute_s > 0 if item.succeeded else item.failure_class == FailureClass.OUT_OF_MEMORY


def _needs_of(ended: Iterable[Ended]) -> dict[UUID | None, Need]:
    lanes = {key for item in ended if (key := item.attempt.job.lane_id) is not None}
    rows = Lane.objects.filter(pk__in=lanes).select_related("need")
    return {lane.pk: lane.need for lane in rows.only("need__template_version", "need__declared_tier_gb")}


def _add(lesson: _Lesson, item: Ended) -> None:
    if item.succeeded:
        lesson.seconds.append(item.execute_s)
    else:
        lesson.ooms += 1
    if item.peak_mib is not None:
        lesson.peak_mib = max(lesson.peak_mib or 0, item.peak_mib)


def _lock(version_ids: Iterable[UUID]) -> None:
    """Nobody else learns of these template versions before this transaction ends."""
    versions = WorkflowTemplateVersion.objects.filter(pk__in=set(version_ids)).order_by("pk")
    list(versions.select_for_update(no_key=True).values_list("pk", flat=True))


def _write(lessons: dict[tuple[UUID, int], _Lesson]) -> bool:
    """Add the lessons to what is known; tell whether any of them may change a conclusion."""
    known = {
        (row.need_id, row.tier_gb): row
        for row in NeedTier.objects.filter(need__in={need for need, _ in lessons})
    }
    rows = []
    news = False
    for (need_id, tier_gb), lesson in lessons.items():
        row = known.get((need_id, tier_gb)) or NeedTier(need_id=need_id, tier_gb=tier_gb)
        news = news or bool(lesson.ooms) or row.successes < ENOUGH
        total = Sample(row.successes, row.seconds_mean, row.seconds_m2) + Sample.of(lesson.seconds)
        row.successes, row.seconds_mean, row.seconds_m2 = total.count, total.mean, total.m2
        row.ooms += lesson.ooms
        if lesson.peak_mib is not None:
            row.peak_mib = max(row.peak_mib or 0, lesson.peak_mib)
        rows.append(row)
    NeedTier.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["need", "tier_gb"],
        update_fields=["successes", "ooms", "seconds_mean", "seconds_m2", "peak_mib"],
    )
    return news


def _settle(
    version_ids: Collection[UUID], stories: dict[UUID, UUID], *, actor: str = ACTOR, reason: str = ""
) -> None:
    """Conclude anew for all needs of these template versions, which must be locked."""
    families: dict[tuple[UUID, str], list[Need]] = defaultdict(list)
    needs = Need.objects.filter(template_version__in=version_ids).select_related("template_version__template")
    for need in needs.defer(*_UNREAD):
        families[need.template_version_id, need.precision].append(need)
    told: dict[UUID, Experience] = defaultdict(Experience)
    for row in NeedTier.objects.filter(need__template_version__in=version_ids):
        told[row.need_id].successes[row.tier_gb] = row.successes
        told[row.need_id].ooms[row.tier_gb] = row.ooms
    changed: list[Need] = []
    with events_together():
        for family in families.values():
            all_told = [(shape_of(need), told[need.pk]) for need in family if need.pk in told]
            for need in family:
                found = conclude(need.declared_tier_gb, applying_to(shape_of(need), all_told))
                if found != Conclusion(need.tier_gb, need.learned, need.explore_gb):
                    _tell(need, found, story=stories.get(need.pk), actor=actor, reason=reason)
                    need.tier_gb, need.learned, need.explore_gb = astuple(found)
                    changed.append(need)
    Need.objects.bulk_update(changed, ["tier_gb", "learned", "explore_gb"], batch_size=200)


def shape_of(need: Need) -> Shape:
    """The need's demand on memory."""
    return Shape(need.width * need.height, need.frames)


def _tell(need: Need, verdict: Conclusion, *, story: UUID | None, actor: str, reason: str) -> None:
    """Write the change of a tier into the story of the job that brought it about."""
    if verdict.tier_gb == need.tier_gb:
        return
    down = need.tier_gb is None or (verdict.tier_gb is not None and verdict.tier_gb < need.tier_gb)
    record_event(
        NEED,
        need.pk,
        story=story,
        from_state=_named(need.tier_gb),
        to=_named(verdict.tier_gb),
        actor=actor,
        reason=reason or (LEARNED_DOWN if down else LEARNED_UP),
        data={"need": str(need)},
    )
    logger.info(
        "a memory need changed", extra={"need": str(need), "tier": verdict.tier_gb, "was": need.tier_gb}
    )


def _named(tier_gb: int | None) -> str:
    return "none" if tier_gb is None else str(tier_gb)


def _duration(sample: Sample) -> Duration | None:
    return Duration(sample.mean, sample.spread, sample.count) if sample.count else None


def told_of(need: Need) -> list[tuple[Shape, Experience]]:
    """What is known of this need and of every other of its template version and precision."""
    rows = NeedTier.objects.filter(
        need__template_version=need.template_version_id, need__precision=need.precision
    ).select_related("need")
    return [
        (shape_of(row.need), Experience({row.tier_gb: row.successes}, {row.tier_gb: row.ooms}))
        for row in rows
    ]

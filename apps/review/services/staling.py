"""Takes whose sources are not what goes on any more are flagged, and unflagged when those return.

One judgement at a time in a project, after what it is about has been committed: of two selections at once the
second sees the first. It takes a constant number of queries, however long the chain.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from apps.common.clock import database_now
from apps.projects.models import Project
from apps.review.models import Take, TakeParent, Unjudged
from apps.review.states import Review

logger = logging.getLogger(__name__)

TURNED_DOWN: Final = (Review.REJECTED, Review.RETAKE)
AT_ONCE: Final = 200
"""Changes that the leader judges in one turn."""

_MADE_OF: Final = """
    WITH RECURSIVE down (id) AS (
        SELECT id FROM review_take WHERE shot_id = %s AND stage = %s
        UNION
        SELECT link.child_id FROM review_takeparent AS link JOIN down ON link.parent_id = down.id
    )
    SELECT id FROM down
"""


@dataclass(frozen=True)
class _Fact:
    """What decides about a take, and what it is called."""

    shot: UUID
    stage: str
    selected: bool
    review: str
    stale: bool
    why: Mapping[str, Any]
    name: str


def judge_stage(shot: UUID, stage: str) -> int:
    """Another take of this shot and stage goes on, or a verdict was given: judge all that is made of them.

    Return how many takes changed.
    """
    # Read before anything is judged: a change that comes later writes a row of its own, which stays.
    noted = list(Unjudged.objects.filter(shot=shot, stage=stage).values_list("pk", flat=True))
    project = Take.objects.filter(shot=shot, stage=stage).values_list("project_id", flat=True).first()
    with transaction.atomic():
        changed = 0 if project is None else _judge(project, shot, stage)
        if noted:
            Unjudged.objects.filter(pk__in=noted).delete()
    return changed


def judge_take(take: UUID) -> int:
    """A take was born: what it is made of may have been exchanged while it rendered."""
    found = Take.objects.filter(pk=take).values_list("shot_id", "stage").first()
    if found is None or not TakeParent.objects.filter(child=take).exists():
        return 0
    return judge_stage(*found)


def hear_selection(*, shot: UUID, stage: str, **_more: Any) -> None:
    """The ear of take_selected."""
    judge_stage(shot, stage)


def hear_verdict(*, take: UUID, **_more: Any) -> None:
    """The ear of take_reviewed."""
    found = Take.objects.filter(pk=take).values_list("shot_id", "stage").first()
    if found is not None:
        judge_stage(*found)


def judge_missed() -> int:
    """Judge what nobody has judged: its process died in between. Return how many takes changed by it."""
    noted = Unjudged.objects.order_by("id").values_list("shot", "stage")[:AT_ONCE]
    return sum(judge_stage(*found) for found in dict.fromkeys(noted))


def _judge(project: UUID, shot: UUID, stage: str) -> int:
    list(Project.objects.select_for_update(no_key=True).filter(pk=project).values_list("pk"))
    with connection.cursor() as cursor:
        cursor.execute(_MADE_OF, [_key(shot), stage])
        keys = [Take._meta.pk.to_python(key) for (key,) in cursor.fetchall()]
    parents: dict[UUID, list[UUID]] = defaultdict(list)
    for child, parent in (
        TakeParent.objects.filter(child__in=keys).order_by("role").values_list("child_id", "parent_id")
    ):
        parents[child].append(parent)
    facts = _facts({*parents, *(one for some in parents.values() for one in some)})
    chosen = _chosen({(facts[one].shot, facts[one].stage) for some in parents.values() for one in some})
    stale: dict[UUID, bool] = {key: fact.stale for key, fact in facts.items()}
    changed: dict[UUID, Mapping[str, Any]] = {}
    for key in sorted(parents):  # keys count in time: what a take is made of comes before it
        why = _why(parents[key], facts, chosen, stale)
        stale[key] = bool(why)
        if why != facts[key].why:
            changed[key] = why
    _write(changed, facts)
    return len(changed)


def _why(
    parents: Iterable[UUID],
    facts: Mapping[UUID, _Fact],
    chosen: Mapping[tuple[UUID, str], tuple[UUID, str]],
    stale: Mapping[UUID, bool],
) -> dict[str, Any]:
    """Why a take made of these is stale: the first reason there is; {} if it is not."""
    for key in parents:
        fact = facts[key]
        other = chosen.get((fact.shot, fact.stage))
        if other is not None and other[0] != key:
            return {"code": "selected", "take": fact.name, "now": other[1]}
        if fact.review in TURNED_DOWN and not fact.selected:
            return {"code": "turned_down", "take": fact.name, "verdict": fact.review}
    for key in parents:
        if stale[key]:
            return {"code": "upstream", "take": facts[key].name}
    return {}


def _facts(keys: Collection[UUID]) -> dict[UUID, _Fact]:
    rows = Take.objects.filter(pk__in=keys).order_by()
    return {
        key: _Fact(
            shot, stage, selected, review, since is not None, why, f"{sequence}_{code} {kind} take {number}"
        )
        for key, shot, stage, selected, review, since, why, sequence, code, kind, number in rows.values_list(
            *("pk", "shot_id", "stage", "selected", "review_state", "stale_since", "stale_why"),
            *("shot__sequence__code", "shot__code", "kind", "number"),
        )
    }


def _chosen(places: Collection[tuple[UUID, str]]) -> dict[tuple[UUID, str], tuple[UUID, str]]:
    """Which take is selected of each of these shots and stages, and what it is called."""
    rows = Take.objects.filter(shot__in={shot for shot, _stage in places}, selected=True).order_by()
    return {
        (shot, stage): (key, f"{sequence}_{code} {kind} take {number}")
        for key, shot, stage, sequence, code, kind, number in rows.values_list(
            *("pk", "shot_id", "stage", "shot__sequence__code", "shot__code", "kind", "number")
        )
    }


def _write(changed: Mapping[UUID, Mapping[str, Any]], facts: Mapping[UUID, _Fact]) -> None:
    if not changed:
        return
    now = database_now()
    rows = list(Take.objects.filter(pk__in=changed).order_by("pk").select_for_update(no_key=True))
    for row in rows:
        why = changed[row.pk]
        row.stale_since = (row.stale_since or now) if why else None
        row.stale_why = dict(why)
        row.row_version += 1
    Take.objects.bulk_update(rows, ["stale_since", "stale_why", "row_version"], batch_size=500)
    told = sum(bool(why) for why in changed.values())
    logger.info("takes judged", extra={"stale": told, "fresh": len(changed) - told})


def _key(key: UUID) -> str:
    return str(Take._meta.pk.get_db_prep_value(key, connection))

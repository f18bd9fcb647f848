"""Which shot continues which: never itself, never in a circle, never across projects.

Whoever changes it holds the project's row: of two who would close a circle together, the second sees what
the first did.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _

from apps.common.errors import Problem, Refused
from apps.ledger.documents import AT_ONCE, batches
from apps.productions.models import Shot
from apps.projects.models import Project

LONGEST_CHAIN: Final = 10_000
"""Links that are followed: a chain longer than this is a fault of the table."""

MOST_OFFERED: Final = 300
"""Shots of a sequence that are offered to be continued; any other may be typed."""

_UP: Final = """
    WITH RECURSIVE up (id, continuity_from_id, step) AS (
        SELECT id, continuity_from_id, 0 FROM productions_shot WHERE id = %s
        UNION ALL
        SELECT shot.id, shot.continuity_from_id, up.step + 1
        FROM productions_shot AS shot JOIN up ON shot.id = up.continuity_from_id WHERE up.step < %s
    )
    SELECT shot.*, up.step FROM productions_shot AS shot JOIN up ON up.id = shot.id ORDER BY up.step
"""
_ABOVE: Final = """
    WITH RECURSIVE up (id, continues) AS (
        SELECT id, continuity_from_id FROM productions_shot WHERE id IN ({roots})
        UNION
        SELECT shot.id, shot.continuity_from_id
        FROM productions_shot AS shot JOIN up ON shot.id = up.continues
    )
    SELECT id, continues FROM up WHERE continues IS NOT NULL
"""
_DOWN: Final = """
    WITH RECURSIVE down (id, step) AS (
        SELECT id, 0 FROM productions_shot WHERE id = %s
        UNION ALL
        SELECT shot.id, down.step + 1
        FROM productions_shot AS shot JOIN down ON shot.continuity_from_id = down.id WHERE down.step < %s
    )
    SELECT shot.*, down.step FROM productions_shot AS shot JOIN down ON down.id = shot.id
    ORDER BY down.step, shot.code
"""


def shots_before(shot: UUID) -> list[Shot]:
    """The shot and all that it continues, the nearest first; one query however long the chain."""
    return list(Shot.objects.raw(_UP, [_key(shot), LONGEST_CHAIN]))


def shots_behind(shot: UUID) -> list[Shot]:
    """The shot and all that continue it, the nearest first; one query however long the chain."""
    return list(Shot.objects.raw(_DOWN, [_key(shot), LONGEST_CHAIN]))


def shot_called(code: str, project: UUID) -> Shot | None:
    """Find a project's shot by its full code, SQ010_SH0020; None if there is none."""
    sequence, _between, own = code.strip().rpartition("_")
    rows = Shot.objects.filter(project=project, sequence__code=sequence, code=own)
    return rows.select_related("sequence").first()


def candidates(shot: Shot) -> list[str]:
    """Full codes that a shot may continue, its own sequence's, those before it last; at most MOST_OFFERED."""
    behind = {one.pk for one in shots_behind(shot.pk)}
    rows = Shot.objects.filter(sequence=shot.sequence_id).order_by("order", "code").values_list("pk", "code")
    return [f"{shot.sequence.code}_{code}" for key, code in rows[:MOST_OFFERED] if key not in behind]


def check_continuity(*, shot: UUID | None, project: UUID, continues: Shot | None) -> None:
    """Raise Refused unless this shot (None: a new one) may continue that one.

    Holds the project's row until the transaction ends, which there must be. Whether it keeps frames or
    latents is a matter of what it is rendered with: that is looked at when it is.
    """
    if continues is None:
        return
    if continues.project_id != project:
        told = _("this shot belongs to another project; a shot continues one of its own film")
        raise Refused(Problem("continuity_from", continues.full_code, told, code="other_project"))
    if shot is None:
        return
    hold_chains(project)
    way = shots_before(continues.pk)
    if shot in {one.pk for one in way}:
        names = _names(way[: [one.pk for one in way].index(shot) + 1])
        told = _("that would be a circle: %(way)s; let one of them continue another shot, or none")
        facts = {"way": " ← ".join([*reversed(names), names[-1]])}
        raise Refused(Problem("continuity_from", continues.full_code, told % facts, code="circle"))


def hold_chains(project: UUID | None) -> None:
    """Let nobody else link a project's shots until the transaction ends."""
    if project is not None:
        list(Project.objects.select_for_update(no_key=True).filter(pk=project).values_list("pk"))


def refuse_circles(keys: Collection[UUID]) -> None:
    """Raise Refused if one of these shots, as they stand now, continues itself; one query for AT_ONCE shots.

    The caller holds the chains of their project.
    """
    follows: dict[UUID, UUID] = {}
    for some in batches([_key(key) for key in keys], AT_ONCE):
        with connection.cursor() as cursor:
            cursor.execute(_ABOVE.format(roots=", ".join(["%s"] * len(some))), some)
            as_key = Shot._meta.pk.to_python
            follows |= {as_key(key): as_key(continues) for key, continues in cursor.fetchall()}
    sound: set[UUID] = set()
    for key in keys:
        way: dict[UUID, None] = {}
        at: UUID | None = key
        while at is not None and at not in sound and at not in way:
            way[at] = None
            at = follows.get(at)
        if at is not None and at in way:
            shot = Shot.objects.select_related("sequence").get(pk=at)
            told = _("The shots would continue one another in a circle. Begin with one that continues none.")
            raise Refused(Problem("continuity_from", shot.full_code, told, code="circle"))
        sound |= way.keys()


def _names(shots: Iterable[Shot]) -> list[str]:
    keys = [shot.pk for shot in shots]
    rows = Shot.objects.filter(pk__in=keys).select_related("sequence")
    names = {row.pk: row.full_code for row in rows}
    return [names[key] for key in keys]


def _key(shot: UUID) -> str:
    """The key as the database keeps it."""
    return str(Shot._meta.pk.get_db_prep_value(shot, connection))

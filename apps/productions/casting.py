"""Say of many shots at once who is in them: all of it or nothing, as one bulk change that can be undone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import User
from apps.characters.models import MOST_WEIGHT, Character, Costume
from apps.common.errors import Conflict, Problem, Refused
from apps.ledger.documents import document_of
from apps.ledger.models import Activity, Batch
from apps.ledger.selectors import Step, merged
from apps.ledger.services.batching import open_batch
from apps.ledger.services.putting import put
from apps.productions.editing import Part, newly_archived
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.projects.selectors import require_shots

MOST_SHOTS: Final = 1_000
MOST_PARTS: Final = 200
"""Characters in one shot."""


@dataclass(frozen=True, kw_only=True)
class ShotCast:
    """Who shall be in a shot, in this order, and the version of the shot this was said of."""

    shot: UUID
    row_version: int
    casting: Sequence[Part]


@dataclass(frozen=True)
class Recast:
    """A shot that another cast was written for, and the version it is at now."""

    shot: UUID
    label: str
    row_version: int


@dataclass(frozen=True)
class Recasting:
    """What came of it: the batch (None where nothing changed), the shots that changed, how many did not."""

    batch: UUID | None
    changed: tuple[Recast, ...]
    unchanged: int


def cast_shots(project: Project, casts: Sequence[ShotCast], *, user: User) -> Recasting:
    """Give each of these shots of a project this cast, all or nothing, as one batch.

    A shot of which somebody changed something else meanwhile is no conflict; one whose cast somebody changed
    is: Conflict names each of them, who it was and when. Raises Refused for what is unknown or locked,
    naming ``shots[2].casting[0].character``; NotAllowed. The number of queries does not grow with the shots.
    """
    require_shots(user, Act.PLAN, project, shots=[cast.shot for cast in casts])
    _check_count(casts)
    with transaction.atomic():
        rows = _locked(project, casts)
        _check_versions(casts, rows)
        told = _told(project, casts)
        batch = open_batch(project=project.pk, actor=user, title=_title(len(casts)), verb="cast")
        put(document_of(Shot), told, user=user, verb="cast", batch=batch)
        result = _result(batch, len(casts))
        if not result.changed:
            transaction.set_rollback(True)
    return result


def _check_count(casts: Sequence[ShotCast]) -> None:
    if not casts or len(casts) > MOST_SHOTS:
        told = _("name from 1 to %(most)d shots") % {"most": MOST_SHOTS}
        raise Refused(Problem("shots", str(len(casts)), told, code="too_many"))
    twice = [key for key, count in Counter(cast.shot for cast in casts).items() if count > 1]
    if twice:
        raise Refused(
            *(Problem("shots", str(key), _("a shot is named twice"), code="twice") for key in twice)
        )


def _locked(project: Project, casts: Sequence[ShotCast]) -> dict[UUID, Shot]:
    """Read the shots, in our hands until the transaction ends."""
    keys = [cast.shot for cast in casts]
    mine = Shot.objects.filter(pk__in=keys, project=project).order_by("pk")
    list(mine.select_for_update(no_key=True).values_list("pk"))
    rows = {shot.pk: shot for shot in mine.select_related("sequence")}
    told = _("no such shot in %(project)s") % {"project": project.code}
    missing = [
        Problem(f"shots[{place}].id", str(cast.shot), told, code="unknown_shot")
        for place, cast in enumerate(casts)
        if cast.shot not in rows
    ]
    if missing:
        raise Refused(*missing)
    told = _("%(user)s locked this shot; unlock it to change its plan")
    shut = [
        Problem(f"shots[{place}]", shot.full_code, told % {"user": shot.locked_by}, code="locked")
        for place, shot in enumerate(rows[cast.shot] for cast in casts)
        if shot.locked_by
    ]
    if shut:
        raise Refused(*shut)
    return rows


def _check_versions(casts: Sequence[ShotCast], rows: Mapping[UUID, Shot]) -> None:
    older = {cast.shot: cast.row_version for cast in casts if cast.row_version != rows[cast.shot].row_version}
    if not older:
        return
    steps = _steps_since(older)
    problems = [
        Problem(
            f"shots[{place}].row_version",
            str(cast.row_version),
            _changed_by(rows[cast.shot], steps.get(cast.shot)),
            code="stale",
        )
        for place, cast in enumerate(casts)
        if cast.shot in steps or cast.row_version > rows[cast.shot].row_version
    ]
    if problems:
        raise Conflict(*problems)


def _steps_since(versions: Mapping[UUID, int]) -> dict[UUID, Step]:
    """The changes of their casts after these versions, by whoever had the last word; one query."""
    kind = document_of(Shot).kind
    later = Activity.objects.filter(
        kind=kind, object_id__in=[str(key) for key in versions], version__gt=min(versions.values())
    )
    by_shot: dict[UUID, list[Activity]] = {}
    for activity in later.order_by("id"):
        key = UUID(activity.object_id)
        if activity.version is not None and activity.version > versions[key]:
            by_shot.setdefault(key, []).append(activity)
    return {
        key: step
        for key, activities in by_shot.items()
        for step in merged(activities)
        if step.field == "casting"
    }


def _changed_by(shot: Shot, step: Step | None) -> str:
    facts: dict[str, Any] = {"shot": shot.full_code, "now": shot.row_version}
    if step is None:
        return _("%(shot)s is at version %(now)d now; read it again") % facts
    facts |= {"who": step.who, "at": date_format(localtime(step.at), "Y-m-d H:i")}
    return _("%(who)s changed the cast of %(shot)s on %(at)s; it is at version %(now)d now") % facts


def _told(project: Project, casts: Sequence[ShotCast]) -> dict[UUID, dict[str, Any]]:
    """The casts as a shot's document says them. Raises Refused for every part that is not right."""
    codes = {part.character for cast in casts for part in cast.casting}
    rows = Character.objects.filter(project=project, code__in=codes).only("code", "name", "archived")
    characters = {row.code: row for row in rows}
    worn = Costume.objects.filter(character__in=characters.values())
    wardrobe = set(worn.values_list("character__code", "name"))
    named = {f"shots[{place}].casting": (cast.shot, cast.casting) for place, cast in enumerate(casts)}
    problems = newly_archived(named, characters.values())
    for place, cast in enumerate(casts):
        problems += _problems(f"shots[{place}].casting", cast.casting, project, characters.keys(), wardrobe)
    if problems:
        raise Refused(*problems)
    return {cast.shot: {"casting": [_part(part) for part in cast.casting]} for cast in casts}


def _problems(
    where: str,
    parts: Sequence[Part],
    project: Project,
    characters: Iterable[str],
    wardrobe: set[tuple[str, str]],
) -> list[Problem]:
    problems = []
    if len(parts) > MOST_PARTS:
        told = _("a shot holds at most %(most)d characters") % {"most": MOST_PARTS}
        problems.append(Problem(where, str(len(parts)), told, code="too_many"))
    seen: set[str] = set()
    for place, part in enumerate(parts):
        at = f"{where}[{place}]"
        if part.character in seen:
            problems.append(Problem(f"{at}.character", part.character, _("named twice"), "twice"))
        seen.add(part.character)
        if part.character not in characters:
            told = _("no such character in %s") % project.code
            problems.append(Problem(f"{at}.character", part.character, told, "unknown_character"))
        elif part.costume and (part.character, part.costume) not in wardrobe:
            told = _("%s has no such costume") % part.character
            problems.append(Problem(f"{at}.costume", part.costume, told, "unknown_costume"))
        if part.lora_weight is not None and not 0 <= part.lora_weight <= MOST_WEIGHT:
            told = _("write a weight from 0 to %(most)g") % {"most": MOST_WEIGHT}
            problems.append(Problem(f"{at}.lora_weight", str(part.lora_weight), told, "out_of_range"))
    return problems


def _part(part: Part) -> dict[str, Any]:
    return {
        "character": part.character,
        "action": part.action,
        "action_ko": part.action_ko,
        "costume": part.costume or None,
        "costume_override": part.costume_override,
        "costume_override_ko": part.costume_override_ko,
        "lora_weight": part.lora_weight,
    }


def _result(batch: Batch, asked: int) -> Recasting:
    changed = tuple(
        Recast(UUID(activity.object_id), activity.label, activity.version or 0)
        for activity in batch.activities.order_by("label")
    )
    return Recasting(batch.pk if changed else None, changed, asked - len(changed))


def _title(count: int) -> str:
    return ngettext("%(count)d shot: casting", "%(count)d shots: casting", count) % {"count": count}

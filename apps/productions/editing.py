"""Change a shot as a whole: its fields, its cast, its presets, unless somebody changed it meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Unpack
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.characters.models import Character, Costume
from apps.common.errors import Problem, Refused, Stale
from apps.common.validation import clean
from apps.ledger.services.recording import changing
from apps.ledger.services.versions import claim
from apps.presets.models import CinematicPreset
from apps.presets.services.choosing import exclusive_problems, found_presets
from apps.productions import services
from apps.productions.continuity import check_continuity
from apps.productions.locking import require_unlocked
from apps.productions.models import Sequence as ShotSequence
from apps.productions.models import Shot, ShotCharacter, ShotPreset
from apps.productions.preset_facts import problems_of, refusals
from apps.productions.services import ShotFields
from apps.projects.roles import Act
from apps.projects.selectors import require

RULED: Final = frozenset({"weather", "time_of_day", "location", "preset_override"})
"""Fields of a shot that rules for presets look at. A change of any other is never refused by one."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A character by code, in a shot: doing what, wearing which of its costumes ("" for its default).

    ``costume_override``: what it wears in this shot, in words; goes before any costume.
    """

    character: str
    action: str = ""
    action_ko: str = ""
    costume: str = ""
    costume_override: str = ""
    costume_override_ko: str = ""
    lora_weight: float | None = None


def create_full_shot(
    *,
    sequence: ShotSequence,
    user: User,
    code: str = "",
    casting: Sequence[Part] = (),
    presets: Sequence[str] = (),
    **fields: Unpack[ShotFields],
) -> Shot:
    """Create a shot with its cast and presets, all or nothing; see update_shot for what they are."""
    _check_location(sequence.project_id, fields)
    _check_continuity(None, sequence.project_id, fields)
    with changing(Shot, actor=user):
        shot = services.create_shot(sequence=sequence, user=user, code=code, **fields)
        _set_cast(shot, casting)
        _set_presets(shot, presets)
        check_presets(shot)
    return shot


def update_shot(
    shot: Shot,
    *,
    user: User,
    row_version: int,
    casting: Sequence[Part] | None = None,
    presets: Sequence[str] | None = None,
    **fields: Unpack[ShotFields],
) -> None:
    """Change what is named; ``casting`` and ``presets`` replace what was there, in this order.

    A preset is written category/slug, such as shot_size/close-up. Raises Stale unless ``row_version``
    is the row's own now, Refused with what is wrong, NotAllowed; then nothing was changed.
    """
    require(user, Act.PLAN, shot.project, shot=shot.pk)
    require_unlocked(shot)
    _check_location(shot.project_id, fields)
    with transaction.atomic():
        if fields:
            _check_fields(shot, fields)
        _write(shot, fields, user=user, row_version=row_version, casting=casting, presets=presets)


def amend_shot(
    shot: Shot,
    *,
    user: User,
    row_version: int,
    casting: Sequence[Part] | None = None,
    presets: Sequence[str] | None = None,
    **fields: Unpack[ShotFields],
) -> None:
    """Change a few fields of a shot, whatever others changed elsewhere in it after ``row_version``.

    Raises Stale where somebody changed one of these; Refused, NotAllowed: see update_shot.
    """
    lists = {"casting": casting, "presets": presets}
    mine = {*fields, *(name for name, told in lists.items() if told is not None)}
    seen = row_version
    while True:
        try:
            return update_shot(shot, user=user, row_version=seen, casting=casting, presets=presets, **fields)
        except Stale as stale:
            if stale.now <= seen or mine & {one.field for one in stale.changed}:
                raise
            seen = stale.now  # what was changed up to there is none of these fields


def _write(
    shot: Shot,
    fields: ShotFields,
    *,
    user: User,
    row_version: int,
    casting: Sequence[Part] | None,
    presets: Sequence[str] | None,
) -> None:
    with changing(Shot, [shot.pk], actor=user):
        claim(shot, row_version, **fields)
        if casting is not None:
            _set_cast(shot, casting)
        if presets is not None:
            _set_presets(shot, presets)
        if presets is not None or RULED & fields.keys():
            check_presets(shot)


def _check_fields(shot: Shot, fields: ShotFields) -> None:
    """What the shot would be with these; of its cast and presets nothing is asked here."""
    edited = Shot.objects.get(pk=shot.pk)
    for name, value in fields.items():
        setattr(edited, name, value)
    if "continuity_from" in fields:
        _check_continuity(edited, edited.project_id, fields)
    clean(edited)


def _check_location(project_id: Any, fields: ShotFields) -> None:
    location = fields.get("location")
    if location is not None and location.project_id != project_id:
        raise Refused(Problem("location", location.code, _("this location belongs to another project")))


def _check_continuity(shot: Shot | None, project_id: Any, fields: ShotFields) -> None:
    check_continuity(
        shot=shot.pk if shot is not None else None,
        project=project_id,
        continues=fields.get("continuity_from", shot.continuity_from if shot is not None else None),
    )


def _set_cast(shot: Shot, parts: Sequence[Part]) -> None:
    problems = _twice("casting", [part.character for part in parts], "character")
    characters = {
        character.code: character
        for character in Character.objects.filter(
            project=shot.project_id, code__in=[part.character for part in parts]
        )
    }
    problems += newly_archived({"casting": (shot.pk, parts)}, characters.values())
    costumes = _costumes_of(characters.values(), {part.costume for part in parts} - {""})
    rows: list[ShotCharacter] = []
    for order, part in enumerate(parts):
        character = characters.get(part.character)
        if character is None:
            told = _("no such character in %s") % shot.project.code
            problems.append(Problem(f"casting[{order}].character", part.character, told, "unknown_character"))
            continue
        costume = costumes.get((character.pk, part.costume))
        if part.costume and costume is None:
            told = _("%s has no such costume") % character
            problems.append(Problem(f"casting[{order}].costume", part.costume, told, "unknown_costume"))
        rows.append(
            ShotCharacter(
                shot=shot,
                character=character,
                order=order,
                action=part.action,
                action_ko=part.action_ko,
                costume=costume,
                costume_override=part.costume_override,
                costume_override_ko=part.costume_override_ko,
                lora_weight=part.lora_weight,
            )
        )
    if problems:
        raise Refused(*problems)
    ShotCharacter.objects.filter(shot=shot).delete()
    ShotCharacter.objects.bulk_create(rows)


def newly_archived(
    casts: Mapping[str, tuple[UUID, Sequence[Part]]], characters: Iterable[Character]
) -> list[Problem]:
    """A problem for each archived character that one of these shots does not have yet.

    ``casts``: the shot and its parts, by where they were named. Who is in a shot may stay in it. Asks the
    database once, and only where somebody archived is named.
    """
    resting = {character.code: character for character in characters if character.archived}
    if not resting:
        return []
    shots = [shot for shot, _parts in casts.values()]
    there = set(
        ShotCharacter.objects.filter(shot__in=shots, character__in=resting.values()).values_list(
            "shot", "character__code"
        )
    )
    told = _("%s is in the archive; take this character out of it first, or cast another")
    return [
        Problem(f"{where}[{place}].character", part.character, told % resting[part.character], "archived")
        for where, (shot, parts) in casts.items()
        for place, part in enumerate(parts)
        if part.character in resting and (shot, part.character) not in there
    ]


def _costumes_of(characters: Iterable[Character], names: set[str]) -> dict[tuple[UUID, str], Costume]:
    """Costumes of these names, by (character, name); nothing is asked where none is named."""
    if not names:
        return {}
    rows = Costume.objects.filter(character__in=characters, name__in=names)
    return {(costume.character_id, costume.name): costume for costume in rows}


def _set_presets(shot: Shot, names: Sequence[str]) -> None:
    kept = CinematicPreset.objects.filter(shots=shot).select_related("category")
    set_presets(shot, found_presets(names, shot.project_id, keep=kept))


def set_presets(shot: Shot, presets: Sequence[CinematicPreset]) -> None:
    """Give a shot these presets, in this order. Raises Refused for two of an exclusive category.

    Read the category with the presets; call it in the caller's transaction, before :func:`check_presets`.
    """
    if problems := exclusive_problems(presets):
        raise Refused(*problems)
    ShotPreset.objects.filter(shot=shot).delete()
    ShotPreset.objects.bulk_create(
        [ShotPreset(shot=shot, preset=preset, order=order) for order, preset in enumerate(presets)]
    )


def check_presets(shot: Shot) -> None:
    """Raise Refused where a shot as it is saved now breaks a hard rule and nobody says why it may.

    A reason that nothing needs any more goes. Inside the caller's transaction, which is rolled back then.
    """
    saved = Shot.objects.select_related("sequence__project", "location").get(pk=shot.pk)
    hard = [told for told in problems_of([saved])[saved.pk] if told.hard]
    if problems := refusals(hard, saved.preset_override):
        raise Refused(*problems)
    if saved.preset_override and not hard:
        Shot.objects.filter(pk=saved.pk).update(preset_override="")


def _twice(field: str, names: Iterable[str], key: str = "") -> list[Problem]:
    """One problem for each name that stands there a second time."""
    seen: set[str] = set()
    problems: list[Problem] = []
    for index, name in enumerate(names):
        if name in seen:
            where = f"{field}[{index}].{key}" if key else f"{field}[{index}]"
            problems.append(Problem(where, name, _("named twice"), "twice"))
        seen.add(name)
    return problems

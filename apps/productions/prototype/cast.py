"""Who is in a shot of the prototype: its subjects, and what only its old fields say."""

from __future__ import annotations

from apps.characters.models import Character
from apps.productions.models import ShotCharacter
from apps.productions.prototype.fields import clean_text, number, objects, text, words
from apps.productions.prototype.reading import Document
from apps.productions.prototype.report import About
from apps.productions.prototype.stage import Scene, Stage


def cast_scene(stage: Stage, scene: Scene, record: Document, about: About) -> None:
    """Subjects, with what only the old fields say: ``character_ids`` beside them, one ``action`` for all."""
    parts: dict[str, ShotCharacter] = {}
    for subject in objects(record, "subjects", about):
        told = subject.get("character_id")
        person = stage.people.get(str(told))
        action = clean_text(subject.get("action"), "subjects", about)
        if person is None:
            about.dropped("subjects", told, "there is no such character; what it does is kept in the notes")
            scene.keep(f"{told}: {action}" if action else "")
            continue
        if str(told) in parts:
            about.mended("subjects", told, "cast twice; what it does was put together")
            parts[str(told)].action = "; ".join(filter(None, (parts[str(told)].action, action)))
            continue
        parts[str(told)] = _part(scene, person, subject, action, about)
    _cast_of_old(stage, scene, record, parts, about)
    for order, part in enumerate(parts.values()):
        part.order = order
    scene.cast = list(parts.values())


def _part(scene: Scene, person: Character, subject: Document, action: str, about: About) -> ShotCharacter:
    weight = number(subject, "lora_weight", about)
    if weight is not None and not 0 <= weight <= 2:
        kept = min(max(weight, 0.0), 2.0)
        about.mended("lora_weight", weight, f"a weight is between 0 and 2; {kept:g} was taken")
        weight = kept
    return ShotCharacter(
        shot=scene.row,
        character=person,
        action=action,
        costume_override=clean_text(subject.get("costume_override"), "costume_override", about),
        lora_weight=None if weight == 1 else weight,  # 1 is what it says where nobody said anything
    )


def _cast_of_old(
    stage: Stage, scene: Scene, record: Document, parts: dict[str, ShotCharacter], about: About
) -> None:
    listed = words(record.get("character_ids"), "character_ids", about)
    for told in listed:
        if told in parts:
            continue
        person = stage.people.get(told)
        if person is None:
            about.dropped("character_ids", told, "there is no such character")
            continue
        if "subjects" in record:
            about.mended("character_ids", told, "named beside the subjects; cast as well")
        parts[told] = _part(scene, person, {}, "", about)
    action = text(record, "action", about)
    if not action or any(part.action == action for part in parts.values()):
        return
    free = [part for part in parts.values() if not part.action]
    if not parts:
        scene.row.description = "\n".join(filter(None, (scene.row.description, action)))
        about.mended("action", action, "nobody is cast who could do it; it was put behind the description")
    elif not free:
        scene.keep(f"Action: {action}")
        about.doubtful("action", action, "every subject has its own; kept in the notes")
    else:
        free[0].action = action
        if len(free) > 1:
            about.doubtful("action", action, f"one action for {len(free)}; given to {free[0].character.code}")
        else:
            about.mended("action", action, f"given to {free[0].character.code}")

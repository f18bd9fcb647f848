"""Collect what the composer needs to know of shots, in a number of queries that never grows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _

from apps.characters.models import CharacterLora, Costume
from apps.common.errors import Problem, Refused
from apps.presets.models import PresetOverride
from apps.presets.selectors import overrides_in, texts_of
from apps.productions.models import Location, Shot, ShotCharacter, ShotPreset
from apps.projects.models import Project
from apps.prompts.facts import (
    Bilingual,
    CastMember,
    CostumeFacts,
    LocationFacts,
    Lora,
    PresetFacts,
    ShotFacts,
)
from apps.prompts.models import PromptBuild, PromptEdit
from apps.prompts.order import Order, read_order
from apps.prompts.words import TIME, WEATHER

_CASTING = Prefetch(
    "casting",
    ShotCharacter.objects.select_related("character__default_costume", "costume")
    .prefetch_related(Prefetch("character__loras", CharacterLora.objects.order_by("base_model", "file")))
    .order_by("order", "character__code"),
)
_PRESETS = Prefetch("shot_presets", ShotPreset.objects.select_related("preset__category"))


@dataclass(frozen=True)
class House:
    """What a project says of all its prompts: the language they are in, and the order they are written in."""

    language: str
    order: Order


def houses_of(shots: Iterable[Shot]) -> dict[UUID, House]:
    """Read the settings of these shots' projects, by project id: one query."""
    rows = Project.objects.filter(pk__in={shot.project_id for shot in shots})
    return {
        key: House(language, read_order(composer))
        for key, language, composer in rows.values_list("pk", "prompt_language", "composer")
    }


def edits_of(shots: Iterable[Shot], channel: str) -> dict[UUID, PromptEdit]:
    """What was written by hand for these shots in this channel, by shot id: one query."""
    rows = PromptEdit.objects.filter(shot__in=[shot.pk for shot in shots], channel=channel)
    return {row.shot_id: row for row in rows}


def builds_of(shot: Shot) -> QuerySet[PromptBuild]:
    """Every prompt that was built for a shot, the newest first."""
    return PromptBuild.objects.filter(shot=shot).order_by("-created_at", "-pk")


def inputs_for(shots: Iterable[Shot]) -> dict[UUID, ShotFacts]:
    """Read the facts of many shots, by shot id in the order given: a fixed number of queries, however many
    shots. A preset says what its project has it say.

    Raises Refused with every row that cannot be told to a model.
    """
    ids = [shot.pk for shot in shots]
    rows = (
        Shot.objects.filter(pk__in=ids)
        .select_related("sequence", "location")
        .prefetch_related(_CASTING, _PRESETS)
        .in_bulk()
    )
    problems = [problem for key in ids for problem in _problems(rows[key])]
    if problems:
        raise Refused(*problems)
    overrides = overrides_in({shot.project_id for shot in rows.values()})
    return {key: _facts(rows[key], overrides) for key in ids}


def _facts(shot: Shot, overrides: Mapping[tuple[UUID, UUID], PresetOverride]) -> ShotFacts:
    return ShotFacts(
        shot_id=str(shot.pk),
        code=shot.full_code,
        description=Bilingual(shot.description, shot.description_ko),
        cast=tuple(_member(casting) for casting in shot.casting.all()),
        location=_location(shot.location),
        weather=shot.weather,
        time_of_day=shot.time_of_day,
        presets=tuple(
            _preset(used, overrides.get((shot.project_id, used.preset_id)))
            for used in shot.shot_presets.all()
        ),
        negative=shot.negative,
        dialogue=shot.dialogue,
    )


def _member(casting: ShotCharacter) -> CastMember:
    character = casting.character
    wardrobe = _wardrobe(casting)
    return CastMember(
        character_id=str(character.pk),
        code=character.code,
        name=Bilingual(character.name, character.name_ko),
        description=Bilingual(character.description, character.description_ko),
        action=Bilingual(casting.action, casting.action_ko),
        negative=character.negative,
        costume=wardrobe[0] if wardrobe else None,
        use_lora=character.use_lora,
        lora_weight=casting.lora_weight,
        loras=tuple(_lora(lora) for lora in character.loras.all()),
        casting_id=str(casting.pk),
        age=character.age,
        gender=character.gender,
        unworn=tuple(wardrobe[1:]),
    )


def _wardrobe(casting: ShotCharacter) -> list[CostumeFacts]:
    """What might be worn, the first is: typed for the shot, chosen for it, the character's own."""
    typed = Bilingual(casting.costume_override, casting.costume_override_ko)
    found = [CostumeFacts("", "", typed, "override")] if typed.en.strip() or typed.ko.strip() else []
    chosen, own = casting.costume, casting.character.default_costume
    if chosen is not None:
        found.append(_costume(chosen, "chosen"))
    if own is not None and (chosen is None or own.pk != chosen.pk):
        found.append(_costume(own, "default"))
    return found


def _costume(costume: Costume, why: str) -> CostumeFacts:
    text = Bilingual(costume.prompt, costume.prompt_ko)
    return CostumeFacts(str(costume.pk), costume.name, text, why)


def _lora(lora: CharacterLora) -> Lora:
    return Lora(str(lora.pk), lora.base_model, lora.file, lora.weight, tuple(lora.trigger_words), lora.expert)


def _location(location: Location | None) -> LocationFacts | None:
    if location is None:
        return None
    return LocationFacts(
        str(location.pk),
        Bilingual(location.name, location.name_ko),
        Bilingual(location.prompt, location.prompt_ko),
    )


def _preset(used: ShotPreset, override: PresetOverride | None) -> PresetFacts:
    preset = used.preset
    said = texts_of(preset, override)
    return PresetFacts(
        preset_id=str(preset.pk),
        slug=preset.slug,
        name=Bilingual(preset.name, preset.name_ko),
        category_order=preset.category.order,
        order=preset.order,
        channel=preset.channel,
        fragment=Bilingual(said.prompt, said.prompt_ko),
        negative=Bilingual(said.negative, said.negative_ko),
        category=preset.category.slug,
        ours=said != texts_of(preset, None),
    )


def _problems(shot: Shot) -> list[Problem]:
    problems = _unknown(shot, "weather", shot.weather, WEATHER) + _unknown(
        shot, "time_of_day", shot.time_of_day, TIME
    )
    for casting in shot.casting.all():
        for lora in casting.character.loras.all():
            if not _is_word_list(lora.trigger_words):
                field = f"{casting.character.code} LoRA {lora.file} trigger words"
                # A text here would be read letter by letter.
                problems.append(
                    Problem(field, str(lora.trigger_words), _('write a list of words, such as ["elsa_v2"]'))
                )
    return problems


def _unknown(shot: Shot, field: str, value: str, known: Collection[str]) -> list[Problem]:
    if not value or value in known:
        return []
    remedy = _("use one of %s, or leave it empty") % ", ".join(known)
    return [Problem(f"{shot.full_code} {field}", value, remedy)]


def _is_word_list(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)

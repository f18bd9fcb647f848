"""The prototype's characters, as ours: costumes, LoRAs with their words in order, and pictures that exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

from apps.characters.models import Character, CharacterLora, Costume
from apps.characters.pictures import Picture, read_picture
from apps.common.errors import Refused
from apps.productions.prototype.fields import (
    Codes,
    clean_text,
    number,
    objects,
    safe_file,
    text,
    words,
)
from apps.productions.prototype.reading import Document, Prototype
from apps.productions.prototype.report import About, Report
from apps.projects.models import Project

BASE_MODEL: Final = "flux"
"""The prototype's only graph loads FLUX.1."""
DEFAULT_WEIGHT: Final = 0.8
MOST_WEIGHT: Final = 2.0
COSTUME: Final = "Default clothing"
_PICTURES: Final = ("reference_sheet", "thumbnail")
_KNOWN: Final = frozenset(
    {
        "id",
        "name",
        "description",
        "reference_sheet",
        "thumbnail",
        "lora_path",
        "lora_strength",
        "trigger_words",
        "lora_trigger",
        "use_lora",
        "default_clothing",
        "clothing_options",
        "style_keywords",
        "age",
        "gender",
        "negative_prompt",
        "created_at",
        "updated_at",
    }
)


@dataclass
class Person:
    """A character that is not saved yet, with what belongs to it."""

    row: Character
    costumes: list[Costume] = field(default_factory=list)
    loras: list[CharacterLora] = field(default_factory=list)
    pictures: list[tuple[str, Path]] = field(default_factory=list)


def people_of(
    found: Prototype, project: Project, taken: Mapping[str, Character], report: Report
) -> Iterator[tuple[str, Person]]:
    """Read every character; yields the prototype's id with each. Those in ``taken`` are there already."""
    codes = Codes(kept=(record.get("id") for record in found.characters))
    for place, record in enumerate(found.characters):
        told = record.get("id")
        about = report.about(f"character {told or place + 1}")
        if "_unreadable" in record:
            about.dropped("", record["_unreadable"], "no object")
            continue
        code = codes.of(told, f"CHR-{place + 1:04}", about)
        if code in taken:
            yield str(told), Person(taken[code])
            continue
        yield str(told), _person(found, project, record, code, about)


def _person(found: Prototype, project: Project, record: Document, code: str, about: About) -> Person:
    name = text(record, "name", about, most=120)
    if not name:
        about.mended("name", record.get("name"), f"there was none; {code} was given")
    keywords = words(record.get("style_keywords"), "style_keywords", about)
    row = Character(
        project=project,
        code=code,
        name=name or code,
        description=", ".join(part for part in (text(record, "description", about), *keywords) if part),
        negative=text(record, "negative_prompt", about),
        age=text(record, "age", about, most=40),
        gender=text(record, "gender", about, most=40),
    )
    person = Person(row)
    _dress(person, record, about)
    _loras(person, record, about)
    person.pictures = list(_pictures(found, record, about))
    leave_out(record, _KNOWN, about)
    return person


def _dress(person: Person, record: Document, about: About) -> None:
    by_word: dict[str, Costume] = {}
    for option in objects(record, "clothing_options", about):
        worn = clean_text(option.get("description"), "clothing_options", about)
        name = clean_text(option.get("name") or option.get("id"), "clothing_options", about, most=120)
        if not worn and not name:
            about.dropped("clothing_options", dict(option), "neither name nor description")
            continue
        if any(one.name == name for one in person.costumes):
            about.dropped("clothing_options", name, "there is a costume of this name already")
            continue
        costume = Costume(character=person.row, name=name or worn[:120], prompt=worn or name)
        person.costumes.append(costume)
        by_word |= {str(option.get("id")): costume, name: costume}
        if option.get("image_path"):
            about.told(
                "clothing_options", option.get("image_path"), "a costume has no picture here; it stays there"
            )
    clothing = text(record, "default_clothing", about)
    if clothing and clothing not in by_word:
        by_word[clothing] = Costume(character=person.row, name=COSTUME, prompt=clothing)
        person.costumes.append(by_word[clothing])
    if clothing:
        person.row.default_costume = by_word[clothing]


def _loras(person: Person, record: Document, about: About) -> None:
    wanted = record.get("use_lora")
    if wanted is None and record.get("lora_path"):
        about.mended("use_lora", None, "it was missing; there is a LoRA, so it is used")
        wanted = True
    if not isinstance(wanted, bool | None):
        wanted = str(wanted).strip().casefold() in {"1", "true", "yes", "1.0"}
        about.mended("use_lora", record.get("use_lora"), f"taken as {'yes' if wanted else 'no'}")
    triggers = words(record.get("trigger_words"), "trigger_words", about)
    triggers += [
        word for word in words(record.get("lora_trigger"), "lora_trigger", about) if word not in triggers
    ]
    file = _model_file(record, about)
    if file:
        weight = _weight(record, about)
        person.loras.append(
            CharacterLora(
                character=person.row, base_model=BASE_MODEL, file=file, weight=weight, trigger_words=triggers
            )
        )
        about.doubtful("lora_path", file, f"the base model is not said; {BASE_MODEL} was taken")
    elif triggers:
        about.dropped("trigger_words", ", ".join(triggers), "there is no LoRA that they could wake")
    if wanted and not file:
        about.mended("use_lora", wanted, "there is no LoRA file; it is switched off")
    person.row.use_lora = bool(wanted) and bool(file)


def _model_file(record: Document, about: About) -> str:
    told = text(record, "lora_path", about, most=500)
    if not told:
        return ""
    path = safe_file(told)
    if path is None or told.startswith(("/", "\\")):
        name = told.replace("\\", "/").rstrip("/").rpartition("/")[2]
        if name in {"", ".", ".."} or len(name) > 255:
            about.dropped("lora_path", told, "no name of a file")
            return ""
        about.mended("lora_path", told, f"ComfyUI lists models below its own folder; {name} was taken")
        return name
    return str(path)[:255]


def _weight(record: Document, about: About) -> float:
    weight = number(record, "lora_strength", about)
    if weight is None:
        return DEFAULT_WEIGHT
    if not 0 <= weight <= MOST_WEIGHT:
        kept = min(max(weight, 0.0), MOST_WEIGHT)
        about.mended(
            "lora_strength", weight, f"a weight is between 0 and {MOST_WEIGHT:g}; {kept:g} was taken"
        )
        return kept
    return weight


def _pictures(found: Prototype, record: Document, about: About) -> Iterator[tuple[str, Path]]:
    for name in _PICTURES:
        told = record.get(name)
        if not told:
            continue
        path, why = find_file(found, told)
        if path is None:
            about.dropped(name, told, why)
            continue
        try:
            open_picture(path)
        except Refused as refused:
            about.dropped(name, told, str(refused.problems[0].message))
            continue
        yield name.replace("_", " "), path


def open_picture(path: Path) -> Picture:
    """Decode a picture; raises Refused in words."""
    with path.open("rb") as file:
        return read_picture(file, name=path.name)


def find_file(found: Prototype, told: Any) -> tuple[Path | None, str]:
    """Find a file that the prototype names, below the project's folder; None and why it is not taken."""
    path = safe_file(told)
    if path is None:
        return None, "this path leads out of the project's folder; the file was not looked at"
    if found.folder is None:
        return None, "the project's folder is not there; say where it is by --files"
    if found.name in path.parts[:-1]:  # /projects/NAME/assets/luna.png
        path = PurePosixPath(*path.parts[path.parts.index(found.name) + 1 :])
    top = found.folder.resolve()
    place = (top / path).resolve()
    if not place.is_relative_to(top):
        return None, "this path leads out of the project's folder; the file was not looked at"
    if not place.is_file():
        return None, "there is no such file in the project's folder"
    return place, ""


def leave_out(record: Document, known: frozenset[str], about: About) -> None:
    for name in sorted(record.keys() - known):
        if not name.startswith("_") and record[name] not in (None, "", [], {}):
            about.dropped(name, record[name], "there is no such field here")

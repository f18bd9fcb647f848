"""The prototype's cinematic options, as looks of the project: sets of presets by best match."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from django.utils.text import slugify

from apps.presets.models import CinematicPreset, Look
from apps.productions.prototype.fields import clean_text, words
from apps.productions.prototype.matching import CATEGORIES, Library
from apps.productions.prototype.reading import Document, Prototype
from apps.productions.prototype.report import About, Report
from apps.projects.models import Project


@dataclass
class LookFound:
    """A look that is not saved yet, with its presets in order."""

    row: Look
    presets: list[CinematicPreset] = field(default_factory=list)


def looks_of(
    found: Prototype, project: Project, library: Library, taken: Collection[str], report: Report
) -> Iterator[LookFound | None]:
    """Read every cinematic option; None for one that is there already.

    What the studio calls so gets another key, the same whenever it is asked: one name means one thing.
    """
    studios = set(Look.objects.filter(project=None).values_list("slug", flat=True))
    seen: set[str] = set()
    for place, record in enumerate(found.cinematics):
        told = record.get("id")
        about = report.about(f"cinematic {told or place + 1}")
        if "_unreadable" in record:
            about.dropped("", record["_unreadable"], "no object")
            continue
        slug = slugify(clean_text(told, "id", about))[:80] or f"cinematic-{place + 1}"
        named = f"{slug[:75]}-film" if slug in studios else slug
        if slug in seen:
            about.dropped("id", told, "there is one of this name before it")
            continue
        seen.add(slug)
        if named in taken:
            yield None
            continue
        if named != slug:
            about.mended("id", told, f"the studio has a look of this key; {named} was given")
        yield _look(record, project, named, place, library, about)


def _look(
    record: Document, project: Project, slug: str, place: int, library: Library, about: About
) -> LookFound:
    name = clean_text(record.get("name"), "name", about, most=120) or slug
    look = LookFound(Look(project=project, slug=slug, name=name, order=min(place, 30_000)))
    left: list[str] = []
    for field_name, told in said_in_look(record, about):
        match = library.find(field_name, told)
        rival = rival_of(match.preset, look.presets) if match else None
        if match is None or rival is not None:
            left.append(f"{field_name.replace('_', ' ').capitalize()}: {told}")
            why = f"{match.name} goes not beside {rival.slug}" if match and rival else "no preset means this"
            about.doubtful(field_name, told, f"{why}; kept in the look's description")
        elif match.preset not in look.presets:
            look.presets.append(match.preset)
            if not match.sure:
                about.doubtful(field_name, told, f"taken as {match.name}")
    look.row.description = "\n".join(left)
    return look


def said_in_look(look: Document, about: About) -> Iterator[tuple[str, str]]:
    """What a cinematic option says, field by field."""
    for name in CATEGORIES:
        value = look.get(name)
        several = isinstance(value, list)
        for told in words(value, name, about) if several else [clean_text(value, name, about, most=200)]:
            if told:
                yield name, told
    if told := clean_text(look.get("environment"), "environment", about, most=400):
        yield "environment", told


def rival_of(preset: CinematicPreset, chosen: Collection[CinematicPreset]) -> CinematicPreset | None:
    """Return what the preset's category allows it no place beside."""
    if not preset.category.exclusive or preset in chosen:
        return None
    return next((other for other in chosen if other.category_id == preset.category_id), None)

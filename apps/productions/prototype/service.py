"""Take over a prototype's project: everything is read and judged first, then written in one transaction."""

from __future__ import annotations

import logging
import re
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from django.db import transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.characters.models import Character, CharacterLora, Costume
from apps.characters.services import CHARACTERS, add_reference
from apps.common.errors import Problem, Refused
from apps.common.models import StateEvent
from apps.common.validation import clean
from apps.ledger.services.batching import open_batch
from apps.ledger.services.recording import changing
from apps.presets.models import Look, LookPreset
from apps.presets.selectors import offered_presets
from apps.productions import states
from apps.productions.importing.apply import IMPORTED
from apps.productions.models import Location, Sequence, Shot, ShotCharacter, ShotPreset
from apps.productions.prototype.dates import keep_dates
from apps.productions.prototype.fields import clean_text
from apps.productions.prototype.graphs import bring_graphs
from apps.productions.prototype.looks import LookFound, looks_of
from apps.productions.prototype.matching import Library
from apps.productions.prototype.people import Person, people_of
from apps.productions.prototype.reading import Prototype, read_prototype
from apps.productions.prototype.report import Report
from apps.productions.prototype.scenes import scenes_of
from apps.productions.prototype.stage import Scene, Stage
from apps.productions.prototype.timing import rate_of_most
from apps.productions.services import SEQUENCES, SHOTS, SYSTEM
from apps.projects.models import Project
from apps.projects.services import open_project

logger = logging.getLogger(__name__)

_BATCH: Final = 500
_WAY: Final = {
    states.DRAFT: (states.DRAFT,),
    states.READY: (states.READY,),
    states.REVIEW: (states.READY, states.REVIEW),
    states.APPROVED: (states.READY, states.REVIEW, states.APPROVED),
}
"""How an imported shot came to its status: every event is a move that the machine allows."""


def import_aipipeline(
    source: Path, *, project: str = "", name: str = "", files: Path | None = None, dry_run: bool = False
) -> Report:
    """Import a project of the prototype: its folder, or its database.

    ``project``: the code here, else made of its name. ``name``: which of several. ``files``: the project's
    folder, for a database. What is there already under its code is left as it is, so that twice is once. A
    dry run reads and judges everything, and writes nothing. Raises Refused when the source cannot be read.
    """
    report = Report(source=str(source), dry_run=dry_run)
    found = _named(read_prototype(source, report, name=name, files=files), report)
    with transaction.atomic():
        film = _project(found, project, report)
        report.project = film.code
        _tell_of_the_rest(found, report)
        named = list(people_of(found, film, _by_code(Character, film), report))
        people = [person for _told, person in named]
        library = Library(offered_presets(None if film._state.adding else film.pk))
        known = () if film._state.adding else Look.objects.filter(project=film).values_list("slug", flat=True)
        looks = list(looks_of(found, film, library, set(known), report))
        new_looks = [look for look in looks if look is not None]
        report.there["looks"] += len(looks) - len(new_looks)
        stage = Stage(
            found,
            film,
            people={told: person.row for told, person in named},
            library=library,
            sequences=_by_code(Sequence, film),
            locations=_by_code(Location, film),
            report=report,
        )
        taken = {(shot.sequence.code, shot.code): shot for shot in _shots_of(film)}
        scenes = list(scenes_of(stage, taken))
        new = [scene for scene in scenes if scene is not None]
        report.there["shots"] += len(scenes) - len(new)
        _count(report, film, people, stage, new, new_looks)
        if not dry_run:
            _write(film, people, stage, new, new_looks)
        bring_graphs(source, found.folder, report)
    report.there = +report.there
    logger.info("prototype imported", extra={"project": film.code, "dry_run": dry_run, **report.counts})
    return report


def _named(found: Prototype, report: Report) -> Prototype:
    """The same, its own name and description without what no text holds."""
    about = report.about(f"project {found.name}")
    return replace(
        found,
        name=clean_text(found.name, "project_id", about, most=200),
        description=clean_text(found.description, "description", about),
    )


def _project(found: Prototype, typed: str, report: Report) -> Project:
    code = typed or re.sub(r"[^A-Z0-9]", "", found.name.upper()).lstrip("0123456789")[:16]
    about = report.about(f"project {found.name}")
    if not typed and code != found.name:
        about.mended("id", found.name, f"cannot be a project's code here; {code} was given")
    existing = Project.objects.select_for_update().filter(code=code).first()
    rate = rate_of_most(found.shots)
    if existing is not None:
        if abs(existing.fps - rate) > 0.002 and found.shots:
            about.told("fps", rate, f"{code} has {existing.fps:g}; lengths were kept")
        report.there["project"] += 1
        return existing
    film = Project(code=code, name=found.name, description=found.description)
    film.fps = rate
    try:
        clean(film)
    except Refused as refused:
        told = "give the project a code by --project, such as FROST"
        raise Refused(
            *refused.problems, Problem("project", code or found.name, told, "invalid_code")
        ) from refused
    return film


def _by_code(model: type[Any], film: Project) -> dict[str, Any]:
    return {} if film._state.adding else {row.code: row for row in model.objects.filter(project=film)}


def _shots_of(film: Project) -> list[Shot]:
    return [] if film._state.adding else list(Shot.objects.filter(project=film).select_related("sequence"))


def _tell_of_the_rest(found: Prototype, report: Report) -> None:
    """Jobs: what becomes of them."""
    for place, job in enumerate(found.jobs):
        if "_unreadable" in job:
            report.about(f"job {place + 1}").dropped("", job["_unreadable"], "no object")
    counted = Counter(str(job.get("status")) for job in found.jobs if "_unreadable" not in job)
    if counted:
        listed = ", ".join(f"{count} {status}" for status, count in sorted(counted.items()))
        report.about("jobs").told("", listed, "no jobs are made of them: they ran on another farm")


def _count(
    report: Report,
    film: Project,
    people: list[Person],
    stage: Stage,
    scenes: list[Scene],
    looks: list[LookFound],
) -> None:
    new = [person for person in people if person.row._state.adding]
    report.there["characters"] += len(people) - len(new)
    made = Counter(
        {
            "project": int(film._state.adding),
            "characters": len(new),
            "costumes": sum(len(person.costumes) for person in new),
            "LoRAs": sum(len(person.loras) for person in new),
            "reference pictures": sum(len(person.pictures) for person in new),
            "sequences": len(stage.new_sequences),
            "locations": len(stage.new_locations),
            "looks": len(looks),
            "shots": len(scenes),
            "castings": sum(len(scene.cast) for scene in scenes),
            "presets of shots": sum(len(scene.presets) for scene in scenes),
            "locks": sum(scene.locked for scene in scenes),
        }
    )
    report.created = +made


def _write(
    film: Project, people: list[Person], stage: Stage, scenes: list[Scene], looks: list[LookFound]
) -> None:
    if film._state.adding:
        open_project(film, user=None)
    new = [person for person in people if person.row._state.adding]
    born: dict[type[Model], list[Any]] = {
        Character: [person.row for person in new],
        Sequence: stage.new_sequences,
        Location: stage.new_locations,
        Shot: [scene.row for scene in scenes],
        Look: [look.row for look in looks],
    }
    if not any(born.values()):
        return
    title = _("%(project)s of AIPipeline") % {"project": stage.found.name}
    batch = open_batch(project=film.pk, actor=None, title=title, verb=IMPORTED)
    with ExitStack() as stack:
        for model, rows in born.items():
            change = stack.enter_context(changing(model, actor=None, verb=IMPORTED, batch=batch))
            change.born(*rows)
        _write_rows(film, new, stage, scenes)
        _write_looks(looks)


def _write_rows(film: Project, new: list[Person], stage: Stage, scenes: list[Scene]) -> None:
    _bulk(Character, [person.row for person in new])
    _bulk(Costume, [costume for person in new for costume in person.costumes])
    _bulk(CharacterLora, [lora for person in new for lora in person.loras])
    _bulk(Sequence, stage.new_sequences)
    _bulk(Location, stage.new_locations)
    for scene in scenes:
        if scene.locked:
            scene.row.locked_by, scene.row.locked_at = SYSTEM, timezone.now()
    _bulk(Shot, [scene.row for scene in scenes])
    keep_dates({scene.row: (scene.made, scene.changed) for scene in scenes})
    _bulk(ShotCharacter, [part for scene in scenes for part in scene.cast])
    _bulk(
        ShotPreset,
        [
            ShotPreset(shot=scene.row, preset=preset, order=order)
            for scene in scenes
            for order, preset in enumerate(scene.presets)
        ],
    )
    _tell_births([scene.row for scene in scenes])
    for person in new:
        for title, path in person.pictures:
            with path.open("rb") as file:
                add_reference(person.row, file, title=title, user=None)
    _keep_ahead(film, new, stage, scenes)


def _write_looks(looks: list[LookFound]) -> None:
    _bulk(Look, [look.row for look in looks])
    _bulk(
        LookPreset,
        [
            LookPreset(look=look.row, preset=preset, order=order)
            for look in looks
            for order, preset in enumerate(look.presets)
        ],
    )


def _bulk(model: type[Model], rows: list[Any]) -> None:
    model._default_manager.bulk_create(rows, batch_size=_BATCH)


def _tell_births(shots: list[Shot]) -> None:
    events: list[StateEvent] = []
    for shot in shots:
        before = ""
        for status in _WAY[str(shot.status_id)]:
            events.append(
                StateEvent(
                    machine=states.SHOT.name,
                    subject=shot.pk,
                    story=shot.pk,
                    from_state=before,
                    to_state=status,
                    actor=SYSTEM,
                    reason="imported from AIPipeline",
                )
            )
            before = status
    StateEvent.objects.bulk_create(events, batch_size=_BATCH)


def _keep_ahead(film: Project, people: list[Person], stage: Stage, scenes: list[Scene]) -> None:
    """Codes that came in are not handed out again."""
    CHARACTERS.keep_ahead(film.pk, [person.row.code for person in people])
    SEQUENCES.keep_ahead(film.pk, [sequence.code for sequence in stage.new_sequences])
    rows = sorted((scene.row for scene in scenes), key=lambda row: row.sequence_id)
    for sequence, members in groupby(rows, key=lambda row: row.sequence_id):
        SHOTS.keep_ahead(sequence, [row.code for row in members])

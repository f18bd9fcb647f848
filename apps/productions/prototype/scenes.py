"""The prototype's shots, as ours: cast, place, presets by best match, status, and what else must be kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from apps.characters.models import Character
from apps.presets.models import CinematicPreset
from apps.productions import states
from apps.productions.models import Location, Sequence, Shot, ShotCharacter, TimeOfDay, Weather
from apps.productions.prototype.dates import moment
from apps.productions.prototype.fields import Codes, clean_text, inside, number, objects, text, words
from apps.productions.prototype.files import ShotFiles
from apps.productions.prototype.looks import rival_of, said_in_look
from apps.productions.prototype.matching import Library
from apps.productions.prototype.people import find_file, leave_out
from apps.productions.prototype.reading import Document, Prototype
from apps.productions.prototype.report import About, Report
from apps.productions.prototype.timing import frames_of
from apps.projects.models import Project

SEQUENCE: Final = "SQ01"
"""Where the prototype puts shots without a sequence."""
MOST_SEED: Final = 2**53 - 1
CONFIRMED: Final = "confirmed"
STATUSES: Final[Mapping[str, str]] = {
    "pending": states.DRAFT,
    "queued": states.READY,
    "generating": states.READY,
    "completed": states.REVIEW,
    "failed": states.READY,
    "needs_revision": states.READY,
    "approved": states.APPROVED,
    CONFIRMED: states.READY,
}
_SAID: Final[Mapping[str, str]] = {
    "queued": "nothing waits here yet; ready",
    "generating": "nothing renders here yet; ready",
    "failed": "ready to be rendered again",
    "needs_revision": "ready, for another take",
    CONFIRMED: "it is no status here: the shot is locked, and ready",
}
_DEFAULTS: Final = {
    "camera": "Arri Alexa",
    "film_stock": "Kodak Vision3",
    "lens": "Anamorphic",
    "aspect_ratio": "16:9",
}
_KNOWN: Final = frozenset(
    {
        "id",
        "sequence_id",
        "scene_description",
        "dialogue",
        "subjects",
        "environment",
        "technical",
        "action",
        "character_ids",
        "cinematic_id",
        "generated_prompt",
        "negative_prompt",
        "seed",
        "reference_images",
        "generated_image_path",
        "generated_video_path",
        "frame_count",
        "fps",
        "duration_seconds",
        "timecode_in",
        "timecode_out",
        "status",
        "workflow_type",
        "created_at",
        "updated_at",
    }
)


@dataclass
class Scene:
    """A shot that is not saved yet, with its cast, its presets in order, and whether it is locked."""

    row: Shot
    cast: list[ShotCharacter] = field(default_factory=list)
    presets: list[CinematicPreset] = field(default_factory=list)
    locked: bool = False
    made: datetime | None = None
    changed: datetime | None = None
    _notes: list[str] = field(default_factory=list)

    def keep(self, told: str) -> None:
        """Keep something in the notes of the shot."""
        if told and told not in self._notes:
            self._notes.append(told)
            self.row.notes = "\n".join(self._notes)

    def use(self, preset: CinematicPreset) -> CinematicPreset | None:
        """Use a preset; return the rival that its category allows no other beside."""
        rival = rival_of(preset, self.presets)
        if rival is None and preset not in self.presets:
            self.presets.append(preset)
        return rival


class Stage:
    """Everything that shots point at, as it is found or made while they are read."""

    def __init__(
        self,
        found: Prototype,
        project: Project,
        *,
        people: Mapping[str, Character],
        library: Library,
        sequences: dict[str, Sequence],
        locations: dict[str, Location],
        report: Report,
    ) -> None:
        self.found = found
        self.project = project
        self.people = people
        self.library = library
        self.report = report
        self.sequences = sequences
        self.new_sequences: list[Sequence] = []
        self.new_locations: list[Location] = []
        self._by_id: dict[str, Sequence] = {}
        self._codes = Codes()
        self._locations = {place.name.casefold(): place for place in locations.values()}
        self._location_codes = Codes(locations)
        self.looks = {str(look.get("id")): look for look in found.cinematics if look.get("id") is not None}

    def sequence(self, told: Any, about: About) -> Sequence:
        """Find a shot's sequence, or make it."""
        if told in (None, ""):
            about.mended("sequence_id", told, f"there was none; {SEQUENCE}, as the prototype does")
            told = SEQUENCE
        key = str(told)
        if key not in self._by_id:
            code = self._codes.of(key, SEQUENCE, self.report.about(f"sequence {key}"))
            if code not in self.sequences:
                made = Sequence(project=self.project, code=code, name=clean_text(key, "id", about, most=200))
                made.order = (len(self.sequences) + 1) * 10
                self.sequences[code] = made
                self.new_sequences.append(made)
            self._by_id[key] = self.sequences[code]
        return self._by_id[key]

    def location(self, told: str, about: About) -> Location | None:
        """Find a place by its name, or make it."""
        if not told:
            return None
        name = told[:120]
        place = self._locations.get(name.casefold())
        if place is None:
            code = self._location_codes.of(f"LOC{(len(self._locations) + 1) * 10:03}", "LOC", about)
            place = Location(project=self.project, code=code, name=name, prompt=told)
            self._locations[name.casefold()] = place
            self.new_locations.append(place)
        return place


def scenes_of(stage: Stage, taken: Mapping[tuple[str, str], Shot]) -> Iterator[Scene | None]:
    """Read every shot, in order; None for one that is there already."""
    codes = Codes(kept=(record.get("id") for record in stage.found.shots))
    files = ShotFiles(stage.found)
    for place, record in enumerate(stage.found.shots):
        told = record.get("id")
        about = stage.report.about(f"shot {told or place + 1}")
        if "_unreadable" in record:
            about.dropped("", record["_unreadable"], "no object")
            continue
        for column in record.get("_unreadable_columns", ()):
            about.dropped(column, None, "the database holds no JSON there")
        sequence = stage.sequence(record.get("sequence_id"), about)
        code = codes.of(told, f"SHT-{(place + 1) * 10:05}", about)
        there = (sequence.code, code) in taken
        stage.report.files += files.of(record, sequence=sequence.code, shot=code, about=about, again=there)
        if there:
            yield None
            continue
        yield _scene(
            stage,
            record,
            Shot(project=stage.project, sequence=sequence, code=code, order=(place + 1) * 10),
            about,
        )


def _scene(stage: Stage, record: Document, row: Shot, about: About) -> Scene:
    scene = Scene(row)
    if "scene_description" not in record:
        about.mended("scene_description", None, "it was missing; the description is empty")
    row.description = text(record, "scene_description", about)
    row.dialogue = text(record, "dialogue", about)
    row.negative = text(record, "negative_prompt", about)
    row.frames = frames_of(record, stage.project.frame_rate, about)
    row.seed = _seed(record, about)
    scene.made = moment(record, "created_at", about)
    scene.changed = moment(record, "updated_at", about)
    _status(stage, scene, record, about)
    _cast(stage, scene, record, about)
    _place(stage, scene, record, about)
    _technical(stage, scene, record, about)
    _look(stage, scene, record, about)
    _keep_words(scene, record, about)
    _tell_files(stage, record, about)
    leave_out(record, _KNOWN, about)
    return scene


def _status(stage: Stage, scene: Scene, record: Document, about: About) -> None:
    told = record.get("status")
    if told is None:
        about.mended("status", None, "it was missing; draft")
        scene.row.status_id = states.DRAFT
    else:
        word = str(told).strip().casefold()
        if word not in STATUSES:
            about.mended("status", told, "the prototype knows no such status; draft")
        elif word in _SAID:
            about.mended("status", told, _SAID[word])
        scene.row.status_id = STATUSES.get(word, states.DRAFT)
        scene.locked = word == CONFIRMED
    if str(record.get("id")) in stage.found.confirmed and not scene.locked:
        about.told("confirmed", "true", "its sidecar says so; the shot is locked")
        scene.locked = True


def _seed(record: Document, about: About) -> int | None:
    told = number(record, "seed", about)
    if told is None or told == -1:
        return None
    if not told.is_integer() or not 0 <= told <= MOST_SEED:
        about.dropped("seed", told, f"a seed is a whole number from 0 to {MOST_SEED}")
        return None
    return int(told)


def _cast(stage: Stage, scene: Scene, record: Document, about: About) -> None:
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


def _place(stage: Stage, scene: Scene, record: Document, about: About) -> None:
    place = inside(record, "environment", about)
    scene.row.location = stage.location(
        clean_text(place.get("location"), "environment.location", about), about
    )
    scene.row.weather = _choice(stage, scene, place, "weather", Weather.values, about)
    scene.row.time_of_day = _choice(stage, scene, place, "time_of_day", TimeOfDay.values, about)
    if place.get("reference_image"):
        _tell_file(stage, "environment.reference_image", place["reference_image"], about)
    known = {"location", "weather", "time_of_day", "reference_image"}
    leave_out(place, frozenset(known), about)


def _choice(stage: Stage, scene: Scene, place: Document, name: str, values: list[str], about: About) -> str:
    told = clean_text(place.get(name), f"environment.{name}", about, most=80)
    word = "_".join(told.casefold().replace("-", " ").split())
    if word in values:
        return word
    if told:
        _use(stage, scene, name, told, about)
    return ""


def _technical(stage: Stage, scene: Scene, record: Document, about: About) -> None:
    specs = inside(record, "technical", about)
    for name in ("camera", "film_stock", "lens", "lighting", "aspect_ratio"):
        _use(stage, scene, name, clean_text(specs.get(name), f"technical.{name}", about, most=200), about)
    for told in words(specs.get("filter"), "technical.filter", about):
        _use(stage, scene, "filter", told, about)
    leave_out(specs, frozenset({"camera", "film_stock", "lens", "lighting", "aspect_ratio", "filter"}), about)


def _look(stage: Stage, scene: Scene, record: Document, about: About) -> None:
    """The cinematic option of a shot: what the shot does not say itself."""
    told = record.get("cinematic_id")
    if told in (None, ""):
        return
    look = stage.looks.get(str(told))
    if look is None:
        about.dropped("cinematic_id", told, "there is no such cinematic option")
        return
    for name, value in said_in_look(look, about):
        _use(stage, scene, name, value, about)


def _use(stage: Stage, scene: Scene, name: str, told: str, about: About) -> None:
    """Use the preset that a word means, or keep the word in the notes."""
    if not told:
        return
    match = stage.library.find(name, told)
    if match is None:
        scene.keep(f"{name.replace('_', ' ').capitalize()}: {told}")
        if _DEFAULTS.get(name) != told:
            about.doubtful(name, told, "no preset means this; kept in the notes")
        return
    rival = scene.use(match.preset)
    if rival is not None:
        scene.keep(f"{name.replace('_', ' ').capitalize()}: {told}")
        about.doubtful(name, told, f"{match.name} goes not beside {rival.slug}; kept in the notes")
    elif not match.sure:
        about.doubtful(name, told, f"taken as {match.name}")


def _keep_words(scene: Scene, record: Document, about: About) -> None:
    if prompt := text(record, "generated_prompt", about):
        scene.keep(f"Prompt in AIPipeline: {prompt}")
        about.told(
            "generated_prompt", prompt, "the composer writes prompts here; this one is kept in the notes"
        )
    workflow = text(record, "workflow_type", about, most=80)
    if workflow and workflow != "text_to_image":
        scene.keep(f"Workflow in AIPipeline: {workflow}")
        about.told("workflow_type", workflow, "chosen here when a shot is rendered; kept in the notes")
    cut = [text(record, name, about, most=40) for name in ("timecode_in", "timecode_out")]
    if any(cut):
        scene.keep(f"Timecode in AIPipeline: {cut[0] or '–'} to {cut[1] or '–'}")


def _tell_files(stage: Stage, record: Document, about: About) -> None:
    """Reference pictures are told: a person adds them to the shot's material."""
    listed = record.get("reference_images")
    if isinstance(listed, str):
        listed = [listed]
    for told in listed if isinstance(listed, list) else ():
        _tell_file(stage, "reference_images", told, about)


def _tell_file(stage: Stage, name: str, told: Any, about: About) -> None:
    path, why = find_file(stage.found, told)
    if path is None:
        about.dropped(name, told, why)
    else:
        about.told(name, told, "add it to the shot's material; it stays where it is")

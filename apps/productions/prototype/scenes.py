"""The prototype's shots, as ours: place, presets by best match, status, and what else must be kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from apps.productions import states
from apps.productions.models import Shot, TimeOfDay, Weather
from apps.productions.prototype.cast import cast_scene
from apps.productions.prototype.dates import moment
from apps.productions.prototype.fields import Codes, clean_text, inside, number, text, words
from apps.productions.prototype.files import ShotFiles
from apps.productions.prototype.looks import said_in_look
from apps.productions.prototype.people import find_file, leave_out
from apps.productions.prototype.reading import Document
from apps.productions.prototype.report import About
from apps.productions.prototype.stage import Scene, Stage
from apps.productions.prototype.timing import frames_of

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
    cast_scene(stage, scene, record, about)
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

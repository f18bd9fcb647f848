"""What a version would send for a shot or for typed values, and where each comes from. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

from apps.common.codes import last_numbers
from apps.common.errors import Problem, Refused
from apps.nodes.models import Node
from apps.nodes.selectors import known_capabilities
from apps.productions.models import Shot
from apps.prompts.reader import reader_of
from apps.prompts.selectors import inputs_for
from apps.prompts.services import compose_prompts
from apps.renders.scheduling.fit import lacking
from apps.renders.scheduling.nearest import nearest_there
from apps.renders.services.casting import NOBODY, Cast, cast_of
from apps.renders.services.files import brought
from apps.renders.services.seeds import fixed_seed, seed_of
from apps.renders.services.shot_values import PREFIX_FOR_CHECK, carried, shot_values
from apps.renders.services.sources import Looks, Source, find_sources, medium_taken, role_of
from apps.renders.services.starts import start_of
from apps.renders.services.steps import Step
from apps.workflows.models import WorkflowTemplateVersion
from apps.workflows.saidwords import error_in_words
from apps.workflows.services import template_of
from workflows.dry_run import DryRun, Given, GivenLora, Origin, dry_run
from workflows.errors import WorkflowError
from workflows.load import Template
from workflows.loras import Lora
from workflows.manifest import Value

SHOWN_NODES: Final = 100
STAND_INS: Final[Mapping[str, Value]] = {"text": "…", "file": "input-of-the-job.png", "int": 0, "float": 1.0}


@dataclass(frozen=True)
class Lacking:
    """What one node lacks to run it, classes and model files as folder/name, and the nearest it has."""

    node: str
    names: tuple[str, ...]
    nearest: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tried:
    """A dry run, and what known nodes lack for it; ``able``: nodes that lack nothing."""

    run: DryRun
    lacking: tuple[Lacking, ...]
    able: int


def try_out(
    version: WorkflowTemplateVersion, *, shot: Shot | None = None, typed: Mapping[str, Value] | None = None
) -> Tried:
    """Bind a version with a shot's values, and over them what was typed. Raises Refused with the problem."""
    template = template_of(version)
    cast = NOBODY
    values: dict[str, Given] = {}
    try:
        if shot is not None:
            values, cast = _of_shot(template, shot)
        _stand_in(template, values)
        for role, value in (typed or {}).items():
            values[role] = Given(value, Origin("request", _("typed")))
        prefix = f"{PREFIX_FOR_CHECK}/{shot.full_code}" if shot else PREFIX_FOR_CHECK
        run = dry_run(
            template,
            values,
            filename_prefix=Given(prefix, Origin("farm", _("one for each attempt"))),
            loras=[_given(use.file, use.weight, use.expert, use.character) for use in cast.loras],
        )
    except WorkflowError as exc:
        raise Refused(Problem(exc.field, str(exc.value), error_in_words(exc))) from exc
    precision = str(typed["precision"]) if typed and "precision" in typed else ""
    missing = _lacking(template, precision, cast)
    return Tried(run, tuple(one for one in missing if one.names), sum(not one.names for one in missing))


def _of_shot(template: Template, shot: Shot) -> tuple[dict[str, Given], Cast]:
    manifest, bindings = template.manifest, template.manifest.bindings
    taken = role_of(manifest)
    found = find_sources([shot], taken, medium_taken(template, taken)).get(shot.pk) if taken else None
    files, looks = _files_of(template, shot, found)
    left, _skip, room = carried(manifest, looks)
    own = shot_values(Step(template=template.slug), template, shot, source_fps=left.fps, overlap=room)
    values = {role: Given(value, _origin(role, shot)) for role, value in own.items()}
    cast = NOBODY
    if "positive" in bindings:
        facts = inputs_for([shot])[shot.pk]
        cast = cast_of(facts, manifest)
        reader = reader_of(template)
        build = compose_prompts([shot], reader, facts={shot.pk: facts}, even_silent=True)[shot.pk]
        told = _("shot %s, written by hand") if build.by_hand else _("shot %s, its cast, place and presets")
        origin = Origin("shot", told % shot.full_code)
        for role in ("positive", "negative"):
            text = getattr(build, role)
            if role in bindings and (text or role == "negative"):
                values[role] = Given(text, origin)
    if "seed" in bindings:
        values["seed"] = _seed(template, shot)
    return values | files, cast


def _files_of(
    template: Template, shot: Shot, found: Source | None
) -> tuple[dict[str, Given], dict[str, Looks | None]]:
    """What a press of Render would bring, as far as it is there, and how that looks."""
    step, role = Step(template=template.slug), role_of(template.manifest)
    files = brought(shot.project, [shot], step, template, own=role)
    given = {
        name: Given(f"artifact-{file.pk}", Origin("shot", file.title))
        for name, file in files.by_shot[shot.pk].items()
    }
    looks: dict[str, Looks | None] = {name: file.looks for name, file in files.by_shot[shot.pk].items()}
    try:
        source = start_of(step, template, shot, found, files.starts.get(shot.pk, []), ()).source
    except Refused:
        return given, looks  # it is not there yet: something stands in for it
    if source:
        looks[role] = source.looks
    if source and source.artifact_id:
        given[role] = Given(f"artifact-{source.artifact_id}", Origin("shot", source.title))
    return given, looks


def _origin(role: str, shot: Shot) -> Origin:
    if role in ("width", "height"):
        facts = {"width": shot.project.width, "height": shot.project.height, "project": shot.project.code}
        return Origin("project", _("project %(project)s, %(width)d × %(height)d") % facts)
    if role == "frames":
        facts = {"shot": shot.full_code, "frames": shot.frames, "fps": f"{float(shot.project.fps):g}"}
        return Origin("shot", _("shot %(shot)s, %(frames)s frames at %(fps)s fps") % facts)
    return Origin("shot", shot.full_code)


def _seed(template: Template, shot: Shot) -> Given:
    fixed = fixed_seed(Step(template=template.slug), shot, 0)
    if fixed is not None:
        return Given(fixed, Origin("shot", _("the shot's own seed")))
    number = last_numbers(f"take:{template.manifest.kind}", [shot.pk]).get(shot.pk, 0) + 1
    told = _("from shot, template and take %d") % number
    return Given(seed_of(shot.pk, template.slug, number), Origin("farm", told))


def _stand_in(template: Template, values: dict[str, Given]) -> None:
    """What only a real request knows is played: a dry run shows where it would go."""
    for role in template.manifest.required_roles:
        kind = template.manifest.bindings[role].type
        if role not in values and kind in STAND_INS:
            values[role] = Given(STAND_INS[kind], Origin("farm", _("stands in for what a job brings")))


def _given(file: str, weight: float, expert: str, character: str) -> GivenLora:
    return GivenLora(Lora(file=file, weight=weight, expert=expert), Origin("character", character))


def _lacking(template: Template, precision: str, cast: Cast) -> list[Lacking]:
    nodes = known_capabilities().order_by("name").only("name", "capabilities_of")[:SHOWN_NODES]
    return [_on_node(node, lacking(node, template, precision, cast.lora_files)) for node in nodes]


def _on_node(node: Node, names: tuple[str, ...]) -> Lacking:
    return Lacking(node.name, names, nearest_there(node, names))

"""Write a shot's values into a graph, and say what a job of this template needs."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workflows.conforming import Conform, Length
from workflows.errors import MissingRole, NeedUnknown, UnknownRole, ValueRefused
from workflows.frames import render_frames
from workflows.graph import Graph
from workflows.load import Template
from workflows.loras import Lora, insert_loras
from workflows.manifest import Binding, Manifest, ModelFile, Value, VramRow
from workflows.optional import without
from workflows.rates import exact_fps
from workflows.roles import FORMER_ROLES
from workflows.values import check_prefix, checked, written
from workflows.wording import said as _


@dataclass(frozen=True, slots=True)
class FileInput:
    """A file to upload before the graph is sent. ``source`` is what the caller named it by; the name
    that the upload returns belongs in ``inputs[input]`` of ``node`` (see :func:`fill`)."""

    role: str
    node: str
    input: str
    source: str


@dataclass(frozen=True, slots=True)
class BoundGraph:
    """A graph ready to send, but for the files in ``inputs``. ``values`` holds every role's value used."""

    graph: Graph
    inputs: list[FileInput]
    values: dict[str, Value]


@dataclass(frozen=True, slots=True)
class VramNeed:
    """``gb`` GB of one GPU; 0 if none is needed. ``row`` is the figure it rests on."""

    gb: float
    row: VramRow | None


@dataclass(frozen=True, slots=True)
class FrameChoice:
    """A legal frame count at the template's own ``fps``, and how it becomes the shot."""

    frames: int
    fps: float
    conform: Conform


def bind(
    template: Template, values: Mapping[str, Value], *, filename_prefix: str, loras: Sequence[Lora] = ()
) -> BoundGraph:
    """Return a copy of the template's graph with every role's value where it belongs, and LoRAs loaded.

    Roles not given take their default; the nodes of an optional one that is not given are left out. The same
    arguments give the same bytes. Raises UnknownRole, MissingRole, or ValueRefused for a wrong type, range,
    size step, frame count or LoRA, and for a file that nothing reads because another one was left out.
    """
    manifest = template.manifest
    complete = _complete(manifest, values) | {"filename_prefix": check_prefix(filename_prefix)}
    missing = [role for role in manifest.bindings if role not in complete]
    graph = without(template.graph, manifest, missing)
    inputs: list[FileInput] = []
    accepted: dict[str, Value] = {}
    for role, given in sorted(complete.items()):
        binding = manifest.bindings[role]
        value = accepted[role] = checked(binding, given, manifest)
        if binding.type == "file":
            _refuse_unread(graph, manifest, binding, given, missing)
            inputs += [
                FileInput(role, t.node, t.input, str(value)) for t in binding.targets if t.node in graph
            ]
        _write(graph, binding, value)
    return BoundGraph(graph=insert_loras(graph, manifest.loras, loras), inputs=inputs, values=accepted)


def fill(graph: Graph, inputs: Sequence[FileInput], uploaded: Mapping[str, str]) -> Graph:
    """Return a copy of a bound graph with the uploaded files' names (role → name) in place.

    Raises MissingRole if a file that the graph waits for was not uploaded.
    """
    filled = copy.deepcopy(graph)
    for wanted in inputs:
        if wanted.role not in uploaded:
            remedy = _("upload it to ComfyUI first")
            raise MissingRole(wanted.role, wanted.source, problem=_("was not uploaded"), remedy=remedy)
        filled[wanted.node]["inputs"][wanted.input] = uploaded[wanted.role]
    return filled


def need_gb(
    template: Template, *, precision: str | None = None, width: int, height: int, frames: int = 1
) -> VramNeed:
    """Return the declared VRAM need of one job; ``precision`` None means the template's default.

    Raises NeedUnknown if the graph does not offer the precision or no figure covers the size.
    """
    manifest = template.manifest
    if not manifest.vram:
        return VramNeed(gb=0, row=None)
    wanted = precision or manifest.precisions[0]
    if wanted not in manifest.precisions:
        offered = ", ".join(manifest.precisions)
        raise NeedUnknown(
            "precision",
            wanted,
            problem=_("is not offered by %(template)s", template=manifest.slug),
            remedy=_("choose %(choices)s", choices=offered),
        )
    rows = [row for row in manifest.vram if row.precision == wanted]
    for row in rows:
        if width * height <= row.max_pixels and frames <= row.max_frames:
            return VramNeed(gb=row.gb, row=row)
    largest = max(rows, key=lambda row: (row.max_pixels, row.max_frames))
    raise NeedUnknown(
        "size",
        f"{width}x{height}, {frames} frames",
        problem=_(
            "has no VRAM figure for %(template)s in %(precision)s", template=manifest.slug, precision=wanted
        ),
        remedy=_(
            "stay within %(pixels)s pixels (width × height) and %(frames)s frames",
            pixels=largest.max_pixels,
            frames=largest.max_frames,
        ),
    )


def frames_for(
    template: Template, wanted: Length, pace: float | None = None, *, overlap: int = 0
) -> FrameChoice:
    """Return the next legal frame count that covers a shot; ``overlap`` frames before it repeat another clip.

    ``pace``: the clip's frames per second where a source decides them; None: the template's own. Raises
    ValueRefused if the template makes no clip of a chosen length, or the shot is longer than one clip can be
    (see workflows.frames.split).
    """
    rule, native = template.manifest.frame_rule, pace or template.manifest.native_fps
    if rule is None or native is None:
        raise ValueRefused(
            "frames",
            wanted.total,
            problem=_("cannot be made by %(template)s", template=template.slug),
            remedy=_("choose a clip template"),
        )
    chosen = render_frames(wanted, rule, exact_fps(native), overlap=overlap)
    return FrameChoice(chosen.rendered, native, chosen)


def models_needed(template: Template, precision: str | None = None) -> tuple[ModelFile, ...]:
    """Return the model files a node must hold for a job in ``precision`` (None: the default one)."""
    manifest = template.manifest
    wanted = precision or next(iter(manifest.precisions), None)
    return tuple(model for model in manifest.models if model.precision in (None, wanted))


def classes_needed(template: Template) -> tuple[str, ...]:
    """Return the node classes a ComfyUI must know, sorted."""
    return tuple(sorted({str(node["class_type"]) for node in template.graph.values()}))


def size_for(template: Template, aspect: float) -> tuple[int, int] | None:
    """Return the size in pixels nearest to ``aspect`` (width ÷ height) within the default size's area.

    None for a template that binds no size. Memory and time follow the area, so that is what is kept.
    """
    manifest = template.manifest
    if not {"width", "height"} <= manifest.bindings.keys() & manifest.defaults.keys():
        return None
    area = int(manifest.defaults["width"]) * int(manifest.defaults["height"])
    ideal = math.sqrt(area * aspect)
    step = manifest.dim_step
    widths = range(math.ceil(0.9 * ideal / step) * step, math.ceil(1.05 * ideal / step) * step, step)
    sizes = [(width, round(width / aspect / step) * step) for width in widths]
    fitting = [size for size in sizes if size[1] and size[0] * size[1] <= area and _legal(manifest, size)]
    return min(fitting, key=lambda size: (round(abs(size[0] / size[1] - aspect), 2), -size[0]), default=None)


def _legal(manifest: Manifest, size: tuple[int, int]) -> bool:
    for role, pixels in zip(("width", "height"), size, strict=True):
        binding = manifest.bindings[role]
        if pixels < (binding.minimum or 0) or pixels > (binding.maximum or math.inf):
            return False
    return True


def slate_size(template: Template, *, width: int, height: int) -> tuple[int, int]:
    """Return the exact size in pixels of the PNG to draw for ``slate_image`` (see manifest.Slate)."""
    slate = template.manifest.slate
    if slate is None:
        raise UnknownRole(
            "slate_image",
            template.slug,
            problem=_("takes no slate picture"),
            remedy=_("choose a slate template"),
        )
    return width - 2 * slate.margin, height - 2 * slate.margin


def _complete(manifest: Manifest, values: Mapping[str, Value]) -> dict[str, Value]:
    values = {FORMER_ROLES.get(role, role): value for role, value in values.items()}
    for role, value in values.items():
        if role not in manifest.bindings or role == "filename_prefix":
            roles = ", ".join(r for r in manifest.bindings if r != "filename_prefix")
            raise UnknownRole(
                role,
                value,
                problem=_("has no place in %(template)s", template=manifest.slug),
                remedy=_("use %(roles)s", roles=roles),
            )
    for role in manifest.required_roles:
        if role not in values:
            problem = _("must be given for %(template)s", template=manifest.slug)
            raise MissingRole(role, None, problem=problem, remedy=_("it has no default"))
    return {**manifest.defaults, **values}


def _refuse_unread(
    graph: Graph, manifest: Manifest, binding: Binding, given: Value, missing: Sequence[str]
) -> None:
    """A file that somebody gave must not be dropped in silence because another one was not given."""
    nodes = {target.node for target in binding.targets}
    if nodes and not nodes & graph.keys():
        rules = {role: manifest.bindings[role].optional for role in missing}
        taken = ", ".join(role for role, rule in rules.items() if rule and nodes & set(rule.remove))
        raise ValueRefused(
            binding.role,
            given,
            problem=_("is read by nothing without %(roles)s", roles=taken),
            remedy=_("give that too, or leave both out"),
        )


def _write(graph: Graph, binding: Binding, value: Value) -> None:
    for target in binding.targets:
        if target.node not in graph:
            continue  # went with an optional role that is not given
        placeholder = f"shotfarm:{binding.role}"
        graph[target.node]["inputs"][target.input] = (
            placeholder if binding.type == "file" else written(target, binding, value)
        )


__all__ = [
    "BoundGraph",
    "FileInput",
    "FrameChoice",
    "VramNeed",
    "bind",
    "classes_needed",
    "fill",
    "frames_for",
    "models_needed",
    "need_gb",
    "size_for",
    "slate_size",
]

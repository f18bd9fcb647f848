"""Check that a manifest fits its graph: every role lands, every figure holds, every model is declared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

from workflows.bind import need_gb
from workflows.catalogue import ObjectInfo, with_packs
from workflows.errors import NeedUnknown, WorkflowError
from workflows.graph import Graph, format_problem, is_link, is_model_file, linked_node
from workflows.latents import latent_problems
from workflows.load import Template
from workflows.loras import lora_problems
from workflows.manifest import Binding, Manifest, Target
from workflows.optional import optional_problems
from workflows.problems import Problem
from workflows.values import checked
from workflows.wording import Said
from workflows.wording import said as _

SAVING: Final = {
    "SaveImage": "image",
    "SaveVideo": "video",
    "SaveWEBM": "video",
    "SaveAnimatedWEBP": "image",
    "SaveLatent": "latent",
}
"""Core classes that save files, and what they save; others are asked of the catalogue."""

FILE_LOADERS: Final = {
    "LoadImage": "image",
    "LoadImageMask": "image",
    "LoadVideo": "file",
    "LoadAudio": "audio",
    "LoadLatent": "latent",
}
"""Core classes that read the input folder, and the input that names the file."""


def check_manifest(template: Template, object_info: ObjectInfo | None = None) -> list[Problem]:
    """Return what in the manifest does not fit the graph; empty if all is well.

    With a catalogue the output nodes of custom classes are known too; without one only core classes are.
    """
    unreadable = format_problem(template.graph)
    if unreadable is not None:
        return [unreadable]
    known = with_packs(object_info or {}, template.manifest)
    return [
        *_target_problems(template),
        *_shared_targets(template.manifest),
        *_default_problems(template.manifest),
        *_golden_problems(template.manifest),
        *_output_problems(template, known),
        *_vram_problems(template),
        *_model_problems(template),
        *_file_problems(template, known),
        *_kind_problems(template.manifest),
        *latent_problems(template.manifest),
        *lora_problems(template, known),
        *optional_problems(template, known),
    ]


def _target_problems(template: Template) -> Iterator[Problem]:
    for binding in template.manifest.bindings.values():
        for target in binding.targets:
            finding = _target_finding(template, binding, target)
            if finding:
                code, text = finding
                told = _("Role %(role)s %(finding)s.", role=repr(binding.role), finding=text)
                yield Problem(target.node, target.input, code, told)


def _target_finding(template: Template, binding: Binding, target: Target) -> tuple[str, Said] | None:
    node = template.graph.get(target.node)
    if node is None:
        return "unknown_node", _("is bound to node %(id)s, which is not in the graph", id=target.node)
    where = _(
        "%(input)s of node %(id)s (%(title)s)",
        input=repr(target.input),
        id=target.node,
        title=node["class_type"],
    )
    if target.input not in node["inputs"]:
        return "unknown_input", _("is bound to %(where)s, which the graph does not have", where=where)
    if is_link(node["inputs"][target.input]) and not target.replaces_link:
        text = _("would cut the link at %(where)s; write replaces_link if that is meant", where=where)
        return "replaces_link", text
    if target.choices is not None and set(target.choices) != set(binding.choices):
        text = _("translates other choices at %(where)s than the role offers", where=where)
        return "choices_differ", text
    return None


def _shared_targets(manifest: Manifest) -> Iterator[Problem]:
    owner: dict[tuple[str, str], str] = {}
    for binding in manifest.bindings.values():
        for target in binding.targets:
            first = owner.setdefault((target.node, target.input), binding.role)
            if first != binding.role:
                text = _(
                    "Roles %(first)s and %(second)s both write %(input)s of node %(id)s.",
                    first=repr(first),
                    second=repr(binding.role),
                    input=repr(target.input),
                    id=target.node,
                )
                yield Problem(target.node, target.input, "shared_target", text)


def _golden_problems(manifest: Manifest) -> Iterator[Problem]:
    for role, value in manifest.golden.items():
        binding = manifest.bindings.get(role)
        if binding is None or binding.type == "file" or role == "filename_prefix":
            text = _("The golden value for %(role)s belongs to no binding.", role=repr(role))
            yield _of_manifest("golden_value", text)
            continue
        try:
            checked(binding, value, manifest)
        except WorkflowError as exc:
            text = _("The golden value does not pass its own rule: %(why)s.", why=exc.said)
            yield _of_manifest("golden_value", text)


def _default_problems(manifest: Manifest) -> Iterator[Problem]:
    for role, value in manifest.defaults.items():
        binding = manifest.bindings.get(role)
        if binding is None or role == "filename_prefix":
            text = _("The default for %(role)s belongs to no binding.", role=repr(role))
            yield _of_manifest("unbound_default", text)
            continue
        try:
            checked(binding, value, manifest)
        except WorkflowError as exc:
            text = _("The default does not pass its own rule: %(why)s.", why=exc.said)
            yield _of_manifest("bad_default", text)


def _output_problems(template: Template, object_info: ObjectInfo) -> Iterator[Problem]:
    manifest = template.manifest
    primary = [output.kind for output in manifest.outputs if output.role == "primary"]
    if primary != [manifest.produces]:
        text = _("Exactly one primary output must be %(kind)s.", kind=manifest.produces)
        yield _of_manifest("primary_output", text)
    prefix = manifest.bindings.get("filename_prefix")
    named = {target.node for target in prefix.targets} if prefix else set()
    for output in manifest.outputs:
        node = template.graph.get(output.node)
        if node is None:
            text = _("Output node %(id)s is not in the graph.", id=output.node)
            yield Problem(output.node, None, "unknown_node", text)
            continue
        where = _("Node %(id)s (%(title)s)", id=output.node, title=node["class_type"])
        saves = SAVING.get(node["class_type"])
        if saves is None and not object_info.get(node["class_type"], {}).get("output_node"):
            text = _("%(node)s is named as output but saves nothing.", node=where)
            yield Problem(output.node, None, "not_an_output", text)
        elif saves not in (None, "image" if output.kind == "frames" else output.kind):
            text = _("%(node)s saves %(kind)s, not %(wanted)s.", node=where, kind=saves, wanted=output.kind)
            yield Problem(output.node, None, "output_kind", text)
        if output.node not in named:
            text = _(
                "%(node)s saves files without the role filename_prefix, so attempts would share names.",
                node=where,
            )
            yield Problem(output.node, "filename_prefix", "unnamed_output", text)


def _vram_problems(template: Template) -> Iterator[Problem]:
    manifest = template.manifest
    if manifest.models and not manifest.precisions:
        yield _of_manifest("no_precision", _("A template with models must bind the role precision."))
    for precision in manifest.precisions:
        rows = [row for row in manifest.vram if row.precision == precision]
        if not rows:
            text = _("Precision %(precision)s has no VRAM figure.", precision=repr(precision))
            yield _of_manifest("no_vram", text)
        elif not _covered(template, precision):
            text = _(
                "The default size has no VRAM figure for precision %(precision)s.", precision=repr(precision)
            )
            yield _of_manifest("default_uncovered", text)
        for below, above in pairwise(rows):
            if not (
                below.max_pixels <= above.max_pixels
                and below.max_frames <= above.max_frames
                and below.gb <= above.gb
            ):
                text = _("The VRAM figures of %(precision)s do not ascend.", precision=repr(precision))
                yield _of_manifest("vram_order", text)


def _covered(template: Template, precision: str) -> bool:
    size = {role: int(template.manifest.defaults.get(role, 1)) for role in ("width", "height", "frames")}
    try:
        need_gb(template, precision=precision, **size)
    except NeedUnknown:
        return False
    return True


def _model_problems(template: Template) -> Iterator[Problem]:
    for model in template.manifest.models:
        if model.name not in _names_written(template, model.node, model.input, model.precision):
            text = _(
                "Model %(model)s is not what %(input)s of node %(id)s names.",
                model=repr(model.name),
                input=repr(model.input),
                id=model.node,
            )
            yield Problem(model.node, model.input, "model_differs", text)
    declared = {(model.node, model.input, model.name) for model in template.manifest.models}
    for node_id, node in template.graph.items():
        for name, value in node["inputs"].items():
            if is_model_file(value) and (node_id, name, value) not in declared:
                named = _("Node %(id)s (%(title)s)", id=node_id, title=node["class_type"])
                text = _(
                    "%(node)s needs %(model)s, undeclared in the manifest.", node=named, model=repr(value)
                )
                yield Problem(node_id, name, "undeclared_model", text)


def _names_written(template: Template, node: str, name: str, precision: str | None) -> list[Any]:
    """What may stand at this input: the graph's own value, or what a precision puts there."""
    binding = template.manifest.bindings.get("precision")
    for target in binding.targets if binding else ():
        if (target.node, target.input) == (node, name) and target.choices is not None:
            return [target.choices.get(precision)] if precision else []
    return [template.graph.get(node, {}).get("inputs", {}).get(name)]


def _file_problems(template: Template, object_info: ObjectInfo) -> Iterator[Problem]:
    files = {
        (target.node, target.input)
        for binding in template.manifest.bindings.values()
        if binding.type == "file"
        for target in binding.targets
    }
    takers = _takers(template.graph)
    for node_id, node in template.graph.items():
        name = FILE_LOADERS.get(node["class_type"])
        if not name or is_link(node["inputs"].get(name)) or (node_id, name) in files:
            continue
        if _is_read(template.graph, takers, node_id, object_info):
            named = _("Node %(id)s (%(title)s)", id=node_id, title=node["class_type"])
            text = _("%(node)s reads a file that no role brings to the node.", node=named)
            yield Problem(node_id, name, "unbound_file", text)


def _is_read(graph: Graph, takers: Mapping[str, list[str]], loader: str, object_info: ObjectInfo) -> bool:
    """False if a server never runs a loader: no output node needs it. Without a catalogue nobody knows."""
    reached = {loader}
    waiting = [loader]
    while waiting:
        node = waiting.pop()
        known = object_info.get(graph[node]["class_type"])
        if known is None or known.get("output_node"):
            return True
        fresh = [taker for taker in takers.get(node, ()) if taker not in reached]
        reached.update(fresh)
        waiting += fresh
    return False


def _takers(graph: Graph) -> dict[str, list[str]]:
    """Node → the nodes that take something of it."""
    takers: dict[str, list[str]] = {}
    for node_id, node in graph.items():
        for origin in filter(None, map(linked_node, node["inputs"].values())):
            takers.setdefault(origin, []).append(node_id)
    return takers


def _kind_problems(manifest: Manifest) -> Iterator[Problem]:
    if (manifest.kind == "slate") != (manifest.slate is not None):
        yield _of_manifest("slate", _("A slate template, and only one, says how its picture is drawn."))
    if manifest.frame_rule is not None and manifest.native_fps is None:
        yield _of_manifest("native_fps", _("A template with a frame rule states native_fps."))
    if manifest.follows is not None:
        followed = manifest.bindings.get(manifest.follows.role)
        if followed is None or followed.type != "file":
            text = _(
                "The clip follows %(role)s, which is no file that this template takes.",
                role=repr(manifest.follows.role),
            )
            yield _of_manifest("follows", text)
        if manifest.frame_rule and (manifest.follows.frames_times, manifest.follows.frames_plus) != (1, 0):
            text = _("A template with a frame rule chooses its length, and follows its source's rate alone.")
            yield _of_manifest("follows", text)
    if manifest.remote is not None and (manifest.vram or manifest.models):
        text = _("A template that a service renders needs neither memory nor model files here.")
        yield _of_manifest("remote", text)


def _of_manifest(code: str, message: Said) -> Problem:
    return Problem(None, None, code, message)

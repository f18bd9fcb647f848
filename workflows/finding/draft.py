"""A manifest document from what was found, for a person to complete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from workflows.catalogue import ObjectInfo
from workflows.convert.saying import fault_of
from workflows.finding.families import family_of, places_of
from workflows.finding.found import Candidate, Found, FoundModel, Why
from workflows.finding.limits import Limits, dim_step, frame_rule, limits_of
from workflows.finding.view import View
from workflows.finding.words import why
from workflows.graph import Graph
from workflows.manifest import MANIFEST_VERSION, MEDIA, Target
from workflows.roles import ROLES

UNKNOWN_FOLDER: Final = "unknown"
UNKNOWN_PRECISION: Final = "default"
NO_DEFAULT: Final = frozenset({"positive", "seed", "filename_prefix", "model"})
"""Roles that the farm or the shot always gives; the graph's own value is an example."""
LARGEST_SEED: Final = 2**53 - 1
GB: Final = 1e9
USUAL_FPS: Final = 24.0


def draft_manifest(
    graph: Graph,
    object_info: ObjectInfo,
    found: Found,
    *,
    slug: str,
    title: Mapping[str, str],
    kind: str | None = None,
    model_bytes: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """Return a manifest document (version 1) that :func:`workflows.parse.parse` reads.

    ``title`` has the keys ``en`` and ``ko``. ``kind`` None: keyframe or clip, by the primary output.
    Defaults are the graph's own values, limits those of the catalogue. Nobody can know from a graph how
    much VRAM it needs: without ``model_bytes`` (file name → size) for all its models there is no VRAM row,
    which parses, but keeps ``check_manifest`` from passing it ("no_vram"); with them there is one row marked
    as an estimate. :func:`open_questions` says what is left for a person.
    """
    view = View(graph, object_info)
    produces = found.outputs[0].kind if found.outputs and found.outputs[0].kind in MEDIA else "image"
    candidates = [one for one in found if one.role in ROLES and one.role != "model" and _can_be_named(one)]
    if not any(one.role == "frames" for one in candidates):
        candidates = [one for one in candidates if one.role != "fps" or produces == "video"]
    prefix = found.candidate("filename_prefix")
    named = {target.node for target in prefix.targets} if prefix else set()
    limits = {one.role: limits_of(view, one) for one in candidates}
    base_model = family_of(found)
    document: dict[str, Any] = {
        "manifest": MANIFEST_VERSION,
        "slug": slug,
        "version": 1,
        "title": {"en": title["en"], "ko": title["ko"]},
        "description": _description(graph),
        "kind": kind or ("clip" if produces == "video" else "keyframe"),
        "produces": produces,
        "bindings": {one.role: _binding(one, limits[one.role]) for one in candidates},
        "dim_step": dim_step(candidates, limits),
        "outputs": [
            {"node": output.node, "kind": output.kind, "role": output.role}
            for output in found.outputs
            if output.kind in MEDIA and output.node in named and output.node
        ],
        "vram": [],
        "models": [_model(model) for model in found.models if model.node and model.input],
        "timeouts": {"execution_s": 3600 if produces == "video" else 900, "hang_s": 300},
    }
    if base_model:
        document["base_model"] = base_model
    _add_frames(document, found, limits)
    _add_precision(document, found)
    _add_facts(document, view, found)
    document["defaults"] = _defaults(document, candidates)
    if base_model and "positive" in document["bindings"] and found.loras:
        fitting = places_of(found, base_model)
        document["loras"] = [_place(place.model, place.clip, place.expert) for place in fitting]
    if model_bytes is not None:
        document["vram"] = _estimate(document, found, model_bytes)
    return document


def open_questions(document: Mapping[str, Any]) -> list[str]:
    """Return what a person must still fill in or confirm before the manifest can be used, a sentence each."""
    return [str(question) for question in questions(document)]


def questions(document: Mapping[str, Any]) -> list[Why]:
    """Like :func:`open_questions`, to be said in another language."""
    models, rows = document.get("models", ()), document.get("vram", ())
    asked = [
        ("ask_vram", bool(models and not rows)),
        ("ask_estimate", any(row.get("source_kind") == "estimate" for row in rows)),
        ("ask_family", bool(models and not document.get("base_model"))),
        ("ask_longest", bool(document.get("frame_rule"))),
        ("ask_follows", bool(document.get("follows"))),
        ("ask_key", bool(document.get("remote"))),
        ("ask_output", not document.get("outputs")),
    ]
    found = [why(code) for code, open_ in asked if open_]
    homeless = [str(model.get("name")) for model in models if model.get("folder") == UNKNOWN_FOLDER]
    return [*found, *(why("ask_folder", model=name) for name in homeless)]


def _can_be_named(candidate: Candidate) -> bool:
    """A manifest cannot name a node or an input whose name is empty."""
    return all(target.node and target.input for target in candidate.targets)


def _description(graph: Graph) -> dict[str, str]:
    return {
        "en": f"Drafted from a graph of {len(graph)} nodes; say here what it is for.",
        "ko": f"노드 {len(graph)}개의 그래프에서 만든 초안입니다. 용도를 적어 주세요.",
    }


def _binding(candidate: Candidate, limits: Limits) -> dict[str, Any]:
    binding: dict[str, Any] = {"type": ROLES[candidate.role]}
    if candidate.role == "seed":
        limits = Limits(0, min(limits.maximum or LARGEST_SEED, LARGEST_SEED), limits.step)
    if binding["type"] in ("int", "float") and candidate.role != "frames":
        if limits.minimum is not None:
            binding["min"] = limits.minimum
        if limits.maximum is not None:
            binding["max"] = limits.maximum
    if candidate.role in ("width", "height"):
        binding["unit"] = "px"
    elif candidate.role in ("frames", "fps"):
        binding["unit"] = candidate.role
    if not candidate.sure:
        binding["note"] = candidate.why
    binding["targets"] = [_target(target) for target in candidate.targets]
    return binding


def _target(target: Target) -> dict[str, Any]:
    row: dict[str, Any] = {"node": target.node, "input": target.input}
    if target.times != 1:
        row["times"] = target.times
    if target.replaces_link:
        row["replaces_link"] = True
    return row


def _add_frames(document: dict[str, Any], found: Found, limits: Mapping[str, Limits]) -> None:
    frames, fps = found.candidate("frames"), found.candidate("fps")
    if frames is None or "frames" not in document["bindings"]:
        return
    document["frame_rule"] = frame_rule(frames, limits["frames"])
    rate = _as("float", fps.value) if fps else None
    document["native_fps"] = rate if rate and rate > 0 else USUAL_FPS


def _add_precision(document: dict[str, Any], found: Found) -> None:
    """A graph with models has one precision: what the files say, without writing it anywhere."""
    if not document["models"]:
        return
    sources = {place.model[0] for place in found.loras}
    said = [model.precision for model in found.models if model.node in sources and model.precision]
    said += [model.precision for model in found.models if model.precision and not said]
    precision = said[0] if said else UNKNOWN_PRECISION
    document["bindings"]["precision"] = {"type": "choice", "choices": [precision], "targets": []}


def _add_facts(document: dict[str, Any], view: View, found: Found) -> None:
    """What else the graph itself says: if negative text counts, whose service renders, what it follows."""
    cfg = found.candidate("cfg")
    if "negative" in document["bindings"] and cfg and isinstance(cfg.value, int | float):
        document["negative_effect"] = cfg.value > 1
    services = sorted({service for node in view.graph if (service := _service(view, node))})
    if services and not found.models:
        document["remote"] = {"service": ", ".join(services), "key": "comfy.org"}
    if "video" in document["bindings"] and document["produces"] == "video" and not found.samplers:
        document["follows"] = {"role": "video"}


def _service(view: View, node: str) -> str:
    """The service that an API node calls: the last part of its category, "api node/video/Kling"."""
    info = view.info(node)
    return str(info.get("category", "")).rsplit("/", 1)[-1] if info.get("api_node") else ""


def _defaults(document: Mapping[str, Any], candidates: list[Candidate]) -> dict[str, Any]:
    defaults: dict[str, Any] = {}
    for one in candidates:
        kind, binding = ROLES[one.role], document["bindings"][one.role]
        if one.role in NO_DEFAULT or kind == "file":
            continue
        value = _as(kind, one.value)
        if value is not None and _within(binding, value) and _legal_frames(document, one.role, value):
            defaults[one.role] = value
    if "precision" in document["bindings"]:
        defaults["precision"] = document["bindings"]["precision"]["choices"][0]
    return defaults


def _as(kind: str, value: object) -> Any:
    """The graph's own value as a default of this type; None if it cannot be one."""
    if fault_of(value) is not None or isinstance(value, bool):
        return None
    match kind, value:
        case "text", str():
            return value
        case "int", int() | float() if value == int(value):
            return int(value)
        case "float", int() | float():
            return float(value)
    return None


def _within(binding: Mapping[str, Any], value: Any) -> bool:
    if isinstance(value, str):
        return True
    return bool(binding.get("min", value) <= value <= binding.get("max", value))


def _legal_frames(document: Mapping[str, Any], role: str, value: Any) -> bool:
    if role != "frames":
        return True
    rule = document["frame_rule"]
    return bool(rule["min"] <= value <= rule["max"] and (value - rule["plus"]) % rule["multiple"] == 0)


def _model(model: FoundModel) -> dict[str, Any]:
    return {
        "folder": model.folder or UNKNOWN_FOLDER,
        "name": model.name,
        "node": model.node,
        "input": model.input,
    }


def _place(model: tuple[str, int], clip: tuple[str, int] | None, expert: str) -> dict[str, Any]:
    row: dict[str, Any] = {"model": list(model)}
    if clip:
        row["clip"] = list(clip)
    if expert:
        row["expert"] = expert
    return row


def _estimate(
    document: Mapping[str, Any], found: Found, model_bytes: Mapping[str, int]
) -> list[dict[str, Any]]:
    """One row from the files' sizes: all of them at once, and a fifth more to work in."""
    names = {model.name for model in found.models}
    if not document["models"] or not names or not names <= model_bytes.keys():
        return []
    weights = sum(model_bytes[name] for name in names) / GB
    defaults = document["defaults"]
    return [
        {
            "precision": defaults["precision"],
            "max_pixels": defaults.get("width", 1024) * defaults.get("height", 1024),
            "max_frames": document.get("frame_rule", {}).get("max", 1),
            "gb": round(weights * 1.2, 1),
            "evidence": f"{len(names)} model files of {weights:.1f} GB together, and a fifth more",
            "source": "sizes of the model files",
            "source_kind": "estimate",
        }
    ]

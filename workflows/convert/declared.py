"""What inputs a class has for ComfyUI's client: those of the catalogue, in its order, and its own.

The client adds some before it registers a class: a button to upload a file, a player, a view in 3D.
They matter because each takes a place among the saved values, and a few are sent along.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

COMBO: Final = "COMBO"
DYNAMIC: Final = "COMFY_DYNAMICCOMBO_V3"
GROWING: Final = "COMFY_AUTOGROW_V3"
MATCHED: Final = "COMFY_MATCHTYPE_V3"

PLAYERS: Final = frozenset(
    {"LoadAudio", "SaveAudio", "PreviewAudio", "SaveAudioMP3", "SaveAudioOpus", "SaveAudioAdvanced"}
)
VIEWERS: Final = frozenset({"Preview3D", "SaveGLB"})


@dataclass(frozen=True, slots=True)
class Spec:
    """One declared input. ``options`` are a list's choices; ``facts`` is the rest as declared."""

    name: str
    type: str
    facts: Mapping[str, Any]
    options: list[Any]

    def named(self, name: str) -> Spec:
        return Spec(name, self.type, self.facts, self.options)

    def typed(self, kind: str) -> Spec:
        return Spec(self.name, kind, self.facts, self.options)

    @property
    def widget_type(self) -> str | None:
        """The type whose widget stands for this input; None where only a link can."""
        if self.facts.get("forceInput"):
            return None
        wanted = self.facts.get("widgetType")
        return wanted if isinstance(wanted, str) else self.type


def specs_of(class_name: str, node_class: Mapping[str, Any]) -> list[Spec]:
    """Return the inputs of a class in the order in which the client makes them."""
    declared = node_class.get("input")
    declared = declared if isinstance(declared, Mapping) else {}
    required = dict(_section(declared, "required"))
    required.update(_added(class_name, required))
    optional = dict(_section(declared, "optional"))
    all_inputs = {**required, **optional}
    order = node_class.get("input_order")
    names: list[str] = []
    if isinstance(order, Mapping):
        names += [name for name in _names(order.get("required")) if name in required and name not in optional]
        names += [name for name in _names(order.get("optional")) if name in optional]
    ordered = dict.fromkeys([*names, *all_inputs])
    return [spec_of(name, all_inputs[name]) for name in ordered]


def spec_of(name: str, declared: object) -> Spec:
    """Read one declaration, such as ``["INT", {"default": 20}]`` or ``[["a", "b"]]``."""
    row = declared if isinstance(declared, list) else [declared]
    facts = row[1] if len(row) > 1 and isinstance(row[1], Mapping) else {}
    match row[0] if row else None:
        case list() as options:
            return Spec(name, COMBO, facts, options)
        case str() as kind if kind == COMBO:
            listed = facts.get("options")
            return Spec(name, kind, facts, listed if isinstance(listed, list) else [])
        case str() as kind:
            return Spec(name, kind, facts, [])
        case _:
            return Spec(name, "UNKNOWN", facts, [])


def inner_specs(inputs: object, prefix: str = "") -> Iterator[Spec]:
    """The inputs that a choice or a growing list brings along, required ones first."""
    if isinstance(inputs, Mapping):
        for section in ("required", "optional"):
            for name, declared in _section(inputs, section).items():
                yield spec_of(prefix + name, declared)


def _names(value: object) -> list[str]:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []


def _section(inputs: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = inputs.get(name)
    return section if isinstance(section, Mapping) else {}


def _added(class_name: str, required: Mapping[str, Any]) -> dict[str, Any]:
    added: dict[str, Any] = {}
    if class_name in PLAYERS:
        added["audioUI"] = ["AUDIO_UI", {}]
    if "audio" in required and spec_of("audio", required["audio"]).facts.get("audio_upload") is True:
        added["upload"] = ["AUDIOUPLOAD", {}]
    if any(_takes_pictures(spec_of(name, declared)) for name, declared in required.items()):
        added["upload"] = ["IMAGEUPLOAD", {}]
    if class_name in VIEWERS:
        added["image"] = ["PREVIEW_3D"]
    if class_name == "Load3DAdvanced":
        added["viewport_state"] = ["LOAD_3D_ADVANCED", {}]
    return added


def _takes_pictures(spec: Spec) -> bool:
    flags = ("image_upload", "video_upload", "animated_image_upload")
    return spec.type == COMBO and any(spec.facts.get(flag) is True for flag in flags)

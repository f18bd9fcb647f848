"""Which widgets stand for an input of each type, and what they hold when nobody has touched them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from workflows.convert.declared import COMBO, DYNAMIC, Spec
from workflows.convert.saying import fault_of


class Unset:
    """The value of a widget that has none; it is not sent."""


UNSET: Final = Unset()

SCENE: Final = "SCENE"
"""Kind of the view in 3D that the client renders when a graph is queued."""
TEXT: Final = "TEXT"
"""Kind of a text with an editor, which is never null."""
OPTION: Final = "OPTION"
"""Kind of one choice of a custom combo, which its user writes."""
CHOSEN: Final = "CHOSEN"
"""Kind of the number of a custom combo's choice, counted when it is sent."""


@dataclass(slots=True, eq=False)
class Widget:
    """One widget. ``saved``: it has a place among the saved values; ``sent``: it is an input of the graph."""

    name: str
    kind: str
    value: Any = UNSET
    saved: bool = True
    sent: bool = True
    fixed: bool = False
    spec: Spec | None = None

    def twin(self) -> Widget:
        return Widget(self.name, self.kind, self.value, self.saved, self.sent, self.fixed, self.spec)

    def restored(self, value: Any) -> Any:
        """What this widget makes of a value it is given."""
        if self.fixed:
            return self.value
        return "" if value is None and self.kind in {TEXT, "MARKDOWN"} else value


def widgets_of_unknown(values: list[Any] | dict[str, Any]) -> list[Widget]:
    """What stands for the values of a class that nobody knows: the client calls them all by one name.

    So the last is sent; a list or an object as its text.
    """
    if isinstance(values, dict) or not values:
        return []
    last = values[-1]
    if (last is None or isinstance(last, list | dict)) and fault_of(last) is None:
        last = json.dumps(last, ensure_ascii=False, separators=(",", ":"))
    return [Widget("UNKNOWN", "UNKNOWN", last)]


def default_of(spec: Spec, otherwise: Any) -> Any:
    """The declared default, or ``otherwise``."""
    value = spec.facts.get("default")
    return otherwise if value is None else _as_browsers_write(value)


def _as_browsers_write(value: Any) -> Any:
    """A browser knows no 1.0: what it reads from a catalogue it writes as 1."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case list():
            return [_as_browsers_write(inner) for inner in value]
        case dict():
            return {key: _as_browsers_write(inner) for key, inner in value.items()}
        case _:
            return value


def _plain(otherwise: Any) -> Callable[[Spec], list[Widget]]:
    return lambda spec: [Widget(spec.name, spec.type, default_of(spec, otherwise), spec=spec)]


def _integer(spec: Spec) -> list[Widget]:
    flag = spec.facts.get("control_after_generate")
    controlled = spec.name in {"seed", "noise_seed"} if flag is None else bool(flag)
    return [
        Widget(spec.name, "INT", default_of(spec, 0), spec=spec),
        *([_control(spec)] if controlled else []),
    ]


def _number(spec: Spec) -> list[Widget]:
    controlled = bool(spec.facts.get("control_after_generate"))
    return [
        Widget(spec.name, "FLOAT", default_of(spec, 0), spec=spec),
        *([_control(spec)] if controlled else []),
    ]


def _text(spec: Spec) -> list[Widget]:
    kind = TEXT if spec.facts.get("multiline") else "STRING"
    return [Widget(spec.name, kind, default_of(spec, ""), spec=spec)]


def _combo(spec: Spec) -> list[Widget]:
    remote = spec.facts.get("remote")
    first: Any = spec.options[0] if spec.options else "Loading..." if remote else UNSET
    many = bool(spec.facts.get("multi_select"))
    made = [Widget(spec.name, COMBO, [] if many else spec.facts.get("default") or first, spec=spec)]
    if remote and not many:
        made.append(_unsent("Auto-refresh after generation"))
        if isinstance(remote, dict) and remote.get("refresh_button"):
            made.append(Widget("refresh", "BUTTON", "refresh"))
    if spec.facts.get("control_after_generate"):
        made += [_control(spec), _unsent("control_filter_list")]
    return made


def _dynamic(spec: Spec) -> list[Widget]:
    options = spec.facts.get("options")
    keys = [row.get("key") for row in options if isinstance(row, dict)] if isinstance(options, list) else []
    return [Widget(spec.name, DYNAMIC, keys[0] if keys else UNSET, spec=spec)]


def _box(spec: Spec) -> list[Widget]:
    box = default_of(spec, {"x": 0, "y": 0, "width": 512, "height": 512})
    return [
        Widget(spec.name, spec.type, box, spec=spec),
        *(_unsent(side) for side in ("x", "y", "width", "height")),
    ]


def _curve(spec: Spec) -> list[Widget]:
    straight = {"points": [[0, 0], [1, 1]], "interpolation": "monotone_cubic"}
    return [Widget(spec.name, "CURVE", default_of(spec, straight), spec=spec)]


def _color(spec: Spec) -> list[Widget]:
    options = spec.facts.get("options")
    inner = options.get("default") if isinstance(options, dict) else None
    return [Widget(spec.name, "COLOR", default_of(spec, inner or "#000000"), spec=spec)]


def _from_options(key: str, otherwise: Any) -> Callable[[Spec], list[Widget]]:
    def made(spec: Spec) -> list[Widget]:
        options = spec.facts.get("options")
        value = options.get(key) if isinstance(options, dict) else None
        return [Widget(spec.name, spec.type, value or otherwise, spec=spec)]

    return made


def _compared(spec: Spec) -> list[Widget]:
    return [Widget(spec.name, spec.type, ["", ""], saved=False, spec=spec)]


def _viewer(spec: Spec) -> list[Widget]:
    return [Widget("image", spec.type, "", fixed=True)]


def _scene(spec: Spec) -> list[Widget]:
    return [Widget(spec.name, SCENE, "", fixed=True)]


def _recorder(spec: Spec) -> list[Widget]:
    return [Widget(spec.name, spec.type, "", fixed=True), _unsent(spec.name)]


def _camera(spec: Spec) -> list[Widget]:
    return [Widget(spec.name, spec.type, "", fixed=True)]


def _player(spec: Spec) -> list[Widget]:
    return [Widget(spec.name, spec.type, saved=False, sent=False)]


def _upload(spec: Spec) -> list[Widget]:
    return [_unsent(spec.name)]


def _control(spec: Spec) -> Widget:
    prefix = spec.facts.get("control_prefix")
    return _unsent(f"{prefix} control_after_generate" if prefix else "control_after_generate")


def _unsent(name: str) -> Widget:
    return Widget(name, "CONTROL", sent=False)


MAKERS: Final[dict[str, Callable[[Spec], list[Widget]]]] = {
    "INT": _integer,
    "FLOAT": _number,
    "BOOLEAN": _plain(False),
    "STRING": _text,
    "MARKDOWN": _plain(""),
    COMBO: _combo,
    "IMAGEUPLOAD": _upload,
    "COLOR": _color,
    "IMAGECOMPARE": _compared,
    "BOUNDING_BOX": _box,
    "CHART": _from_options("data", {}),
    "GALLERIA": _from_options("images", []),
    "PAINTER": _plain(""),
    "TEXTAREA": _from_options("default", ""),
    "CURVE": _curve,
    "RANGE": _plain({"min": 0.0, "max": 1.0}),
    "BOUNDING_BOXES": _plain([]),
    "COLORS": _plain([]),
    DYNAMIC: _dynamic,
    "AUDIO_UI": _player,
    "AUDIOUPLOAD": _upload,
    "AUDIO_RECORD": _recorder,
    "WEBCAM": _camera,
    "LOAD_3D": _scene,
    "LOAD_3D_ADVANCED": _scene,
    "PREVIEW_3D": _viewer,
}
"""Type → the widgets made for an input of it, in order; the first is the input's own."""

OWN_TYPES: Final = frozenset(MAKERS) - {
    "AUDIO_UI", "AUDIOUPLOAD", "AUDIO_RECORD", "WEBCAM", "LOAD_3D", "LOAD_3D_ADVANCED", "PREVIEW_3D",
}  # fmt: skip
"""The types a primitive can stand in for without a widget at its other end."""


def widgets_for(spec: Spec, class_name: str, before: list[Widget]) -> list[Widget]:
    """Return the widgets of one input. Raises KeyError for a type that has none."""
    made = MAKERS[spec.widget_type or ""](spec)
    if spec.widget_type != "LOAD_3D":
        return made
    made[0].name = "viewport_state" if class_name in VIEWPORTS else "image"
    if any(widget.name == "model_file" for widget in before):
        made[:0] = [Widget(name, "BUTTON", value) for name, value in SCENE_BUTTONS]
    return made


VIEWPORTS: Final = frozenset({"Preview3DAdvanced", "PreviewGaussianSplat", "PreviewPointCloud"})
SCENE_BUTTONS: Final = (
    ("upload 3d model", "upload3dmodel"),
    ("upload extra resources", "uploadExtraResources"),
    ("clear", "clear"),
)

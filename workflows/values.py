"""Judge one value for one role, and write it in the form its input takes."""

from __future__ import annotations

import math
import re
from typing import Final

from workflows.errors import ValueRefused
from workflows.manifest import Binding, Manifest, Target, Value
from workflows.wording import Said
from workflows.wording import said as _

LARGEST: Final = 1e300
"""No number of a render is as large; JSON may hold some that no float does."""
_COLOR: Final = re.compile(r"#[0-9a-fA-F]{6}")
_PREFIX: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")


def checked(binding: Binding, value: object, manifest: Manifest) -> Value:
    """Return ``value`` as the role's type, or raise :class:`ValueRefused` saying what would be right."""
    accepted = _of_type(binding, value)
    if isinstance(accepted, str):
        return accepted
    _in_range(binding, accepted)
    if binding.role in ("width", "height"):
        _on_grid(binding.role, int(accepted), manifest.dim_step)
    if binding.role == "frames":
        check_frames(manifest, int(accepted))
    return accepted


def check_frames(manifest: Manifest, frames: int) -> None:
    """Raise :class:`ValueRefused` if the template cannot make exactly this many frames."""
    rule = manifest.frame_rule
    if rule is None:
        if frames != 1:
            raise ValueRefused(
                "frames", frames, problem=_("is not one picture"), remedy=_("leave frames out")
            )
    elif frames > rule.maximum or rule.next_legal(frames) != frames:
        nearest = min(rule.next_legal(frames), rule.maximum)
        raise ValueRefused(
            "frames",
            frames,
            problem=_("breaks the rule %(rule)s", rule=str(rule)),
            remedy=_("try %(frames)s", frames=nearest),
        )


def check_prefix(prefix: object) -> str:
    """Return a filename prefix that stays inside the output folder on every server.

    ComfyUI expands ``%…%`` and splits at slashes, so only plain names joined by single slashes pass.
    """
    if not isinstance(prefix, str) or not _PREFIX.fullmatch(prefix) or ".." in prefix:
        raise ValueRefused(
            "filename_prefix",
            prefix,
            problem=_("is not a plain relative name"),
            remedy=_("use letters, digits, '_', '-' and '.', folders joined by '/', no '..'"),
        )
    return prefix


def written(target: Target, binding: Binding, value: Value) -> Value:
    """Return what stands in the graph for ``value``. The value must have passed :func:`checked`."""
    match binding.type:
        case "choice":
            return target.choices[str(value)] if target.choices is not None else value
        case "color":
            return int(str(value)[1:], 16)
        case "int":
            # seeds are larger than a float can hold, so untouched numbers stay untouched
            plain = target.times == 1 and target.plus == 0
            return value if plain else math.floor(float(value) * target.times + target.plus)
        case "float":
            return float(value) * target.times + target.plus
        case _:
            return value


def _of_type(binding: Binding, value: object) -> Value:
    match binding.type:
        case "int" if isinstance(value, int) and not isinstance(value, bool):
            return value
        case "float" if isinstance(value, int | float) and not isinstance(value, bool):
            return math.inf if isinstance(value, int) and abs(value) > LARGEST else float(value)
        case "color" if isinstance(value, str) and _COLOR.fullmatch(value):
            return value.lower()
        case "choice" if isinstance(value, str) and value in binding.choices:
            return value
        case "text" | "file" if isinstance(value, str) and "\0" not in value and _said(binding, value):
            return value
        case _:
            raise ValueRefused(
                binding.role,
                value,
                problem=_("is not a %(type)s", type=binding.type),
                remedy=_wanted(binding),
            )


def _said(binding: Binding, text: str) -> bool:
    """A negative prompt may be empty; nothing else that is text may."""
    return binding.role == "negative" or bool(text.strip())


def _wanted(binding: Binding) -> Said:
    return {
        "int": _within(_("give a whole number"), binding),
        "float": _within(_("give a number"), binding),
        "color": _("give a colour as #rrggbb"),
        "choice": _("choose one of %(choices)s", choices=", ".join(binding.choices)),
        "text": _("give a text that is not empty"),
        "file": _("name the file to upload"),
    }[binding.type]


def _in_range(binding: Binding, number: float) -> None:
    # not-a-number compares false with everything, and a whole number may be too long for math.isnan
    low, high = binding.minimum, binding.maximum
    wrong = not abs(number) < LARGEST
    if wrong or (low is not None and number < low) or (high is not None and number > high):
        raise ValueRefused(binding.role, number, problem=_("is out of range"), remedy=_wanted(binding))


def _within(told: Said, binding: Binding) -> Said:
    if binding.minimum is not None and binding.maximum is not None:
        high = f"{_plain(binding.maximum)} {binding.unit or ''}".strip()
        low = _plain(binding.minimum)
        return _("%(sentence)s from %(low)s to %(high)s", sentence=told, low=low, high=high)
    return _("%(sentence)s of %(unit)s", sentence=told, unit=binding.unit) if binding.unit else told


def _plain(number: float) -> str:
    return f"{number:.0f}" if number == int(number) else f"{number:g}"


def _on_grid(role: str, size: int, step: int) -> None:
    if size % step:
        below = size - size % step
        raise ValueRefused(
            role,
            size,
            problem=_("is not a multiple of %(step)s", step=step),
            remedy=_("use %(below)s or %(above)s", below=below, above=below + step),
        )

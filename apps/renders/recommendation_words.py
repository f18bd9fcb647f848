"""A recommendation in sentences: which words and facts spoke for a template, and what stands in its way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from apps.workflows.saidwords import in_words
from workflows.wording import said_from

CONDITIONS: Final = {
    "min_characters": gettext_lazy("enough characters"),
    "max_characters": gettext_lazy("few or no characters"),
    "min_seconds": gettext_lazy("long enough"),
    "max_seconds": gettext_lazy("short enough"),
    "keyframe": gettext_lazy("has a keyframe"),
    "no_keyframe": gettext_lazy("no keyframe yet"),
    "previous_clip": gettext_lazy("the shot before it has a clip"),
    "no_previous_clip": gettext_lazy("the shot before it has no clip"),
    "dialogue": gettext_lazy("has dialogue"),
    "no_dialogue": gettext_lazy("no dialogue"),
    "camera_moves": gettext_lazy("the camera moves"),
}
"""What a rule asked for beside words."""

_OBSTACLES: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "not_there": lambda told: _("There is no template %(template)s here.") % told,
    "not_offered": lambda told: _("The template %(template)s is not offered now.") % told,
    "no_node": lambda _told: _("No node serves now."),
    "asleep": lambda _told: _("Only nodes that do not serve now have what it needs."),
    "memory": lambda told: (
        _("It needs %(need)g GB on one card; the largest that serves now has %(largest)s GB.") % told
    ),
    "older_worker": lambda _told: _(
        "The workers of the nodes that have all it takes are too old; update them."
    ),
    "missing": lambda told: _("No node has %(files)s.") % {"files": _some(told["files"], told["more"])},
    "file": lambda told: (
        _("It asks for a file for its input “%(input)s”: put one on the shot, name one, or render it first.")
        % told
    ),
    "refused": lambda told: (
        _("It refuses this shot: %(field)s %(value)s %(why)s; %(do)s.")
        % {**told, "why": _said(told["why"]), "do": _said(told["do"])}
    ),
}


def reasons_in_words(choice: Mapping[str, Any]) -> list[str]:
    """Say for each rule that speaks for a template why it does, and which words made it speak."""
    return [_reason(held) for held in choice["reasons"]]


def obstacles_in_words(choice: Mapping[str, Any]) -> list[str]:
    """Say what stands in a template's way now."""
    return [_OBSTACLES[one["code"]](one["params"]) for one in choice["obstacles"]]


def denied_in_words(denied: list[dict[str, str]]) -> str:
    """Say which words were read and left out, because the text says that it does not happen."""
    if not denied:
        return ""
    return _("Left out, because the text denies it: %s.") % ", ".join(f"“{word['text']}”" for word in denied)


def _reason(held: Mapping[str, Any]) -> str:
    words = "; ".join(_word(word) for word in held["words"])
    asked = ", ".join(str(CONDITIONS.get(name, name)) for name in held["conditions"])
    told = _spoken(held, "reason").rstrip(".")
    because = "; ".join(part for part in (words, asked) if part)
    return f"{told} ({because})." if because else f"{told}."


def _word(word: Mapping[str, str]) -> str:
    if word["where"] == "action":
        return _("“%(text)s” in the action of %(who)s") % {"text": word["text"], "who": word["who"]}
    return _("“%(text)s” in the description") % {"text": word["text"]}


def _spoken(held: Mapping[str, Any], field: str) -> str:
    korean = (get_language() or "en").startswith("ko")
    return str(held.get(f"{field}_ko" if korean else field) or held[field])


def _said(kept: Any) -> str:
    return in_words(said_from(kept) or str(kept))


def _some(names: list[str], more: int) -> str:
    listed = ", ".join(names)
    return _("%(names)s and %(more)d more") % {"names": listed, "more": more} if more else listed

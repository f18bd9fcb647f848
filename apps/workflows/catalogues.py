"""Node catalogues to convert and check with: the recorded one that ships, and those of registered nodes."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from django.utils.translation import gettext as _

from apps.common.errors import Problem, Refused
from workflows.catalogue import ObjectInfo, read
from workflows.load import LIBRARY

RECORDED: Final = "ComfyUI 0.27.0"
_FILE: Final = LIBRARY / "data" / "object_info-0.27.0.json.gz"


def names() -> list[str]:
    """Name the catalogues there are, the one to begin with first."""
    return [RECORDED]


def catalogue(name: str) -> ObjectInfo:
    """Return a catalogue by its name. Raises Refused, naming those there are."""
    if name != RECORDED:
        told = _("no such node catalogue; there are: %s") % ", ".join(names())
        raise Refused(Problem("catalogue", name, told, code="unknown_catalogue"))
    return _recorded()


def catalogue_or_recorded(name: str) -> ObjectInfo:
    """Return a catalogue by its name, or the recorded one if that is gone with its node."""
    return catalogue(name if name in names() else RECORDED)


@lru_cache(maxsize=1)
def _recorded() -> ObjectInfo:
    return read(_FILE)

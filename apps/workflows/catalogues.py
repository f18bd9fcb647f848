"""Node catalogues to convert and check with: the recorded one that ships, and those of registered nodes."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _

from apps.common.errors import Problem, Refused
from apps.nodes.selectors import catalogue_of, known_capabilities
from workflows.catalogue import ObjectInfo, recorded

RECORDED: Final = "ComfyUI 0.27.0"
"""What the recorded catalogue is called; no node is."""
OFFERED: Final = 200


def names() -> list[str]:
    """Name the catalogues there are, the one to begin with first: the recorded one, then nodes by name."""
    nodes = known_capabilities().order_by("name").values_list("name", flat=True)
    return [RECORDED, *nodes[:OFFERED]]


def catalogue(name: str) -> ObjectInfo:
    """Return a catalogue by its name. Raises Refused, naming those there are."""
    if name == RECORDED:
        return recorded()
    node = known_capabilities().filter(name=name).only("name", "catalogue").first()
    if node is None:
        told = _("no such node catalogue; there are: %s") % ", ".join(names())
        raise Refused(Problem("catalogue", name, told, code="unknown_catalogue"))
    return catalogue_of(node)


def by_node() -> dict[str, ObjectInfo]:
    """Return the catalogues of all nodes whose capabilities are known, by name; equal ones are one object."""
    return {node.name: catalogue_of(node) for node in known_capabilities().only("name", "catalogue")}


def catalogue_or_recorded(name: str) -> ObjectInfo:
    """Return a catalogue by its name, or the recorded one if that is gone with its node."""
    try:
        return catalogue(name)
    except Refused:
        return recorded()

"""Paths as each operating system writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext as _

from apps.common.errors import Problem, Refused

_ROOTS: Final[Mapping[str, tuple[re.Pattern[str], str]]] = {
    "linux": (re.compile(r"/[^\\:*?\"<>|\x00-\x1f]*"), "/mnt/farm"),
    "mac": (re.compile(r"/[^\\:*?\"<>|\x00-\x1f]*"), "/Volumes/farm"),
    "windows": (
        re.compile(r"(?:[A-Za-z]:\\?|\\\\[^\\/:*?\"<>|\x00-\x1f]+)(?:\\?[^\\/:*?\"<>|\x00-\x1f]+)*\\?"),
        "P:\\",
    ),
}
SYSTEMS: Final = tuple(_ROOTS)


def check_root(system: str, root: str) -> None:
    """Raise Refused unless this may be the place of a mount on this system."""
    if system not in _ROOTS:
        raise Refused(
            Problem("system", system, _("choose one of: %s") % ", ".join(SYSTEMS), "unknown_system")
        )
    pattern, example = _ROOTS[system]
    if not pattern.fullmatch(root) or ".." in re.split(r"[\\/]", root):
        told = _("write where this system finds the published files, such as %s") % example
        raise Refused(Problem("root", root, told, code="invalid_root"))


def path_on(system: str, root: str, path: str) -> str:
    """Write a path below a mount: P:\\FROST\\scenes\\…"""
    if system == "windows":
        return f"{root.rstrip(chr(92))}\\{path.replace('/', chr(92))}"
    return f"{root.rstrip('/')}/{path}"

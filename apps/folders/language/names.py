"""Names that Linux, macOS and Windows all take, and that nobody confuses with another.

``why_not`` says in words what is wrong with a name; None means that it is fine.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from workflows.wording import Said
from workflows.wording import said as _

LONGEST_NAME: Final = 80
"""Characters of one name: disks take 255 bytes, and a Korean character is three of them."""
LONGEST_PATH: Final = 200
"""UTF-16 units of a path below the root: with a mount before it, Windows takes no more than 260."""

_RESERVED: Final = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
    | {f"{port}{number}" for port in ("COM", "LPT") for number in "0123456789¹²³"}
)
_FORBIDDEN: Final = re.compile(r'[<>:"|?*\\/]')
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def fold(name: str) -> str:
    """Return what two names share that some disk cannot tell apart: by case, by how accents are written."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def why_not(name: str) -> Said | None:
    """Say why this may not be the name of a folder or file on every system; None if it may."""
    return next(_faults(name), None)


def _faults(name: str) -> Iterator[Said]:
    if name in {"", ".", ".."}:
        yield _("a name may not be empty, “.” or “..”")
        return
    if any(unicodedata.category(letter) in _UNSEEN for letter in name):
        yield _("it holds characters that cannot be seen; type it again")
    if found := _FORBIDDEN.search(name):
        yield _('Windows takes no %(character)s in a name; leave out < > : " | ? * \\ /', character=found[0])
    if name[-1] in ". " or name[0] == " ":
        yield _("it begins with a space, or ends with a dot or a space, which Windows takes away")
    if name.partition(".")[0].rstrip(" ").upper() in _RESERVED:
        yield _("Windows keeps this name for a device (CON, NUL, COM1 …)")
    if len(name) > LONGEST_NAME:
        yield _("it has %(now)d characters; at most %(most)d fit", now=len(name), most=LONGEST_NAME)
    if name != unicodedata.normalize("NFC", name):
        yield _("its accents or Hangul are written as separate characters (NFD); type it again")


def path_why_not(path: str) -> Said | None:
    """Say why this may not be a path below the root: relative, with /, each name fine, not too long."""
    if path.startswith("/") or re.match(r"[A-Za-z]:", path):
        return _("a path begins with a name, not with / or a drive")
    for name in path.split("/"):
        if problem := why_not(name):
            return _("“%(name)s”: %(problem)s", name=name, problem=problem)
    if (units := len(path.encode("utf-16-le")) // 2) > LONGEST_PATH:
        return _("the path has %(now)d characters; at most %(most)d fit", now=units, most=LONGEST_PATH)
    return None

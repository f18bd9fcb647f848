"""Read single values of the prototype's documents: anything may stand anywhere; nothing goes by unsaid."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any, Final

from apps.common.numbering import CODE_LENGTH, is_code
from apps.productions.prototype.reading import Document
from apps.productions.prototype.report import About

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
LONGEST_TEXT: Final = 20_000


def text(record: Document, name: str, about: About, *, most: int = LONGEST_TEXT) -> str:
    """Read a text; "" where there is none."""
    return clean_text(record.get(name), name, about, most=most)


def clean_text(value: Any, name: str, about: About, *, most: int = LONGEST_TEXT) -> str:
    """Make a text of whatever it is, without what no text holds."""
    if value is None:
        return ""
    if isinstance(value, list):
        about.mended(name, value, "a list, joined by commas")
        value = ", ".join(str(one) for one in value if one is not None)
    elif isinstance(value, dict):
        about.dropped(name, value, "an object where a text should be")
        return ""
    written = unicodedata.normalize("NFC", str(value)).replace("\r\n", "\n").replace("\r", "\n")
    bare = _CONTROL.sub("", written).strip()
    if _CONTROL.search(written):
        about.mended(name, value, "characters that no text holds were taken out (NUL or the like)")
    if len(bare) > most:
        about.mended(name, f"{len(bare)} characters", f"cut to {most}")
        bare = bare[:most]
    return bare


def number(record: Document, name: str, about: About) -> float | None:
    """Read a number; None where there is none."""
    value = record.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, bool) and isinstance(value, int | float | str):
        try:
            found = float(value)
        except (ValueError, OverflowError):
            found = math.nan
        if math.isfinite(found):
            return found
    about.dropped(name, value, "no number")
    return None


def words(value: Any, name: str, about: About) -> list[str]:
    """Read a list of words: a list, or a text with commas between; each once, in order."""
    if isinstance(value, str):
        value = re.split(r"[,\n;]", value)
    if value is None:
        return []
    if not isinstance(value, list):
        about.dropped(name, value, "no list of words")
        return []
    cleaned = (clean_text(one, name, about, most=120) for one in value)
    return list(dict.fromkeys(one for one in cleaned if one))


def objects(record: Document, name: str, about: About) -> list[Document]:
    """Read a list of objects."""
    value = record.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        about.dropped(name, value, "no list")
        return []
    for one in value:
        if not isinstance(one, dict):
            about.dropped(name, one, "no object")
    return [one for one in value if isinstance(one, dict)]


def inside(record: Document, name: str, about: About) -> Document:
    """Read an object; an empty one where there is none."""
    value = record.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        about.dropped(name, value, "no object")
        return {}
    return value


class Codes:
    """Codes made of the prototype's ids, each once: ``SHT-00010`` stays, ``shot 1`` becomes SHOT-1.

    ``kept``: the ids to come; none is given to something without an id.
    """

    def __init__(self, taken: Iterable[str] = (), *, kept: Iterable[Any] = ()) -> None:
        self._taken = {code.casefold() for code in taken}
        self._kept = {str(one).casefold() for one in kept if one is not None}

    def of(self, value: Any, fallback: str, about: About) -> str:
        """Return the code for an id; told where it is another."""
        told = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
        letters = unicodedata.normalize("NFKD", told).upper()
        code = re.sub(r"-+", "-", re.sub(r"[^A-Z0-9]+", "-", letters)).strip("-")[:CODE_LENGTH].rstrip("-")
        code = code or fallback
        unique, counted = code, 1
        while not self._free(unique.casefold(), told.casefold()):
            counted += 1
            ending = f"-{counted}"
            unique = f"{code[: CODE_LENGTH - len(ending)].rstrip('-')}{ending}"
        self._taken.add(unique.casefold())
        if not told:
            about.mended("id", value, f"there was none; {unique} was given")
        elif unique != told:
            why = "is there twice" if code == told else "cannot be a code here"
            about.mended("id", told, f"{why}; {unique} was given")
        if not is_code(unique):
            raise AssertionError(unique)
        return unique

    def _free(self, code: str, told: str) -> bool:
        return code not in self._taken and (code == told or code not in self._kept)


def safe_file(value: Any) -> PurePosixPath | None:
    """Read a path below the project's folder; None for what leads out of it or is no path."""
    if not isinstance(value, str) or not value or _CONTROL.search(value):
        return None
    path = PurePosixPath(value.replace("\\", "/"))
    parts = [part for part in path.parts if part not in {"/", "."}]
    if not parts or ".." in parts or parts[0].endswith(":"):
        return None
    return PurePosixPath(*parts)

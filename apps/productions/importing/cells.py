"""What a cell may say: each function makes a reader of one kind of value.

A reader takes what the workbook holds (never None) and returns the value the farm keeps, or raises
Unreadable with a sentence that says what would be right.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from apps.common.errors import Refused
from apps.common.numbering import CODE_RULE, is_code
from apps.productions.importing.reader import tidy
from apps.projects.models import CODE as PROJECT_CODE
from apps.projects.models import TIMECODE
from apps.projects.rates import frame_rate_of

Reader = Callable[[Any], Any]

_YES = frozenset({"yes", "y", "true", "1", "on", "예", "네"})
_NO = frozenset({"no", "n", "false", "0", "off", "아니오", "아니요"})
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]")
"""What no XML holds, and DEL."""
_STARTS: Final = r"=+\-@\t\r\uff1d\uff0b\uff0d\uff20"
"""How formulas begin; some spreadsheets of East Asia run those in full-width letters as well."""
_ESCAPED = re.compile(rf"\A'(?=['{_STARTS}])")
"""Exports put a ' before text that a spreadsheet would run as a formula; here it comes off again."""
_LIVE = re.compile(rf"\A(?:[{_STARTS}]|'['{_STARTS}])")
_QUOTED = re.compile(rf"\A'['{_STARTS}]")
_SHOWN: Final = re.compile(r"\s*'?(\d+)(?:[.,](\d+))?\s*(%?)\s*")
_ROUNDING: Final = 1e-9
"""How far a formula's value may be from the whole number that its spreadsheet shows: 0.1 * 30."""


class Unreadable(ValueError):
    """The cell does not say what its column wants. The message tells what would be right."""


def escaped(written: str, *, typed: bool = False) -> str:
    """Write a text so that no spreadsheet runs it, and text() reads the same again.

    ``typed``: the cell itself says that it holds text (XLSX), so only what would lose its quote needs one.
    """
    return f"'{written}" if (_QUOTED if typed else _LIVE).match(written) else written


def as_cell(written: str) -> str:
    """What a cell can hold of a text: composed, trimmed, its lines ended by LF, without control characters.

    A text that a cell holds like this is the same to an import, whatever of it a spreadsheet cannot keep.
    """
    kept = _CONTROL.sub("", str(tidy(written) or ""))
    return str(tidy(kept) or "")


def text(model: type[models.Model], field: str) -> Reader:
    """Text as the model's field holds it; a number is taken as it is shown."""
    return text_of(getattr(model._meta.get_field(field), "max_length", None))


def text_of(longest: int | None) -> Reader:
    """Text of at most so many characters."""

    def read(value: Any) -> str:
        written = _ESCAPED.sub("", _written(value), count=1) if isinstance(value, str) else _written(value)
        if _CONTROL.search(written):
            raise Unreadable(_("It holds control characters. Type the text again."))
        if longest is not None and len(written) > longest:
            raise Unreadable(
                _("At most %(n)d characters; these are %(now)d.") % {"n": longest, "now": len(written)}
            )
        return written

    return read


def code(value: Any) -> str:
    """Read a code such as SH0040, which becomes a folder's name."""
    written = _narrow(value)
    if not is_code(written):
        raise Unreadable(str(CODE_RULE))
    return written


def slug(value: Any) -> str:
    """A key of small letters, such as film-noir."""
    found = _written(value)
    if not re.fullmatch(r"[-a-zA-Z0-9_]{1,80}", found):
        raise Unreadable(_("Write a key of letters, digits, - and _, such as film-noir."))
    return found


def project_code(value: Any) -> str:
    """Read a project's code: FROST."""
    written = _narrow(value)
    try:
        PROJECT_CODE(written)
    except ValidationError as exc:
        raise Unreadable(exc.message) from exc
    return written


def shot_code(value: Any) -> str:
    """Read a shot's full code: SQ010_SH0040."""
    written = _narrow(value)
    parts = written.split("_")
    if len(parts) != 2 or not all(is_code(part) for part in parts):
        raise Unreadable(_("Write sequence and shot joined by an underscore, such as SQ010_SH0040."))
    return written


def model_file(value: Any) -> str:
    """Read a model's path as ComfyUI lists it, with /; \\ is turned, and nothing may climb out."""
    written = _bare(value).replace("\\", "/")
    if len(written) > 255 or any(part in {"", ".", ".."} for part in written.split("/")):
        raise Unreadable(_("Write the file as ComfyUI lists it, such as characters/gerda_v2.safetensors."))
    return written


def whole(least: int, most: int) -> Reader:
    """Read a whole number within bounds; 48.0 and "48" are 48, 48.5 is refused."""

    def read(value: Any) -> int:
        number = _number(value)
        if number is None or abs(number - round(number)) > _ROUNDING or not least <= round(number) <= most:
            raise Unreadable(
                _("Write a whole number from %(least)d to %(most)d.") % {"least": least, "most": most}
            )
        return round(number)

    return read


def decimal(least: float, most: float) -> Reader:
    """Read a number within bounds; "0,35" and "35%", as CSV from some spreadsheets has them, are 0.35."""

    def read(value: Any) -> float:
        told = _SHOWN.fullmatch(value) if isinstance(value, str) else None
        number = _number(f"{told[1]}.{told[2] or 0}" if told else value)
        if number is not None and told and told[3]:
            number = float(f"{number / 100:.15g}")
        if number is None or not least <= number <= most:
            raise Unreadable(_("Write a number from %(least)g to %(most)g.") % {"least": least, "most": most})
        return number

    return read


def yes_or_no(value: Any) -> bool:
    """Read yes or no, in English or Korean."""
    word = str(value).strip().casefold()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise Unreadable(_("Write yes or no."))


def one_of(choices: Iterable[str], korean: Mapping[str, str] = MappingProxyType({})) -> Reader:
    """Read one of a few words; "Golden hour" is golden_hour. ``korean``: what people write for each there."""
    offered = tuple(choices)

    def read(value: Any) -> str:
        word = "_".join(unicodedata.normalize("NFKC", str(value)).casefold().split())
        chosen = word if word in offered else korean.get(word, "")
        if not chosen:
            raise Unreadable(_("Write one of: %s.") % ", ".join(offered))
        return str(chosen)

    return read


def words(value: Any) -> list[str]:
    """Read a list with commas or line breaks between, in order, each word once. JSON may hold a list."""
    told = value if isinstance(value, list) else re.split(r"[,\n]", _bare(value))
    return list(dict.fromkeys(str(word).strip() for word in told if str(word).strip()))


def rate(value: Any) -> Fraction:
    """Read frames per second: 24, 23.976, 24000/1001."""
    try:
        return frame_rate_of(value if isinstance(value, int | float) else _bare(value))
    except Refused as exc:
        raise Unreadable(str(exc.problems[0].message)) from exc


def timecode(value: Any) -> str:
    """Read hours, minutes, seconds and frames: 01:00:00:00."""
    written = _bare(value)
    try:
        TIMECODE(written)
    except ValidationError as exc:
        raise Unreadable(str(exc.message)) from exc
    return written


def checksum(value: Any) -> str:
    """Read a SHA-256 as sha256sum prints it."""
    written = _bare(value).lower()
    if not re.fullmatch(r"[0-9a-f]{64}", written):
        raise Unreadable(_("Write 64 of 0-9 and a-f, as sha256sum prints them."))
    return written


def anything(value: Any) -> Any:
    """Take what stands there; for columns that are told and never written."""
    return value


def _written(value: Any) -> str:
    if isinstance(value, bool):
        raise Unreadable(_("The spreadsheet made this TRUE or FALSE. Format the cell as text."))
    if isinstance(value, date | datetime | time | timedelta):
        raise Unreadable(_("The spreadsheet made this a date or a time. Format the cell as text."))
    if isinstance(value, list | dict):
        raise Unreadable(_("Write a text or a number, no list and no object."))
    if isinstance(value, float):
        return f"{value:.15g}"  # as many digits as spreadsheets show; 3.0 is 3
    return str(value)


def _bare(value: Any) -> str:
    return _written(value).removeprefix("'").strip()


def _narrow(value: Any) -> str:
    """A code as it is typed with the full-width letters of a Korean keyboard, in plain ones."""
    return unicodedata.normalize("NFKC", _bare(value)).strip()


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        number = float(value if isinstance(value, int | float) else str(value).removeprefix("'").strip())
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None

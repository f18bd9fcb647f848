"""Open the prototype's files: what cannot be read at all is refused in words."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from apps.common.errors import Problem, Refused
from apps.productions.prototype.decoding import KOREAN
from apps.productions.prototype.report import About


def read_json(file: Path, most: int, about: About) -> tuple[Any, bool]:
    """Read a JSON file of at most ``most`` bytes, and whether every byte of it is text.

    One that is wholly Korean (CP949) is read so, and told; else texts carry the bytes that are none, see
    ``decoding.settled``. Raises Refused.
    """
    with opened(file), file.open("rb") as source:
        size = os.fstat(source.fileno()).st_size
        if size > most:
            raise refused(file, f"it has {size} bytes; at most {most} are read")
        content = source.read(most)
    text, at, is_text = _text_of(content)
    try:
        value = json.loads(text, parse_constant=_no_number)
    except json.JSONDecodeError as exc:
        if at is not None:
            raise refused(file, f"it is not UTF-8 (byte {at}); save it as UTF-8") from exc
        raise refused(file, f"it is not JSON: line {exc.lineno}, column {exc.colno}: {exc.msg}") from exc
    except (ValueError, RecursionError) as exc:
        raise refused(file, f"it is not JSON that can be read: {exc}") from exc
    if at is not None and is_text:
        about.mended("", None, f"it is not UTF-8 (byte {at}); it was read as CP949 (Korean)")
    return value, is_text


def _text_of(content: bytes) -> tuple[str, int | None, bool]:
    """The text, the first byte that is not UTF-8 (None: all of it is), and whether all of it is text."""
    try:
        return content.decode("utf-8-sig"), None, True
    except UnicodeDecodeError as exc:
        at = exc.start
    try:
        return content.decode(KOREAN), at, True
    except UnicodeDecodeError:
        return content.decode("utf-8-sig", "surrogateescape"), at, False


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number")


class opened:  # noqa: N801 - a context manager reads as a function
    """Say in words what the file system refuses."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __enter__(self) -> None:
        """Nothing is opened yet."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise refused(self.file, f"it cannot be read: {error.strerror}") from error


def refused(path: Path, told: str) -> Refused:
    """Name the file or folder that is refused, and what would be right."""
    return Refused(Problem("source", str(path), told, code="unreadable"))

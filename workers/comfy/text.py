"""Text as it may travel. ComfyUI's JSON can hold what UTF-8 or PostgreSQL refuses.

A file name in EUC-KR or Latin-1 on a Linux disk comes as lone surrogates, and a broken node's message may
hold NUL characters. They are taken out once, where ComfyUI's JSON is read.
"""

from __future__ import annotations

import math
import re
from typing import Final

TEXT_LIMIT: Final = 4000
"""Characters of one message or traceback that travel with a report."""

NAME_LIMIT: Final = 200
"""Characters of a name: of a node, a class, an exception, a card."""

_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def clean(text: str) -> str:
    """Return the text without NUL, each lone surrogate replaced by U+FFFD."""
    return _LONE_SURROGATE.sub("\ufffd", text).replace("\0", "")


def clean_json(value: object) -> object:
    """Clean every text of a decoded JSON value, keys too; NaN and infinities, which are no JSON, go."""
    match value:
        case str():
            return clean(value)
        case list():
            return [clean_json(item) for item in value]
        case dict():
            return {clean(name): clean_json(item) for name, item in value.items()}
        case float() if not math.isfinite(value):
            return None
        case _:
            return value


def beginning(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return clean text of at most ``limit`` characters: a message says most at its beginning."""
    text = clean(text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def ending(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return clean text of at most ``limit`` characters: a traceback says most at its end."""
    return clean(text)[-limit:]

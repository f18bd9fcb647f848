"""Tags of nodes and jobs: words, kept sorted, one a line, so that equal sets are equal texts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from django.utils.translation import gettext as _

from apps.common.errors import Problem, Refused

LONGEST: Final = 400
_TAG: Final = re.compile(r"[\w.:+-]{1,40}")


def tags_text(words: Iterable[str]) -> str:
    """Return the text of these tags, lower case, each once. Raises Refused for what is no tag."""
    tags = sorted({word.strip().lower() for word in words} - {""})
    told = _("a tag is a word of at most 40 letters, digits and . : + - _")
    problems = [Problem("tags", tag, told) for tag in tags if not _TAG.fullmatch(tag)]
    text = "\n".join(tags)
    if not problems and len(text) > LONGEST:
        problems.append(
            Problem("tags", text[:LONGEST], _("fewer or shorter tags, %d letters in all") % LONGEST)
        )
    if problems:
        raise Refused(*problems)
    return text


def tags_in(text: str) -> list[str]:
    """The tags a person wrote, apart by commas or spaces; also those of a column."""
    return [word for word in re.split(r"[,\s]+", text) if word]

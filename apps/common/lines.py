"""Lines end as the database has them, not as a browser sends them."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict


def lines(value: Any) -> Any:
    """End a text's lines as the database has them; what is no text stays."""
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


def with_lines(post: QueryDict) -> QueryDict:
    """Return what a browser sent, with such lines in every text.

    A browser ends each with two letters, whoever wrote it: without this, a text that came with an import
    would be another one for whoever saves its form and never touched it.
    """
    if not any("\r\n" in text for name in post for text in post.getlist(name)):
        return post
    told = post.copy()
    for name in post:
        told.setlist(name, [lines(text) for text in post.getlist(name)])
    return told

"""What a search of a graph says, and what a picture of it says, in the reader's language."""

from __future__ import annotations

from django.utils.translation import gettext

from apps.workflows.saidwords import in_words as said_in_words
from workflows.drawing import Words
from workflows.finding import Why


def in_words(why: Why) -> str:
    """Say a reason, note or question in the reader's language."""
    return said_in_words(why.text)


def picture_words() -> Words:
    """The words of a picture (``workflows.drawing.draw``) in the reader's language."""
    return Words(
        label=gettext("A graph of %(nodes)s nodes and %(links)s links"),
        left_out=gettext(
            "%(left)s more nodes are not drawn; these %(nodes)s are the nearest to the outputs."
        ),
        hidden=gettext("+ %(count)s more"),
    )

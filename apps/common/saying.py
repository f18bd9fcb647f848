"""Saying on the next page what a service refused."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _

from apps.common.errors import NotAllowed, Refused, Stale

MOST_LETTERS: Final = 60
"""More of a value is cut: a message is a line."""


def say_problems(request: HttpRequest, refused: Refused, *, at_most: int = 5) -> None:
    """Tell the person each thing that is wrong, the first few in full; of what is stale, who changed what."""
    if isinstance(refused, Stale):
        for one in refused.changed[:at_most]:
            facts = {"user": one.by, "field": one.field.replace("_", " ")}
            facts |= {"was": _short(one.was), "now": _short(one.now)}
            messages.warning(request, _("%(user)s changed %(field)s: %(was)s → %(now)s") % facts)
        say_stale(request)
        return
    for problem in refused.problems[:at_most]:
        messages.error(request, str(problem))
    if len(refused.problems) > at_most:
        messages.error(request, f"… + {len(refused.problems) - at_most}")


def say_stale(request: HttpRequest) -> None:
    """Tell the person that somebody was there before; the page shows what they changed."""
    told = _("Somebody changed this after you opened it, so nothing is saved. Look, then do it again.")
    messages.error(request, told)


def say_refusal(request: HttpRequest, refused: Refused | NotAllowed) -> None:
    """Tell the person what is wrong, or what would let them."""
    if isinstance(refused, Refused):
        say_problems(request, refused)
    else:
        messages.error(request, str(refused))


def _short(value: object) -> str:
    if isinstance(value, dict | list):
        return "…" if value else "–"
    text = "–" if value in (None, "") else str(value)
    return text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}…"

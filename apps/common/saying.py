"""Saying on the next page what a service refused."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest

from apps.common.errors import NotAllowed, Refused


def say_problems(request: HttpRequest, refused: Refused, *, at_most: int = 5) -> None:
    """Tell the person each thing that is wrong, the first few in full."""
    for problem in refused.problems[:at_most]:
        messages.error(request, str(problem))
    if len(refused.problems) > at_most:
        messages.error(request, f"… + {len(refused.problems) - at_most}")


def say_refusal(request: HttpRequest, refused: Refused | NotAllowed) -> None:
    """Tell the person what is wrong, or what would let them."""
    if isinstance(refused, Refused):
        say_problems(request, refused)
    else:
        messages.error(request, str(refused))

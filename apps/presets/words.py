"""Broken rules in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import get_language

from apps.presets.rules import Broken


def said(told: Broken) -> str:
    """What a broken rule tells people, in the page's language."""
    korean = (get_language() or "en").startswith("ko")
    return (told.rule.message_ko if korean else "") or told.rule.message


def told(problems: Iterable[Broken]) -> list[dict[str, Any]]:
    """Broken rules as pages and the API show them."""
    return [
        {
            "rule": one.rule.slug,
            "severity": one.rule.severity,
            "message": said(one),
            "because": [str(term) for term in one.because],
        }
        for one in problems
    ]

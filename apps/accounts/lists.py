"""How a person looks at a list: as rows or as a gallery, without which columns. Remembered per person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction

from apps.accounts.models import User

MOST_COLUMNS: Final = 40


@dataclass(frozen=True)
class Choice:
    """What a person has chosen for one list."""

    hidden: frozenset[str]
    gallery: bool = False


def choice_of(user: User, name: str, *, hidden: Iterable[str] = (), gallery: bool = False) -> Choice:
    """How a person looks at the list of this name; ``hidden`` and ``gallery``: until they have chosen."""
    told: Any = user.lists.get(name) or {}
    return Choice(frozenset(told.get("hidden", hidden)), bool(told.get("gallery", gallery)))


def remember_choice(
    user: User, name: str, *, hidden: Iterable[str] | None = None, gallery: bool | None = None
) -> None:
    """Remember what is told of how a person looks at the list of this name; the rest stays as it was."""
    told: dict[str, Any] = {}
    if hidden is not None:
        told["hidden"] = sorted(set(hidden))[:MOST_COLUMNS]
    if gallery is not None:
        told["gallery"] = gallery
    with transaction.atomic():
        row = User.objects.select_for_update(no_key=True).only("lists").get(pk=user.pk)
        lists = {**row.lists, name: {**row.lists.get(name, {}), **told}}
        User.objects.filter(pk=user.pk).update(lists=lists)

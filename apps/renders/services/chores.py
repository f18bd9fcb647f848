"""What apps above have the leader do every ten seconds, beside its own."""

from __future__ import annotations

from collections.abc import Callable

Chore = Callable[[], object]
_chores: list[Chore] = []


def add_chore(chore: Chore) -> None:
    """Have the leader do this too; each of its turns is whole transactions, and short."""
    if chore not in _chores:
        _chores.append(chore)


def chores() -> tuple[Chore, ...]:
    """What was added, in that order."""
    return tuple(_chores)

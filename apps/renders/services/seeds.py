"""Which noise a take begins from: a person's seed, or one of its own that can be worked out again."""

from __future__ import annotations

import hashlib
from uuid import UUID

from apps.productions.models import Shot
from apps.renders.services.steps import Step


def fixed_seed(step: Step, shot: Shot, take: int) -> int | None:
    """The seed a person gave the step or the shot; the takes of one request count upward from it."""
    given = step.seed if step.seed is not None else shot.seed
    return None if given is None else int(given) + take


def seed_of(shot: UUID, template: str, take_number: int) -> int:
    """The seed of a take nobody gave one: it follows from shot, template and take number (0 to 2³² − 1)."""
    digest = hashlib.sha256(f"{shot}:{template}:{take_number}".encode()).digest()
    return int.from_bytes(digest[:4], "big")

"""The machine of a material: looked at by the media worker before any job is given it."""

from __future__ import annotations

from typing import Final

from apps.common.machines import Machine
from apps.review.states import Media

MATERIAL: Final = Machine(
    name="material",
    field="state",
    moves={
        "": frozenset({Media.PROCESSING, Media.READY}),
        Media.PROCESSING: frozenset({Media.READY, Media.BROKEN}),
    },
)
"""Pictures are decoded while they come in and are born READY. What is BROKEN stays so."""

"""Why a strike came to nothing."""

from __future__ import annotations


class Unstruck(AssertionError):
    """A fault could not be injected, or its effect was not seen."""


class NobodyBusy(Exception):
    """Nobody has work in hand, or waits for some, that could be struck now."""

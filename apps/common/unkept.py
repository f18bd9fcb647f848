"""Texts that no database keeps: with a NUL, or with half of a character."""

from __future__ import annotations

from typing import Final

from django.db import DataError

_TOLD: Final = ("NUL", "\\u0000", "surrogate")


def is_unkept(error: Exception) -> bool:
    """Tell whether an error says that a request brought such a text to where it is kept, or looked up."""
    if isinstance(error, DataError):
        return any(words in str(error) for words in _TOLD)
    return isinstance(error, UnicodeEncodeError) and "surrogate" in error.reason

"""Keys that sort by time."""

from __future__ import annotations

from uuid import UUID

from uuid_utils.compat import uuid7 as _uuid7


def uuid7() -> UUID:
    """Return a new UUIDv7: unique, and later ones sort after earlier ones."""
    key: UUID = _uuid7()
    return key


def uuid_in(text: object) -> UUID | None:
    """Return the UUID a stranger wrote; None if it is none."""
    try:
        return UUID(str(text))
    except ValueError:
        return None

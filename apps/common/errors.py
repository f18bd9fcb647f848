"""The error a person sees: which field, which value, what would be right."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with what was asked for. ``value`` as typed.

    ``field`` may be a path; it is empty for what is wrong with the request as a whole.
    """

    field: str
    value: str
    message: str | Promise
    code: str = "invalid"

    def __str__(self) -> str:
        about = f"{self.field} “{self.value}”" if self.value else self.field
        return f"{about}: {self.message}" if about else str(self.message)


class Refused(Exception):
    """A request that cannot be carried out as asked. Nothing was changed.

    Services raise it; forms, the API and commands show every problem.
    """

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = problems


class Conflict(Refused):
    """The request was right once, or is right elsewhere: somebody else changed what it is about."""


@dataclass(frozen=True)
class Changed:
    """One field that somebody else changed: what it said, what it says now, who said so last, and when."""

    field: str
    was: object
    now: object
    by: str
    at: datetime


class Stale(Conflict):
    """A change was made from an older version of the row. ``changed``: what others changed since."""

    def __init__(self, *, sent: int, now: int, changed: tuple[Changed, ...] = ()) -> None:
        told = _("this is at version %d now; look at what was changed, then repeat your change") % now
        super().__init__(Problem("row_version", str(sent), told, code="stale"))
        self.now = now
        self.changed = changed


class NotAllowed(Exception):
    """This user may not do this. The message, in the reader's language, says what would let them."""


def lacks_permission(user: object, permission: str) -> NotAllowed:
    """Say that this takes a permission of Django's, by its full name."""
    told = _("%(user)s may not do this; that takes the permission %(permission)s")
    return NotAllowed(told % {"user": user, "permission": permission})

"""When a job starts and ends, as people and tools read it: two intervals, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from apps.renders.forecast import FEWEST, Expected, Span
from apps.renders.waitwords import clock_text


@dataclass(frozen=True)
class Between:
    """Not before ``earliest``, not after ``latest``, nine times in ten. None: how late is not known."""

    earliest: datetime
    latest: datetime | None

    @property
    def words(self) -> str:
        """between 14:10 and 14:40, by whole minutes, the interval rather wider than narrower."""
        first = clock_text(self.earliest)
        if self.latest is None:
            return _("not before %(earliest)s") % {"earliest": first}
        last = clock_text(_up_to_minute(self.latest))
        return _("between %(earliest)s and %(latest)s") % {"earliest": first, "latest": last}

    def as_json(self) -> dict[str, str | None]:
        """Both times for tools."""
        latest = self.latest
        return {
            "earliest": self.earliest.isoformat(timespec="seconds"),
            "latest": None if latest is None else latest.isoformat(timespec="seconds"),
        }


@dataclass(frozen=True)
class Eta:
    """``start`` is None for what has started; ``unknown`` says why nothing is told (renders.outlook)."""

    start: Between | None = None
    end: Between | None = None
    unknown: str = ""

    @classmethod
    def not_known(cls, why: str) -> Eta:
        """Nothing is told, for this reason."""
        return cls(unknown=why)

    @classmethod
    def of(cls, expected: Expected, now: datetime, *, endless: bool = False) -> Eta:
        """What was forecast, by the clock. ``endless``: there is more before it than was counted."""
        start = None if expected.start is None else _between(expected.start, now, endless=endless)
        return cls(start, _between(expected.end, now, endless=endless))

    @property
    def sentence(self) -> str:
        """One translated sentence; "" where something holds it back, which is told elsewhere."""
        if self.end is None:
            few = _("When it will be done is not known yet: fewer than %(few)d such renders were seen.")
            return few % {"few": FEWEST} if self.unknown == "few" else ""
        if self.start is None:
            return _("Ends %(end)s.") % {"end": self.end.words}
        return _("Starts %(start)s, ends %(end)s.") % {"start": self.start.words, "end": self.end.words}

    def as_json(self) -> dict[str, Any]:
        """The intervals for tools."""
        return {
            "start": None if self.start is None else self.start.as_json(),
            "end": None if self.end is None else self.end.as_json(),
            "unknown": self.unknown or None,
            "sentence": self.sentence,
        }


def _between(span: Span, now: datetime, *, endless: bool) -> Between:
    latest = None if endless else now + timedelta(seconds=span.latest)
    return Between(now + timedelta(seconds=span.earliest), latest)


def _up_to_minute(at: datetime) -> datetime:
    return at + timedelta(seconds=-at.timestamp() % 60)

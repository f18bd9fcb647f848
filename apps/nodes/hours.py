"""Working hours: windows of the week in one time zone, and what they mean for a moment. Pure arithmetic.

A window is wall-clock time. Where the clock is put back, a wall-clock time that comes twice is its first;
where it is put forward, one that never comes is as long after midnight as it would have been. So a window may
last an hour longer or shorter on such a day, and two that meet leave no gap.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.translation import gettext as _

from apps.common.errors import Problem, Refused

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""How days are written; Monday is 0."""
_KOREAN: Final = ("월", "화", "수", "목", "금", "토", "일")
_DAY: Final = {name: index for names in (DAYS, _KOREAN) for index, name in enumerate(names)}
_TIME: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_AHEAD: Final = 9
"""Days looked ahead: a weekly plan that does not change within them never changes."""


@dataclass(frozen=True)
class Window:
    """From ``begins`` to ``ends`` on these days (Monday is 0); if it ends no later, on the day after."""

    days: frozenset[int]
    begins: time
    ends: time

    def as_json(self) -> dict[str, Any]:
        """An entry of Schedule.windows."""
        return {"days": sorted(self.days), "from": f"{self.begins:%H:%M}", "to": f"{self.ends:%H:%M}"}

    def __str__(self) -> str:
        return f"{_days_text(self.days)} {self.begins:%H:%M}-{self.ends:%H:%M}"


@dataclass(frozen=True)
class Hours:
    """A weekly plan."""

    zone: ZoneInfo
    windows: tuple[Window, ...]

    def are_now(self, moment: datetime) -> bool:
        """Tell whether work is wanted at this moment."""
        return any(begin <= moment < end for begin, end in self._spans(moment))

    def change_after(self, moment: datetime) -> datetime | None:
        """When :meth:`are_now` will next be otherwise, in UTC; None: never."""
        spans = list(_joined(self._spans(moment)))
        for begin, end in spans:
            if moment < begin:
                return begin
            if moment < end:
                return end if end - moment < timedelta(days=_AHEAD - 1) else None
        return None

    def _spans(self, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Windows as moments, from yesterday's on."""
        today = moment.astimezone(self.zone).date()
        for offset in range(-1, _AHEAD + 1):
            day = today + timedelta(days=offset)
            for window in self.windows:
                if day.weekday() in window.days:
                    last = day + timedelta(days=window.ends <= window.begins)
                    begin, end = self._moment(day, window.begins), self._moment(last, window.ends)
                    if begin < end:  # else the clock was put forward over all of it
                        yield begin, end

    def _moment(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, tzinfo=self.zone).astimezone(UTC)


def hours_of(timezone: str, windows: object) -> Hours:
    """Read a schedule's columns. Raises Refused, naming what is wrong and what would be right."""
    problems: list[Problem] = []
    zone = _zone(timezone, problems)
    read = _windows(windows, problems)
    if problems or zone is None:
        raise Refused(*problems)
    return Hours(zone, read)


def windows_in(text: str) -> list[dict[str, Any]]:
    """Read windows as people write them, one a line: ``mon-fri 19:00-08:00``. Raises Refused."""
    problems: list[Problem] = []
    read = []
    for line in filter(None, map(str.strip, text.lower().splitlines())):
        days, _space, span = line.rpartition(" ")
        begins, _dash, ends = span.partition("-")
        named = _days_in(days)
        if named is None:
            problems.append(Problem("windows", line, _no_days()))
        else:
            read.append({"days": named, "from": begins, "to": ends})
    if problems:
        raise Refused(*problems)
    return read


def windows_text(windows: Iterable[Window]) -> str:
    """Write windows as :func:`windows_in` reads them."""
    return "\n".join(map(str, windows))


def _zone(name: str, problems: list[Problem]) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        told = _("not a time zone; write one such as Asia/Seoul, Europe/Berlin or UTC")
        problems.append(Problem("timezone", name, told))
        return None


def _windows(told: object, problems: list[Problem]) -> tuple[Window, ...]:
    if not isinstance(told, list) or not told:
        text = _("name at least one window of working hours; a node that is never to work is paused instead")
        problems.append(Problem("windows", "" if told == [] else str(told), text))
        return ()
    return tuple(
        window
        for index, entry in enumerate(told)
        if (window := _window(f"windows[{index}]", entry, problems)) is not None
    )


def _window(field: str, entry: object, problems: list[Problem]) -> Window | None:
    if not isinstance(entry, dict) or entry.keys() != {"days", "from", "to"}:
        example = '{"days": [0, 1, 2, 3, 4], "from": "19:00", "to": "08:00"}'
        problems.append(Problem(field, str(entry), _("write it as %(example)s") % {"example": example}))
        return None
    days, begins, ends = entry["days"], _time(entry["from"]), _time(entry["to"])
    if not isinstance(days, list) or not days or not all(_is_day(day) for day in days):
        problems.append(Problem(f"{field}.days", str(days), _("list days from 0 (Monday) to 6 (Sunday)")))
        return None
    for name, value in (("from", begins), ("to", ends)):
        if value is None:
            told = _("write a time from 00:00 to 23:59; 24:00 is the end of the day")
            problems.append(Problem(f"{field}.{name}", str(entry[name]), told))
    return None if begins is None or ends is None else Window(frozenset(days), begins, ends)


def _is_day(day: object) -> bool:
    return isinstance(day, int) and not isinstance(day, bool) and 0 <= day <= 6


def _time(text: object) -> time | None:
    if text == "24:00":
        return time(0, 0)
    found = _TIME.fullmatch(text) if isinstance(text, str) else None
    return time(int(found[1]), int(found[2])) if found else None


def _no_days() -> str:
    return _("begin with days, such as mon-fri, “sat,sun” or daily, then a span such as 19:00-08:00")


def _days_in(text: str) -> list[int] | None:
    """Days as people write them: ``daily``, ``mon-fri``, ``sat,sun``, ``fri-mon``, ``월-금``."""
    if text.strip() in {"daily", "매일"}:
        return list(range(7))
    named: set[int] = set()
    for part in filter(None, re.split(r"[,\s]+", text)):
        first, dash, last = part.partition("-")
        if first not in _DAY or (dash and last not in _DAY):
            return None
        begin, end = _DAY[first], _DAY[last if dash else first]
        named |= {day % 7 for day in range(begin, (end if end >= begin else end + 7) + 1)}
    return sorted(named) or None


def _days_text(days: frozenset[int]) -> str:
    listed = sorted(days)
    if len(listed) == 7:
        return "daily"
    if len(listed) > 2 and listed == list(range(listed[0], listed[-1] + 1)):
        return f"{DAYS[listed[0]]}-{DAYS[listed[-1]]}"
    return ",".join(DAYS[day] for day in listed)


def _joined(spans: Iterable[tuple[datetime, datetime]]) -> Iterator[tuple[datetime, datetime]]:
    """Spans in order, those that meet or overlap made one."""
    ordered: Sequence[tuple[datetime, datetime]] = sorted(spans)
    begin, end = None, None
    for first, last in ordered:
        if begin is None or end is None:
            begin, end = first, last
        elif first <= end:
            end = max(end, last)
        else:
            yield begin, end
            begin, end = first, last
    if begin is not None and end is not None:
        yield begin, end

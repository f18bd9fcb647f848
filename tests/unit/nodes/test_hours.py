"""Working hours: windows across midnight, on days with a clock change, in any time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.common.errors import Refused
from apps.nodes.hours import Hours, hours_of, windows_in, windows_text

BERLIN, SEOUL = "Europe/Berlin", "Asia/Seoul"


def plan(text: str, zone: str = BERLIN) -> Hours:
    return hours_of(zone, windows_in(text))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


NIGHTS, WEEKEND = "mon-fri 19:00-08:00", "sat,sun 00:00-24:00"


@pytest.mark.parametrize(
    ("windows", "zone", "moment", "works"),
    [
        # 2026-11-23 is a Monday; Berlin is UTC+1 in winter
        (NIGHTS, BERLIN, "2026-11-23T17:59:59+00:00", False),
        (NIGHTS, BERLIN, "2026-11-23T18:00:00+00:00", True),
        (NIGHTS, BERLIN, "2026-11-24T06:59:59+00:00", True),
        (NIGHTS, BERLIN, "2026-11-24T07:00:00+00:00", False),
        (NIGHTS, BERLIN, "2026-11-28T06:59:00+00:00", True),  # Saturday morning is Friday's night
        (NIGHTS, BERLIN, "2026-11-28T19:00:00+00:00", False),  # Saturday has no night of its own
        (NIGHTS, BERLIN, "2026-11-23T02:00:00+00:00", False),  # nor has Sunday
        (NIGHTS, SEOUL, "2026-11-23T10:00:00+00:00", True),
        (NIGHTS, SEOUL, "2026-11-23T09:59:00+00:00", False),
        (WEEKEND, BERLIN, "2026-11-27T22:59:59+00:00", False),
        (WEEKEND, BERLIN, "2026-11-27T23:00:00+00:00", True),
        (WEEKEND, BERLIN, "2026-11-29T22:59:59+00:00", True),
        (WEEKEND, BERLIN, "2026-11-29T23:00:00+00:00", False),
        # clocks go forward on 2026-03-29 at 02:00: the night is an hour shorter, its ends are where they were
        ("sun 22:00-06:00\nsat 22:00-06:00", BERLIN, "2026-03-29T03:59:59+00:00", True),
        ("sun 22:00-06:00\nsat 22:00-06:00", BERLIN, "2026-03-29T04:00:00+00:00", False),
        ("sun 02:30-05:00", BERLIN, "2026-03-29T01:29:59+00:00", False),  # 02:30 never comes
        ("sun 02:30-05:00", BERLIN, "2026-03-29T01:30:00+00:00", True),
        ("sun 02:10-02:50", BERLIN, "2026-03-29T01:30:00+00:00", True),
        ("sun 02:30-03:15", BERLIN, "2026-03-29T01:20:00+00:00", False),  # nothing of it is left
        # clocks go back on 2026-10-25 at 03:00: 02:30 comes twice, its first counts
        ("sun 02:30-05:00", BERLIN, "2026-10-25T00:30:00+00:00", True),
        ("sun 01:00-02:30", BERLIN, "2026-10-25T00:29:59+00:00", True),
        ("sun 01:00-02:30", BERLIN, "2026-10-25T01:15:00+00:00", False),
        ("sat 22:00-06:00", BERLIN, "2026-10-25T04:59:59+00:00", True),
        ("sat 22:00-06:00", BERLIN, "2026-10-25T05:00:00+00:00", False),
    ],
)
def test_it_is_working_time_when_the_wall_clock_says_so(
    windows: str, zone: str, moment: str, works: bool
) -> None:
    assert plan(windows, zone).are_now(at(moment)) is works


@pytest.mark.parametrize(
    ("windows", "moment", "change"),
    [
        (NIGHTS, "2026-11-23T12:00:00+00:00", "2026-11-23T18:00:00+00:00"),
        (NIGHTS, "2026-11-23T20:00:00+00:00", "2026-11-24T07:00:00+00:00"),
        (NIGHTS, "2026-11-28T09:00:00+00:00", "2026-11-30T18:00:00+00:00"),
        (f"{NIGHTS}\n{WEEKEND}", "2026-11-27T20:00:00+00:00", "2026-11-29T23:00:00+00:00"),  # they meet
        ("daily 00:00-24:00", "2026-11-23T12:00:00+00:00", None),
        ("mon 09:00-10:00", "2026-11-23T09:30:00+00:00", "2026-11-30T08:00:00+00:00"),
    ],
)
def test_the_next_change_is_told_through_nights_and_weekends(
    windows: str, moment: str, change: str | None
) -> None:
    assert plan(windows).change_after(at(moment)) == (at(change) if change else None)


TIMES = st.integers(0, 24 * 60 - 1).map(lambda minute: f"{minute // 60:02}:{minute % 60:02}")
WINDOWS = st.lists(
    st.fixed_dictionaries(
        {"days": st.lists(st.integers(0, 6), min_size=1, unique=True), "from": TIMES, "to": TIMES}
    ),
    min_size=1,
    max_size=4,
)
ZONES = st.sampled_from(["UTC", BERLIN, SEOUL, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1)).map(lambda when: when.replace(tzinfo=UTC))


@given(windows=WINDOWS, zone=ZONES, moment=MOMENTS)
def test_nothing_changes_before_the_next_change_and_something_at_it(
    windows: list[dict[str, Any]], zone: str, moment: datetime
) -> None:
    hours = hours_of(zone, windows)
    now, change = hours.are_now(moment), hours.change_after(moment)
    if change is None:
        assert all(hours.are_now(moment + timedelta(hours=hour)) is now for hour in range(0, 7 * 24, 5))
        return
    assert moment < change
    for step in range(1, 8):
        assert hours.are_now(moment + (change - moment) * step / 8) is now
    assert hours.are_now(change - timedelta(microseconds=1)) is now
    assert hours.are_now(change) is not now


@given(windows=WINDOWS)
def test_windows_are_written_as_they_are_read(windows: list[dict[str, Any]]) -> None:
    hours = hours_of("UTC", windows)
    again = hours_of("UTC", windows_in(windows_text(hours.windows)))
    assert again.windows == hours.windows
    assert hours_of("UTC", [window.as_json() for window in hours.windows]).windows == hours.windows


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("mon-fri 1:00-2:00", [0, 1, 2, 3, 4]),
        ("Fri-Mon 1:00-2:00", [0, 4, 5, 6]),
        ("sat, sun 1:00-2:00", [5, 6]),
        ("월-수,토 1:00-2:00", [0, 1, 2, 5]),
        ("매일 1:00-2:00", [0, 1, 2, 3, 4, 5, 6]),
    ],
)
def test_days_are_read_as_people_write_them(text: str, days: list[int]) -> None:
    assert windows_in(text)[0]["days"] == days


@pytest.mark.parametrize(
    ("zone", "windows", "field"),
    [
        ("Mars/Olympus", [{"days": [0], "from": "19:00", "to": "08:00"}], "timezone"),
        ("../../etc/passwd", [{"days": [0], "from": "19:00", "to": "08:00"}], "timezone"),
        ("", [{"days": [0], "from": "19:00", "to": "08:00"}], "timezone"),
        ("UTC", [], "windows"),
        ("UTC", "nights", "windows"),
        ("UTC", ["nights"], "windows[0]"),
        ("UTC", [{"days": [0], "from": "19:00"}], "windows[0]"),
        ("UTC", [{"days": [7], "from": "19:00", "to": "08:00"}], "windows[0].days"),
        ("UTC", [{"days": [True], "from": "19:00", "to": "08:00"}], "windows[0].days"),
        ("UTC", [{"days": [], "from": "19:00", "to": "08:00"}], "windows[0].days"),
        ("UTC", [{"days": [0], "from": "25:00", "to": "08:00"}], "windows[0].from"),
        ("UTC", [{"days": [0], "from": "19:00", "to": 8}], "windows[0].to"),
    ],
)
def test_what_is_no_schedule_is_refused_by_field(zone: str, windows: object, field: str) -> None:
    with pytest.raises(Refused) as refused:
        hours_of(zone, windows)
    assert [problem.field for problem in refused.value.problems] == [field]


@pytest.mark.parametrize("text", ["nights", "someday 19:00-08:00", "19:00-08:00", "mon-x 19:00-08:00"])
def test_a_line_without_days_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        windows_in(text)

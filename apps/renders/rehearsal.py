"""What an automation would have done: judged by what happened lately, changing nothing.

Each occasion is judged for itself, by the statuses as they stood just before it: what the automation's own
deeds would have set off in turn is not followed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Max

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.common.models import StateEvent
from apps.productions.models import Automation, Deed, Shot, Trigger
from apps.productions.states import LABEL, LEFT_ALONE, OMITTED, SHOT, way
from apps.projects.selectors import projects_for
from apps.renders.models import Job
from apps.renders.states import JOB
from apps.review.models import Take
from apps.review.states import REVIEW, SELECTED, SELECTION, Review

USUAL_DAYS: Final = 7
MOST_DAYS: Final = 31
MOST_EVENTS: Final = 20_000
"""Events of the farm, from the newest back, that are looked at; older ones are not."""
MOST_OCCASIONS: Final = 500
MOST_SHOTS: Final = 20_000
"""Shots of whole sequences that are looked at."""

_MACHINES: Final[Mapping[str, tuple[str, ...]]] = {
    Trigger.RENDER_SUBMITTED: (JOB.name,),
    Trigger.TAKE_ARRIVED: (REVIEW.name,),
    Trigger.TAKE_APPROVED: (REVIEW.name,),
    Trigger.TAKE_RETAKE: (REVIEW.name,),
    Trigger.APPROVAL_LOST: (REVIEW.name,),
    Trigger.TAKE_SELECTED: (SELECTION.name,),
    Trigger.SHOT_REACHED: (SHOT.name, LABEL),
    Trigger.SEQUENCE_REACHED: (SHOT.name, LABEL),
}


@dataclass(frozen=True)
class Would:
    """A shot to which something would have been done: its status before and after (the same, if the deed is
    no move), when, and by what.
    """

    shot: Shot
    at: datetime
    before: str
    after: str
    deed: str
    actor: str


@dataclass
class Rehearsal:
    """What an automation would have done ``since``; ``occasions``: how often it would have looked.

    ``cut``: more happened than is looked at; ``since`` is how far back it goes.
    """

    since: datetime
    occasions: int = 0
    cut: bool = False
    would: list[Would] = field(default_factory=list)


@dataclass(frozen=True)
class _Occasion:
    event: StateEvent
    shot: UUID
    stage: str = ""


def rehearse(row: Automation, *, user: User, days: int = USUAL_DAYS) -> Rehearsal:
    """Say what an automation would have done in the last days, in the projects that somebody sees.

    A constant number of queries; at most MOST_EVENTS events, MOST_OCCASIONS occasions and the sequences of
    about MOST_SHOTS shots are looked at.
    """
    told = Rehearsal(since=database_now() - timedelta(days=min(max(days, 1), MOST_DAYS)))
    events = _events(row, told)
    occasions = list(_occasions(row, events, user))
    told.occasions = len(occasions)
    looked_at = list(_small_enough(row, occasions[:MOST_OCCASIONS]))
    if len(occasions) > len(looked_at):
        occasions = looked_at
        told.cut, told.since = True, occasions[-1].event.at
    shots = _shots(row, {one.shot for one in occasions})
    standing = _Statuses(shots)
    for one in _fitting(row, occasions, shots, standing):
        would = _would(row, one, shots[one.shot], standing)
        if would is not None:
            told.would.append(would)
    return told


def _small_enough(row: Automation, occasions: Sequence[_Occasion]) -> Iterator[_Occasion]:
    """The newest occasions whose whole sequences may be read; the first one's may, whatever its length."""
    if row.trigger != Trigger.SEQUENCE_REACHED:
        yield from occasions
        return
    shots = Shot.objects.filter(pk__in={one.shot for one in occasions})
    sequence_of = dict(shots.values_list("pk", "sequence"))
    counted = Shot.objects.filter(sequence__in=set(sequence_of.values())).order_by().values("sequence")
    lengths = dict(counted.annotate(shots=Count("pk")).values_list("sequence", "shots"))
    read: set[UUID] = set()
    for one in occasions:
        sequence = sequence_of[one.shot]
        if read and sum(lengths[key] for key in read | {sequence}) > MOST_SHOTS:
            return
        read.add(sequence)
        yield one


def _shots(row: Automation, keys: Collection[UUID]) -> dict[UUID, Shot]:
    """The shots it is about; where it waits for a whole sequence, all of that."""
    rows = Shot.objects.filter(pk__in=keys)
    if row.trigger == Trigger.SEQUENCE_REACHED:
        rows = Shot.objects.filter(sequence__in=rows.values("sequence"))
    return {shot.pk: shot for shot in rows.select_related("sequence")}


def _events(row: Automation, told: Rehearsal) -> list[StateEvent]:
    """The events that may set it off, newest first."""
    newest = StateEvent.objects.aggregate(newest=Max("id"))["newest"] or 0
    oldest = newest - MOST_EVENTS
    recent = StateEvent.objects.filter(id__gt=oldest, at__gte=told.since)
    before = StateEvent.objects.filter(id__lte=oldest).order_by("-id").first()
    if before is not None and before.at >= told.since:
        told.cut, told.since = True, before.at
    rows = recent.filter(machine__in=_MACHINES[row.trigger]).order_by("-id")
    wanted: dict[Trigger, dict[str, str]] = {
        Trigger.RENDER_SUBMITTED: {"from_state": ""},
        Trigger.TAKE_ARRIVED: {"to_state": Review.PENDING, "from_state": ""},
        Trigger.TAKE_APPROVED: {"to_state": Review.APPROVED},
        Trigger.TAKE_RETAKE: {"to_state": Review.RETAKE},
        Trigger.APPROVAL_LOST: {"from_state": Review.APPROVED},
        Trigger.TAKE_SELECTED: {"to_state": SELECTED},
    }
    rows = rows.filter(**wanted.get(Trigger(row.trigger), {}))
    if row.status_id is not None:
        rows = rows.filter(to_state=row.status_id)
    return list(rows)


def _occasions(row: Automation, events: Sequence[StateEvent], user: User) -> Iterator[_Occasion]:
    """Those of shots that somebody sees, of the automation's project and stage."""
    places = dict(_places(row, events))
    projects = set(projects_for(user).values_list("pk", flat=True))
    if row.project_id is not None:
        projects &= {row.project_id}
    for event in events:
        project, shot, stage = places.get(event.subject, (None, None, ""))
        if shot is not None and project in projects and row.stage in ("", stage):
            yield _Occasion(event, shot, stage)


def _places(row: Automation, events: Sequence[StateEvent]) -> Iterator[tuple[UUID, tuple[UUID, UUID, str]]]:
    """Project, shot and stage of what the events are about."""
    keys = {event.subject for event in events}
    rows: Iterable[tuple[Any, ...]]
    if row.trigger == Trigger.RENDER_SUBMITTED:
        rows = Job.objects.filter(pk__in=keys).values_list("pk", "project", "shot", "stage")
    elif SHOT.name in _MACHINES[row.trigger]:
        rows = ((key, project, key, "") for key, project in _projects_of(keys))
    else:
        rows = Take.objects.filter(pk__in=keys).values_list("pk", "project", "shot", "stage")
    for key, project, shot, stage in rows:
        yield key, (project, shot, stage)


def _projects_of(shots: Collection[UUID]) -> Iterable[tuple[UUID, UUID]]:
    return Shot.objects.filter(pk__in=shots).values_list("pk", "project")


class _Statuses:
    """Which status shots had when: read from the events that tell of every move."""

    def __init__(self, shots: Collection[UUID]) -> None:
        self._at: dict[UUID, list[int]] = defaultdict(list)
        self._was: dict[UUID, list[tuple[str, str]]] = defaultdict(list)
        rows = StateEvent.objects.filter(story__in=list(shots), machine__in=(SHOT.name, LABEL)).order_by("id")
        for key, subject, machine, to in rows.values_list("id", "subject", "machine", "to_state"):
            state = to if machine == SHOT.name else self._was[subject][-1][0] if self._was[subject] else ""
            self._at[subject].append(key)
            self._was[subject].append((state, to))

    def before(self, shot: UUID, event: int) -> tuple[str, str] | None:
        """State and status of a shot just before an event; None if nobody wrote it down."""
        place = bisect_left(self._at.get(shot, []), event)
        return self._was[shot][place - 1] if place else None

    def with_event(self, shot: UUID, event: int) -> tuple[str, str] | None:
        """The same when it had happened."""
        return self.before(shot, event + 1)


def _fitting(
    row: Automation, occasions: Sequence[_Occasion], shots: Mapping[UUID, Shot], standing: _Statuses
) -> Iterator[_Occasion]:
    if row.trigger in (Trigger.TAKE_RETAKE, Trigger.APPROVAL_LOST):
        approved = _Approvals(shots)
        for one in occasions:
            lost = row.trigger == Trigger.APPROVAL_LOST and one.event.to_state == Review.RETAKE
            if not lost and not approved.beside(one):
                yield one
    elif row.trigger == Trigger.SEQUENCE_REACHED:
        yield from _whole_sequences(row, occasions, shots, standing)
    else:
        yield from occasions


class _Approvals:
    """Which takes of shots stood approved when."""

    def __init__(self, shots: Collection[UUID]) -> None:
        takes = Take.objects.filter(shot__in=list(shots)).values_list("pk", "job_id", "shot")
        self._of: dict[UUID, list[UUID]] = defaultdict(list)
        stories = []
        for key, story, shot in takes:
            self._of[shot].append(key)
            stories.append(story)
        self._events: dict[UUID, list[tuple[int, str]]] = defaultdict(list)
        rows = StateEvent.objects.filter(story__in=stories, machine=REVIEW.name).order_by("id")
        for event, subject, to in rows.values_list("id", "subject", "to_state"):
            self._events[subject].append((event, to))

    def beside(self, one: _Occasion) -> bool:
        """Tell whether another take of the shot stood approved."""
        for take in self._of[one.shot]:
            events = self._events[take]
            place = bisect_left(events, (one.event.pk, ""))
            if take != one.event.subject and place and events[place - 1][1] == Review.APPROVED:
                return True
        return False


def _whole_sequences(
    row: Automation, occasions: Sequence[_Occasion], shots: Mapping[UUID, Shot], standing: _Statuses
) -> Iterator[_Occasion]:
    """The occasions by which the last shot of a sequence got the status, for each of its shots."""
    together: dict[UUID, list[UUID]] = defaultdict(list)
    for shot in shots.values():
        together[shot.sequence_id].append(shot.pk)
    for one in occasions:
        here = {
            key: stood
            for key in together[shots[one.shot].sequence_id]
            if (stood := standing.with_event(key, one.event.pk)) and stood[0] != OMITTED
        }
        if here and all(row.status_id in stood for stood in here.values()):
            yield from (_Occasion(one.event, key) for key in here)


def _would(row: Automation, one: _Occasion, shot: Shot, standing: _Statuses) -> Would | None:
    reached = row.trigger in (Trigger.SHOT_REACHED, Trigger.SEQUENCE_REACHED)
    stood = (standing.with_event if reached else standing.before)(one.shot, one.event.pk)
    state, status = stood or ("", "")
    would = Would(shot, one.event.at, status, status, row.deed, one.event.actor)
    if row.deed != Deed.MOVE:
        return would
    target = row.target
    sources = row.from_states or [name for name in SHOT.states if name not in LEFT_ALONE]
    if target is None or state not in sources or status == target.pk:
        return None
    if state == target.state and target.is_own:
        return None  # a shade of it is left as it is
    if state != target.state and not way(state, target.state):
        return None
    return replace(would, after=str(target.pk))

"""What the person behind a request may do where, read once per request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from apps.accounts.models import User
from apps.projects.roles import NOBODY, Act, Extent, Standing
from apps.projects.selectors import Person, Standings, assigned_to, covered, standings_of

_REACH: Final = "_shotfarm_reach"
OPERATES: Final = ("nodes.view_node", "nodes.change_node")
"""Django's permissions of those who look after the farm, whether or not they belong to a film."""


@dataclass(frozen=True)
class Reach:
    """What one person may do where, read once per request; which shots are theirs, where it matters."""

    everything: bool
    standings: Standings
    person: User | None = None
    _assigned: dict[UUID, bool] = field(default_factory=dict)

    @property
    def roles(self) -> Mapping[UUID, str]:
        """The person's role in each of their projects."""
        return {project: standing.role for project, standing in self.standings.items()}

    def may(
        self,
        act: Act,
        project: UUID | None,
        *,
        shot: UUID | None = None,
        stage: str = "",
        shared: bool = False,
    ) -> bool:
        """Tell whether the person may do this in this project; see selectors.may."""
        if self.everything:
            return True
        standing = self._in(project)
        return standing.may(act, stage=stage, assigned=lambda: self.assigned(shot), shared=shared)

    def may_of_some_stage(self, act: Act, project: UUID | None, *, shot: UUID | None = None) -> bool:
        """Tell whether the person may do this to this shot, at least to what one of its stages makes."""
        in_a_department = Extent.DEPARTMENT in self._in(project).extents(act)
        return in_a_department or self.may(act, project, shot=shot)

    def may_each(self, act: Act, project: UUID | None, rows: QuerySet[Any], **paths: str) -> bool:
        """Tell whether the person may do this to every one of these rows (paths: see selectors.scoped)."""
        if self.may(act, project):
            return True
        if not self._in(project).extents(act):
            return False
        return rows.exists() and not rows.exclude(self.covers(act, **paths)).exists()

    def may_any(self, act: Act, project: UUID | None, rows: QuerySet[Any], **paths: str) -> bool:
        """Tell whether the person may do this to one of these rows at least."""
        if self.may(act, project):
            return True
        return bool(self._in(project).extents(act)) and rows.filter(self.covers(act, **paths)).exists()

    def _in(self, project: UUID | None) -> Standing:
        return NOBODY if project is None else self.standings.get(project, NOBODY)

    def anywhere(self, act: Act, *, wholly: bool = False, project: UUID | None = None) -> bool:
        """Tell whether there is a project in which the person may do this to something (to everything).

        ``project``: whether they may in that one.
        """
        standings = self.standings.values() if project is None else [self._in(project)]
        return self.everything or any(
            Extent.ALL in extents if wholly else bool(extents)
            for extents in (standing.extents(act) for standing in standings)
        )

    def somewhere(self, act: Act, *, project: UUID | None = None) -> bool:
        """Like :meth:`anywhere`; a right over assigned shots counts only where a shot is assigned."""
        if self.everything:
            return True
        standings = self.standings.values() if project is None else [self._in(project)]
        extents = {extent for standing in standings for extent in standing.extents(act)}
        if extents != {Extent.ASSIGNED} or self.person is None:
            return bool(extents)
        return assigned_to(self.person).exists()

    def assigned(self, shot: UUID | None) -> bool:
        """Tell whether this shot is assigned to the person."""
        if shot is None or self.person is None:
            return False
        if shot not in self._assigned:
            self.learn([shot])
        return self._assigned[shot]

    def learn(self, shots: Iterable[UUID | None]) -> None:
        """Ask at once which of these shots are assigned to the person: a list asks for its whole page."""
        keys = {shot for shot in shots if shot is not None} - self._assigned.keys()
        if not keys or self.person is None:
            return
        own = set(assigned_to(self.person).filter(pk__in=keys).values_list("pk", flat=True))
        self._assigned.update({key: key in own for key in keys})

    @property
    def depends_on_shots(self) -> bool:
        """Tell whether any right of the person's is over assigned shots only."""
        return any(
            Extent.ASSIGNED in standing.extents(act) for standing in self.standings.values() for act in Act
        )

    def covers(self, act: Act, *, path: str = "project", shot: str = "", stage: str = "") -> Q:
        """The condition that a row is one to which the person may do this (see selectors.scoped)."""
        if self.everything:
            return Q()
        if self.person is None:
            return Q(pk__in=[])
        return covered(self.standings, self.person, act, path=path, shot=shot, stage=stage)


def reach_of(request: HttpRequest) -> Reach:
    """Return what the person behind this request may do; one query per request."""
    found: Reach | None = getattr(request, _REACH, None)
    if found is None:
        found = _read_reach(request.user)
        setattr(request, _REACH, found)
    return found


def sees_farm(request: HttpRequest) -> bool:
    """Tell whether the person sees what all projects share: members do, and whoever looks after nodes."""
    return reach_of(request).anywhere(Act.VIEW) or any(map(request.user.has_perm, OPERATES))


def _read_reach(person: Person) -> Reach:
    nothing: dict[UUID, Standing] = {}
    if not isinstance(person, User) or not person.is_active:
        return Reach(everything=False, standings=nothing)
    if person.is_superuser:
        return Reach(everything=True, standings=nothing, person=person)
    return Reach(everything=False, standings=standings_of(person), person=person)


def person_of(request: HttpRequest) -> User:
    """Return the user of a request that the admin has let in."""
    if not isinstance(request.user, User):
        raise TypeError("an admin page was asked for by nobody")
    return request.user

"""Who listens, and to what: rights are read when a stream opens, and again while it lasts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from knox.models import AuthToken
from rest_framework.request import Request

from apps.accounts.models import User
from apps.accounts.person import person_of
from apps.common.news import MISSED, PERSONAL
from apps.desk.stream.subjects import Change
from apps.projects.models import Membership
from apps.projects.reach import OPERATES
from apps.projects.roles import Act, roles_for


@dataclass(frozen=True)
class Rights:
    """What somebody may hear of: these projects, all of them, what all projects share; what is their own."""

    projects: frozenset[str] = frozenset()
    everything: bool = False
    farm: bool = False
    person: str = ""

    def cover(self, change: Change) -> bool:
        """Tell whether this change may be told."""
        if change.kind == PERSONAL:
            return change.ids == (self.person,)
        if change.kind == MISSED or self.everything:
            return True
        return change.project in self.projects if change.project else self.farm


@dataclass(eq=False)
class Reader:
    """One open stream. It ends with the ``session`` or the ``token`` (its digest) it was opened with."""

    person: UUID
    rights: Rights
    session: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    ended: bool = False


def reader_of(request: Request) -> Reader:
    """Return who asks for a stream. Raises NotAuthenticated for nobody."""
    person = person_of(request)
    rights = _rights_of([person])[person.pk]
    if isinstance(request.auth, AuthToken):
        return Reader(person.pk, rights, token=request.auth.digest)
    return Reader(person.pk, rights, session=request._request.session.session_key or "")


def look_again(readers: Collection[Reader]) -> dict[Reader, Rights | None]:
    """Read everybody's rights anew; None for whom the stream ends: signed out, deactivated, token revoked.

    The number of queries does not grow with the readers (but for those who are in no project).
    """
    people = User.objects.filter(pk__in={one.person for one in readers}, is_active=True).in_bulk()
    now = timezone.now()
    tokens = AuthToken.objects.filter(digest__in=[one.token for one in readers if one.token])
    living = set(tokens.filter(expiry__gt=now).values_list("digest", "user_id"))
    sessions = Session.objects.filter(session_key__in=[one.session for one in readers if one.session])
    open_sessions = {one.session_key: one for one in sessions.filter(expire_date__gt=now)}
    rights = _rights_of(list(people.values()))

    def goes_on(one: Reader) -> bool:
        person = people.get(one.person)
        if person is None:
            return False
        if one.token:
            return (one.token, one.person) in living
        session = open_sessions.get(one.session)
        return session is not None and _is_of(session, person)

    return {one: rights[one.person] if goes_on(one) else None for one in readers}


def _is_of(session: Session, person: User) -> bool:
    """Whether this person is signed in there, with the password they have now."""
    told = session.get_decoded()
    known = str(told.get(HASH_SESSION_KEY, ""))
    return told.get(SESSION_KEY) == str(person.pk) and constant_time_compare(
        known, person.get_session_auth_hash()
    )


def _rights_of(people: Sequence[User]) -> Mapping[UUID, Rights]:
    viewers = Membership.objects.filter(user__in=people, role__in=roles_for(Act.VIEW))
    seen: dict[UUID, set[str]] = defaultdict(set)
    for person, project in viewers.values_list("user_id", "project_id"):
        seen[person].add(str(project))
    return {
        one.pk: Rights(
            person=str(one.pk),
            projects=frozenset(seen[one.pk]),
            everything=one.is_superuser,
            farm=bool(seen[one.pk]) or any(map(one.has_perm, OPERATES)),
        )
        for one in people
    }

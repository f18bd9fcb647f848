"""Every role × every act, through the services: who may what is read from docs/roles.md itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import transaction

from apps.accounts.models import User
from apps.characters.services import create_character
from apps.common.errors import NotAllowed, Refused
from apps.productions.assigning import assign
from apps.productions.editing import update_shot
from apps.productions.models import Shot
from apps.productions.services import create_sequence, create_shot, move_shot_status
from apps.projects.members import add_member, change_member, remove_member
from apps.projects.models import Membership, Project
from apps.projects.roles import EXTENTS, Act, Role
from apps.projects.rolespage import PAGE, roles_page
from apps.projects.selectors import projects_for, require, scoped
from apps.projects.stages import Stage
from apps.renders.models import Job, RenderBatch
from apps.renders.services import control
from apps.renders.services.holds import pause_project
from apps.renders.services.recommending import recommend
from apps.renders.services.submit import Step, submit
from apps.review.models import Playlist, Take
from apps.review.selectors import playlists_for
from apps.review.services import review_take
from apps.review.services.media import look_again
from apps.review.services.noting import add_note
from apps.review.services.playlists import create_playlist
from tests.factories import (
    BatchFactory,
    JobFactory,
    MembershipFactory,
    ProjectFactory,
    SequenceFactory,
    ShotFactory,
    TakeFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

Person = User | AnonymousUser
EVERYTHING, DEPARTMENT, ASSIGNED, SHARED = (str(words) for words in EXTENTS.values())


@dataclass(frozen=True)
class Of:
    """What a deed is done to: a shot assigned to the member or not, of a stage or of none, shared or not."""

    assigned: bool = False
    stage: str = ""
    shared: bool = False


@dataclass(frozen=True)
class Deed:
    """A call of a service."""

    act: Act
    of: Of
    do: Callable[[Any], object]


@dataclass(frozen=True)
class Member:
    """Somebody: their role, the departments of their membership, and whether one shot is assigned to them."""

    user: Person
    role: Role | None
    departments: tuple[str, ...] = ()
    has_shot: bool = False


@dataclass
class Film:
    """A shot assigned to whoever has shots, and one that is nobody's; jobs and takes of two stages."""

    project: Project
    mine: Shot
    theirs: Shot
    jobs: dict[tuple[bool, str], Job]
    takes: dict[tuple[bool, str], Take]
    batch: RenderBatch


def page_table() -> dict[str, dict[str, list[str]]]:
    """What the page says, role by role and act by act."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    head, _rule, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    roles = head[1:]
    told: dict[str, dict[str, list[str]]] = {role: {} for role in roles}
    for act, *cells in rows[: len(Act)]:
        for role, cell in zip(roles, cells, strict=True):
            told[role][act.strip("*")] = re.split(r", ", cell)
    return told


TOLD: Final = page_table()


def told(member: Member, act: Act, of: Of) -> bool:
    """Whether the page allows it."""
    if member.role is None:
        return False
    words = TOLD[member.role][act]
    of_department = of.stage in member.departments if member.departments else True
    return (
        EVERYTHING in words
        or (DEPARTMENT in words and of_department)
        or (ASSIGNED in words and of.assigned and member.has_shot)
        or (SHARED in words and of.shared)
    )


@pytest.fixture
def film(templates: None) -> Film:
    project = ProjectFactory.create(code="FROST")
    sequence = SequenceFactory.create(project=project)
    mine, theirs = (ShotFactory.create(sequence=sequence, status_id="ready") for _number in range(2))
    jobs, takes = {}, {}
    for shot in (mine, theirs):
        for stage, kind in ((Stage.KEYFRAME, "keyframe"), (Stage.CLIP, "clip")):
            at = (shot == mine, str(stage))
            jobs[at] = JobFactory.create(shot=shot, kind=kind, stage=stage)
            takes[at] = TakeFactory.create(shot=shot, kind=kind, stage=stage, media_state="ready")
    batch = BatchFactory.create(project=project)
    JobFactory.create(shot=mine, batch=batch, kind="clip")
    JobFactory.create(shot=theirs, batch=batch, kind="keyframe")
    return Film(project, mine, theirs, jobs, takes, batch)


@pytest.fixture
def people(film: Film) -> dict[str, Member]:
    """Every role, twice where it matters, and everybody who has none."""

    def member(role: Role, *departments: str, shots: bool = False, active: bool = True) -> Member:
        user = UserFactory.create(is_active=active)
        MembershipFactory.create(project=film.project, user=user, role=role, departments=list(departments))
        if shots:
            film.mine.assignees.add(user)
        return Member(user, role if active else None, departments, shots)

    MembershipFactory.create(project=film.project, role=Role.ADMIN)  # whoever it is, one is left
    return {
        "admin": member(Role.ADMIN),
        "coordinator": member(Role.COORDINATOR),
        "supervisor of everything": member(Role.SUPERVISOR),
        "supervisor of keyframes": member(Role.SUPERVISOR, Stage.KEYFRAME),
        "supervisor of clips, with the shot": member(Role.SUPERVISOR, Stage.CLIP, shots=True),
        "artist with the shot": member(Role.ARTIST, shots=True),
        "artist without": member(Role.ARTIST),
        "client": member(Role.CLIENT),
        "client to whom the shot is still assigned": member(Role.CLIENT, shots=True),
        "admin elsewhere": Member(MembershipFactory.create(role=Role.ADMIN).user, None),
        "outsider": Member(UserFactory.create(), None),
        "deactivated admin": member(Role.ADMIN, active=False),
        "anonymous": Member(AnonymousUser(), None),
    }


def deeds(film: Film) -> Iterator[tuple[str, Deed]]:
    """Everything there is to do, to everything it can be done to."""
    project, root = film.project, UserFactory.create(is_superuser=True)
    for act in Act:
        yield f"{act} the project", Deed(act, Of(), partial(_require_at_large, act, project))
    for shot in (film.mine, film.theirs):
        of_shot = Of(assigned=shot == film.mine)
        for name, act, do in _to_a_shot(shot):
            yield f"{name} {of_shot}", Deed(act, of_shot, do)
        for stage in (Stage.KEYFRAME, Stage.CLIP):
            of = Of(of_shot.assigned, str(stage))
            for act in Act:
                yield f"{act} {of}", Deed(act, of, partial(_require, act, project, shot, of))
    for of in (Of(assigned=True, stage=Stage.KEYFRAME), Of(assigned=False, stage=Stage.CLIP)):
        for name, act, do in _to_a_take(film, of):
            yield f"{name} {of}", Deed(act, of, do)
    for name, act, do in _to_the_project(film):
        yield name, Deed(act, Of(), do)
    for shared in (True, False):
        of = Of(shared=shared)
        takes = [film.takes[shared, "keyframe"]]
        playlist = create_playlist(project=project, user=root, name="x", for_clients=shared, takes=takes)
        yield f"look at a playlist, {of}", Deed(Act.WATCH, of, partial(_see, playlist))
        of = Of(assigned=shared, stage="keyframe", shared=shared)
        yield f"write a note, {of}", Deed(Act.COMMENT, of, partial(_note, takes[0]))


def _require_at_large(act: Act, project: Project, user: Any) -> None:
    require(user, act, project)


def _require(act: Act, project: Project, shot: Shot, of: Of, user: Any) -> None:
    require(user, act, project, shot=shot.pk, stage=of.stage)


def _see(playlist: Playlist, user: Any) -> None:
    _found(playlists_for(user).filter(pk=playlist.pk))


def _note(take: Take, user: Any) -> None:
    add_note(take, user=user, text="closer")


Named = tuple[str, Act, Callable[[Any], object]]


def _to_a_shot(shot: Shot) -> Iterator[Named]:
    yield "edit", Act.PLAN, lambda user: update_shot(shot, user=user, row_version=shot.row_version, notes="x")
    yield "put on hold", Act.PLAN, lambda user: move_shot_status(shot, to="on_hold", user=user)
    yield "recommend", Act.PLAN, lambda user: recommend([shot], user=user)


def _to_a_take(film: Film, of: Of) -> Iterator[Named]:
    at = (of.assigned, of.stage)
    take, job, shot = film.takes[at], film.jobs[at], film.mine if of.assigned else film.theirs
    template = "sd15_t2i" if of.stage == Stage.KEYFRAME else "wan22_i2v"
    steps = [Step(template=template)]

    def press(user: Any) -> object:
        return submit(user=user, project=film.project, shots=[shot], steps=steps, idempotency_key="k")

    yield "approve", Act.REVIEW, lambda user: review_take(take, to="approved", user=user)
    yield "look again", Act.RENDER, lambda user: look_again(take, user=user)
    yield "cancel", Act.RENDER, lambda user: control.cancel(job, user=user)
    yield "prioritise", Act.RENDER, lambda user: control.prioritise(job, priority=30, user=user)
    yield "requeue", Act.RENDER, lambda user: control.requeue(job, user=user)
    yield "submit", Act.RENDER, press


def _to_the_project(film: Film) -> Iterator[Named]:
    project = film.project
    yield "read", Act.VIEW, lambda user: _found(scoped(Shot.objects.all(), user))
    yield "be offered", Act.VIEW, lambda user: _found(projects_for(user).filter(pk=project.pk))
    yield "make a sequence", Act.PLAN, lambda user: create_sequence(project=project, name="x", user=user)
    yield "make a shot", Act.PLAN, lambda user: create_shot(sequence=film.mine.sequence, user=user)
    yield "make a character", Act.PLAN, lambda user: create_character(project=project, name="x", user=user)
    yield "assign", Act.PLAN, lambda user: assign(film.mine, [], user=user)
    yield "sign off", Act.REVIEW, lambda user: move_shot_status(film.mine, to="approved", user=user)
    yield (
        "cancel a batch of several shots",
        Act.RENDER,
        lambda user: control.cancel_batch(film.batch, user=user),
    )
    yield "pause a batch", Act.RENDER, lambda user: control.pause_batch(film.batch, paused=True, user=user)
    yield "pause the project", Act.MANAGE, lambda user: pause_project(project, paused=True, user=user)
    newcomer, anybody = UserFactory.create(), Membership.objects.filter(project=project).first()
    assert anybody is not None
    yield (
        "let somebody in",
        Act.MANAGE,
        lambda user: add_member(project=project, member=newcomer, role="artist", user=user),
    )
    version = anybody.row_version
    yield (
        "give a role",
        Act.MANAGE,
        lambda user: change_member(anybody, role="admin", user=user, row_version=version),
    )
    yield "take out", Act.MANAGE, lambda user: remove_member(anybody, user=user, row_version=version)


def _found(rows: Any) -> None:
    """Lists refuse nobody: what is not there is not shown."""
    if not rows.exists():
        raise NotAllowed


@contextmanager
def undone() -> Iterator[None]:
    mark = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(mark)


def done(deed: Deed, user: Person) -> bool:
    """Whether the services let this person do it. What they refuse for another reason they have let in."""
    with undone():
        try:
            deed.do(user)
        except NotAllowed:
            return False
        except Refused:
            return True
    return True


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == roles_page(), "run: manage.py describe_roles"


def test_the_page_has_every_role_and_every_act() -> None:
    assert list(TOLD) == Role.values
    assert all(list(acts) == list(Act) for acts in TOLD.values())


def test_everybody_may_do_what_the_page_says_and_nothing_else(film: Film, people: dict[str, Member]) -> None:
    wrong = [
        f"{who}: {name}: the page says {told(member, deed.act, deed.of)}, the services do otherwise"
        for name, deed in deeds(film)
        for who, member in people.items()
        if done(deed, member.user) != told(member, deed.act, deed.of)
    ]
    assert not wrong, "\n".join(wrong)


def test_a_superuser_may_do_everything(film: Film, people: dict[str, Member]) -> None:
    root = UserFactory.create(is_superuser=True)
    assert [name for name, deed in deeds(film) if not done(deed, root)] == []

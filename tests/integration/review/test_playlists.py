"""Playlists and dailies: takes in an order."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.common.errors import Conflict, NotAllowed, Refused
from apps.ledger.models import Activity
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.projects.roles import Role
from apps.review.models import Playlist, Take
from apps.review.models.playlists import MOST_ITEMS, PlaylistItem
from apps.review.noted import notes_csv
from apps.review.playing import clip_of
from apps.review.selectors import best_takes, neighbours, playlists_for, takes_of_shots
from apps.review.services.dailies import make_dailies
from apps.review.services.noting import add_note
from apps.review.services.playlists import (
    add_takes,
    create_playlist,
    delete_playlist,
    duplicate,
    remove_takes,
    reorder,
    update_playlist,
)
from tests.factories import (
    MembershipFactory,
    ProjectFactory,
    SequenceFactory,
    ShotFactory,
    TakeFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def film() -> Project:
    """Two sequences with two shots each, the second sequence made first."""
    project: Project = ProjectFactory.create(code="FROST")
    for code, order in (("SQ020", 20), ("SQ010", 10)):
        sequence = SequenceFactory.create(project=project, code=code, order=order)
        for shot, place in (("SH0020", 20), ("SH0010", 10)):
            ShotFactory.create(sequence=sequence, code=shot, order=place, status_id="review")
    return project


def shots(film: Project) -> list[Shot]:
    return list(Shot.objects.filter(project=film).order_by("sequence__order", "order"))


def takes(film: Project, **fields: Any) -> list[Take]:
    told = {"stage": "clip", "kind": "clip", "media_state": "ready"} | fields
    return [TakeFactory.create(shot=shot, **told) for shot in shots(film)]


def member(film: Project, role: Role = Role.COORDINATOR) -> User:
    user: User = MembershipFactory.create(project=film, role=role).user
    return user


def order(playlist: Playlist) -> list[Any]:
    return list(playlist.items.values_list("take", flat=True))


def keys(rows: list[Take]) -> list[Any]:
    return [take.pk for take in rows]


def test_a_playlist_keeps_the_order_it_was_made_in(film: Project) -> None:
    made = takes(film)[::-1]
    playlist = create_playlist(project=film, user=member(film), name=" Monday ", takes=made)
    assert (playlist.name, order(playlist)) == ("Monday", keys(made))


def test_takes_are_added_once_moved_and_removed(film: Project) -> None:
    user, (a, b, c, d) = member(film), takes(film)
    playlist = create_playlist(project=film, user=user, name="Monday", takes=[a, b])
    assert add_takes(playlist, [b, c, d], user=user) == 2
    reorder(playlist, keys([d, a, c, b]), user=user, row_version=1)
    assert order(playlist) == keys([d, a, c, b])
    assert remove_takes(playlist, keys([a]), user=user) == 1
    assert order(playlist) == keys([d, c, b])


def test_what_becomes_of_a_playlist_is_remembered_with_its_takes_in_words(film: Project) -> None:
    user, (a, b, *_rest) = member(film), takes(film)
    playlist = create_playlist(project=film, user=user, name="Monday", takes=[a, b])
    reorder(playlist, keys([b, a]), user=user, row_version=0)
    playlist.refresh_from_db()
    delete_playlist(playlist, user=user, row_version=playlist.row_version)
    made, moved, gone = Activity.objects.filter(kind="playlist").order_by("pk")
    assert [row.verb for row in (made, moved, gone)] == ["created", "changed", "deleted"]
    assert (moved.actor, moved.label) == (user.username, "Monday")
    before, after = moved.changes["takes"]
    assert (before, after) == (made.changes["takes"][1], before[::-1])
    assert before[0] == f"SQ010/SH0010/clip/{a.number}"


def test_an_order_of_other_takes_than_there_are_is_refused(film: Project) -> None:
    user, (a, b, c, _d) = member(film), takes(film)
    playlist = create_playlist(project=film, user=user, name="Monday", takes=[a, b])
    for wrong in ([a], [a, b, c], [a, a], [a, c]):
        with pytest.raises(Conflict, match="changed meanwhile"):
            reorder(playlist, keys(wrong), user=user, row_version=0)
    with pytest.raises(Conflict, match="is at version"):
        reorder(playlist, keys([b, a]), user=user, row_version=99)
    assert order(playlist) == keys([a, b])


def test_a_copy_has_the_order_and_is_for_the_studio(film: Project) -> None:
    user, made = member(film), takes(film)
    first = create_playlist(project=film, user=user, name="Monday", takes=made, for_clients=True)
    reorder(first, keys(made[::-1]), user=user, row_version=0)
    copy = duplicate(first, user=user)
    assert (copy.name, copy.for_clients, order(copy)) == ("Monday, copy", False, keys(made[::-1]))


def test_takes_of_another_film_and_too_many_takes_are_refused(film: Project) -> None:
    user = member(film)
    with pytest.raises(Refused, match="of its own project"):
        create_playlist(project=film, user=user, name="Monday", takes=[TakeFactory.create()])
    assert not Playlist.objects.exists()
    playlist = create_playlist(project=film, user=user, name="Monday")
    shot = shots(film)[0]
    told = {"shot": shot, "project": film, "stage": "clip", "kind": "clip"}
    many = TakeFactory.create_batch(MOST_ITEMS + 1, **told)
    with pytest.raises(Refused, match="at most 500"):
        add_takes(playlist, many, user=user)


def test_the_database_keeps_a_take_once_in_a_playlist_and_dailies_once_a_day(film: Project) -> None:
    (a, *_rest), user = takes(film), member(film)
    playlist = create_playlist(project=film, user=user, name="Monday", takes=[a])
    with pytest.raises(IntegrityError), transaction.atomic():
        PlaylistItem.objects.create(playlist=playlist, take=a, position=99)
    dailies, _new = make_dailies(film, user=user)
    with pytest.raises(IntegrityError), transaction.atomic():
        Playlist.objects.create(project=film, kind="dailies", name="x", day=dailies.day, until=dailies.until)


@pytest.mark.parametrize("role", [Role.ARTIST, Role.CLIENT])
def test_playlists_take_the_right_to_review(film: Project, role: Role) -> None:
    playlist = create_playlist(project=film, user=member(film), name="Monday", takes=takes(film))
    user = member(film, role)
    for deed in (
        lambda: create_playlist(project=film, user=user, name="Mine"),
        lambda: update_playlist(playlist, user=user, row_version=0, name="Mine"),
        lambda: add_takes(playlist, [], user=user),
        lambda: remove_takes(playlist, [], user=user),
        lambda: reorder(playlist, [], user=user, row_version=0),
        lambda: duplicate(playlist, user=user),
        lambda: delete_playlist(playlist, user=user, row_version=0),
        lambda: make_dailies(film, user=user),
    ):
        with pytest.raises(NotAllowed):
            deed()


def test_clients_see_the_playlists_that_are_for_them(film: Project) -> None:
    user = member(film)
    create_playlist(project=film, user=user, name="Inside")
    shown = create_playlist(project=film, user=user, name="For them", for_clients=True)
    assert set(playlists_for(member(film, Role.ARTIST))) == set(Playlist.objects.all())
    assert list(playlists_for(member(film, Role.CLIENT))) == [shown]
    assert not playlists_for(MembershipFactory.create().user).exists()


def test_the_newest_or_the_selected_takes_of_shots_come_in_the_order_of_the_film(film: Project) -> None:
    old, new = takes(film), takes(film)
    broken = takes(film, media_state="broken")
    Take.objects.filter(pk=old[2].pk).update(selected=True, selected_at=old[2].created_at)
    every = [shot.pk for shot in shots(film)]
    assert list(takes_of_shots(every, stage="clip")) == new
    assert list(takes_of_shots(every, stage="clip", which="selected")) == [old[2]]
    assert list(takes_of_shots(every, stage="finish")) == []
    assert len(broken) == 4


def test_dailies_hold_what_came_since_the_last_ones_in_the_order_of_the_film(film: Project) -> None:
    user = member(film)
    monday, tuesday = datetime(2030, 3, 4, 18, tzinfo=UTC), datetime(2030, 3, 5, 18, tzinfo=UTC)

    def came(rows: list[Take], when: datetime) -> list[Take]:
        Take.objects.filter(pk__in=keys(rows)).update(created_at=when)
        return rows

    came(takes(film), datetime(2030, 3, 3, 12, tzinfo=UTC))
    first = came(takes(film), datetime(2030, 3, 4, 9, tzinfo=UTC))
    dailies, new = make_dailies(film, user=user, now=monday)
    assert (new, order(dailies)) == (4, keys(first))
    late = came(takes(film)[:1], datetime(2030, 3, 4, 19, tzinfo=UTC))
    again, new = make_dailies(film, user=user, now=datetime(2030, 3, 4, 20, tzinfo=UTC))
    assert (again, new, order(again)) == (dailies, 1, keys(first) + keys(late))
    overnight = came(takes(film)[:1], datetime(2030, 3, 4, 23, 30, tzinfo=UTC))
    next_day, new = make_dailies(film, user=None, now=tuesday)
    assert (next_day != dailies, order(next_day)) == (True, keys(overnight))
    assert next_day.name == "Dailies 2030-03-05"


def test_the_farm_makes_dailies_by_itself_where_something_came(film: Project) -> None:
    quiet = ProjectFactory.create(code="QUIET")
    ProjectFactory.create(code="GONE", archived=True)
    takes(film)
    said = StringIO()
    call_command("dailies", stdout=said)
    today = timezone.localdate().isoformat()
    assert said.getvalue().splitlines() == [f"FROST: Dailies {today}, 4 new", "QUIET: nothing new"]
    assert not quiet.playlists.exists()
    with pytest.raises(CommandError, match="no project NOPE"):
        call_command("dailies", "NOPE")


def test_a_playlists_notes_are_a_table_in_its_order_and_no_formula(film: Project) -> None:
    user, (a, b, *_rest) = member(film), takes(film)
    playlist = create_playlist(project=film, user=user, name="월요일 review", takes=[b, a])
    add_note(a, user=user, text="=HYPERLINK(1)", frame=1003)
    add_note(b, user=user, text='Good, "but" long')
    answer = notes_csv(playlist, user)
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("position,shot,stage,take,frame,note,author")
    assert lines[1].startswith("1,SQ010_SH0020,clip,") and '"Good, ""but"" long"' in lines[1]
    assert ",1003,'=HYPERLINK(1)," in lines[2]
    assert "attachment" in answer["Content-Disposition"]


def test_in_the_film_a_shot_stands_between_its_neighbours(film: Project) -> None:
    first, second, third, fourth = shots(film)
    assert neighbours(first) == (None, second)
    assert neighbours(second) == (first, third)
    assert neighbours(fourth) == (third, None)
    Shot.objects.filter(pk=third.pk).update(status="omitted")
    assert neighbours(second) == (first, fourth)


def test_beside_a_take_stand_the_selected_else_the_approved_else_the_newest_takes(film: Project) -> None:
    old, middle, new = takes(film), takes(film), takes(film)
    Take.objects.filter(pk=old[0].pk).update(selected=True, selected_at=old[0].created_at)
    Take.objects.filter(pk=middle[1].pk).update(review_state="approved")
    Take.objects.filter(pk=new[3].pk).update(review_state="rejected")
    best = best_takes([shot.pk for shot in shots(film)], stage="clip")
    assert [best[shot.pk] for shot in shots(film)] == [old[0], middle[1], new[2], middle[3]]


def test_a_picture_is_held_for_as_long_as_its_shot(film: Project) -> None:
    (take, *_rest) = takes(film, kind="keyframe", stage="keyframe")
    take.shown = take.original = None  # type: ignore[attr-defined]
    assert clip_of(take, "")["frames"] == take.shot.frames

"""Notes on takes: who writes what, at which frame, and who may change it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.common.errors import Conflict, NotAllowed, Refused
from apps.common.models import StateEvent
from apps.projects.roles import Role
from apps.review.models import ReviewNote, Take, Visibility
from apps.review.numbering import number_of
from apps.review.selectors import notes_for, open_note_counts
from apps.review.services import review_take
from apps.review.services.noting import add_note, delete_note, edit_note, resolve_note
from apps.review.services.playlists import create_playlist, delete_playlist
from apps.review.states import Media, Review
from tests.factories import ArtifactFactory, MembershipFactory, ShotFactory, TakeFactory

pytestmark = pytest.mark.django_db

STROKE = {"tool": "pen", "colour": "#ff3b30", "width": 0.004, "points": [[0.1, 0.2], [0.3, 0.4]]}


@pytest.fixture
def take() -> Take:
    """A clip of a shot with eight frames of handles in a film that begins at 1001."""
    shot = ShotFactory.create(status_id="review", handles=8, frames=48)
    length = {
        "wanted": {"frames": 48, "fps": "24", "head": 8, "tail": 8},
        "rendered": {"frames": 64, "fps": "24"},
    }
    made: Take = TakeFactory.create(
        shot=shot, kind="clip", stage="clip", length=length, media_state=Media.READY
    )
    return made


def member(take: Take, role: Role = Role.COORDINATOR) -> User:
    user: User = MembershipFactory.create(project=take.project, role=role).user
    return user


def say(take: Take, user: User | None = None, **told: Any) -> ReviewNote:
    return add_note(take, user=user or member(take), **({"text": "The sleigh is cut off"} | told))


def test_a_note_is_written_at_a_frame_of_the_projects_numbering(take: Take) -> None:
    note = say(take, frame=1013, drawing=[STROKE])
    assert note.frame == 12  # handles counted: the take begins at 1001
    assert number_of(take, note.frame) == 1013
    assert note.drawing == [STROKE]
    assert (note.stage, note.project) == ("clip", take.project)


def test_a_shot_that_moves_in_the_cut_keeps_its_notes(take: Take) -> None:
    note = say(take, frame=1013)
    take.shot.cut_in = 2009
    assert number_of(take, note.frame) == 2013


@pytest.mark.parametrize("frame", [0, 1000, 9_000_000])
def test_a_frame_the_take_does_not_have_is_refused(take: Take, frame: int) -> None:
    with pytest.raises(Refused, match="begins at frame 1001"):
        say(take, frame=frame)
    assert not ReviewNote.objects.exists()


def test_a_frame_behind_the_last_one_that_a_take_shows_is_refused_once_its_file_is_there(take: Take) -> None:
    assert say(take, frame=5000).frame == 3999  # nobody knows how long it will be
    ArtifactFactory.create(take=take, kind="video", media_type="video/mp4", frames=64, fps=24)
    assert say(take, frame=1064).frame == 63
    with pytest.raises(Refused, match="from frame 1001 to 1064"):
        say(take, frame=1065)


def test_a_picture_stands_as_long_as_its_shot_and_takes_notes_for_so_long() -> None:
    shot = ShotFactory.create(status_id="review", handles=8, frames=48)
    take = ArtifactFactory.create(take__shot=shot).take
    assert say(take, frame=1064).frame == 63
    with pytest.raises(Refused, match="from frame 1001 to 1064"):
        say(take, frame=99_999)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"text": "  "}, "write something, or draw"),
        ({"text": "x" * 4001}, "at most 4000"),
        ({"drawing": [STROKE], "frame": None}, "at which frame"),
        ({"visibility": "everybody"}, "choose one of: internal, client"),
    ],
)
def test_what_is_no_note_is_refused(take: Take, told: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused, match=words):
        say(take, **told)


def test_the_database_takes_no_empty_note(take: Take) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ReviewNote.objects.create(project=take.project, take=take, stage="clip", author="x", text="")


def test_answers_stand_under_a_note_of_the_same_take_and_no_deeper(take: Take) -> None:
    note = say(take)
    answer = say(take, reply_to=note)
    assert list(note.replies.all()) == [answer]
    other = say(TakeFactory.create(shot=take.shot, stage="clip"), member(take))
    for wrong in (answer, other):
        with pytest.raises(Refused, match="no answer itself"):
            say(take, reply_to=wrong)


def test_the_author_corrects_a_young_open_note(take: Take) -> None:
    user = member(take)
    note = say(take, user)
    edit_note(note, user=user, row_version=0, text="The sleigh is cut off on the left")
    note.refresh_from_db()
    assert (note.text, note.row_version) == ("The sleigh is cut off on the left", 1)
    with pytest.raises(Conflict, match="is at version"):
        edit_note(note, user=user, row_version=0, text="late")


def test_nobody_changes_anothers_note_an_old_one_or_a_resolved_one(take: Take) -> None:
    user = member(take)
    note = say(take, user)
    with pytest.raises(NotAllowed, match="answer it instead"):
        edit_note(note, user=member(take), row_version=0, text="no")
    with time_machine.travel(timezone.now() + timedelta(hours=25)), pytest.raises(Refused, match="for a day"):
        edit_note(note, user=user, row_version=0, text="no")
    resolve_note(note, user=user)
    note.refresh_from_db()
    with pytest.raises(Refused, match="while it is open"):
        edit_note(note, user=user, row_version=1, text="no")


def test_a_note_is_resolved_once_and_opened_again(take: Take) -> None:
    note, user = say(take), member(take, Role.ARTIST)
    take.shot.assignees.add(user)
    assert open_note_counts([take.pk]) == {take.pk: 1}
    assert resolve_note(note, user=user)
    assert not resolve_note(note, user=user)
    note.refresh_from_db()
    assert (note.resolved_by, note.resolved_at is not None) == (user.username, True)
    assert open_note_counts([take.pk]) == {}
    assert resolve_note(note, user=user, resolved=False)
    assert open_note_counts([take.pk]) == {take.pk: 1}


def test_an_answered_note_stays_but_for_who_manages_the_project(take: Take) -> None:
    user = member(take)
    note = say(take, user)
    say(take, reply_to=note)
    with pytest.raises(Refused, match="answered"):
        delete_note(note, user=user, row_version=0)
    delete_note(note, user=member(take, Role.ADMIN), row_version=0)
    assert not ReviewNote.objects.exists()


def test_a_client_writes_for_clients_reads_what_is_theirs_and_resolves_nothing(take: Take) -> None:
    client = member(take, Role.CLIENT)
    with pytest.raises(NotAllowed):
        say(take, client)  # nothing was shared with them yet
    playlist = create_playlist(
        project=take.project, user=member(take), name="For them", takes=[take], for_clients=True
    )
    own = say(take, client, visibility=Visibility.INTERNAL)
    assert own.visibility == Visibility.CLIENT
    secret = say(take)
    assert list(notes_for(client)) == [own]
    assert set(notes_for(member(take))) == {own, secret}
    with pytest.raises(NotAllowed, match="studio resolves"):
        resolve_note(own, user=client)
    delete_playlist(playlist, user=member(take), row_version=playlist.row_version)
    assert not notes_for(client).exists()


def test_somebody_of_another_film_says_nothing(take: Take) -> None:
    stranger = MembershipFactory.create().user
    with pytest.raises(NotAllowed):
        say(take, stranger)
    assert not notes_for(stranger).exists()


def test_a_retake_takes_the_open_notes_as_its_reason(take: Take) -> None:
    user = member(take)
    say(take, user, frame=1013, text="No lantern")
    done = say(take, user, text="Too dark")
    resolve_note(done, user=user)
    with pytest.raises(Refused, match="a retake needs a reason"):
        review_take(take, to=Review.RETAKE, user=user)
    assert review_take(take, to=Review.RETAKE, user=user, gather=True)
    event = StateEvent.objects.get(machine="take_review", subject=take.pk)
    assert event.reason == "1013: No lantern"

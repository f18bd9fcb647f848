"""A take's media and its review: two machines side by side, moved by media workers, people and lost files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from PIL import Image

from apps.accounts.models import User
from apps.common.errors import Refused
from apps.projects.roles import Role
from apps.review.models import Artifact, ArtifactRole, Take
from apps.review.services import look_again, process_media, review_take
from apps.review.states import Media, Review
from tests.event_chain import EventChain
from tests.factories import ArtifactFactory, MembershipFactory, ShotStatusFactory, TakeFactory
from tests.machines import play, seeds

pytestmark = pytest.mark.django_db


def picture() -> bytes:
    """A picture that decodes."""
    file = BytesIO()
    Image.new("RGB", (32, 18), "#b05020").save(file, "PNG")
    return file.getvalue()


FILE = picture()
FATES = {"whole": FILE, "cut off": FILE[:-9], "tampered": FILE[:-1] + b"\0", "gone": None}
"""What becomes of the take's file in the store."""
LOOKS = {"whole": Media.READY, "cut off": Media.BROKEN, "tampered": Media.BROKEN, "gone": Media.MISSING}
"""What whoever looks at it must find."""


class TakeMachine(RuleBasedStateMachine):
    def __init__(self, root: Path) -> None:
        super().__init__()
        self.example = transaction.atomic()
        self.example.__enter__()
        self.chain = EventChain()
        take = TakeFactory.create(shot__status=ShotStatusFactory.create(slug="review"))
        key = f"attempts/FILM/{take.attempt_id}/take.png"
        facts = {"bytes": len(FILE), "sha256": hashlib.sha256(FILE).hexdigest()}
        ArtifactFactory.create(take=take, key=key, **facts)
        self.chain = EventChain()  # the factories tell nothing of a birth
        self.page, self.file, self.fate = take, root / key, "whole"
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_bytes(FILE)
        self.person: User = MembershipFactory.create(project=take.project, role=Role.COORDINATOR).user

    def now(self) -> Take:
        return Take.objects.get(pk=self.page.pk)

    @rule()
    def somebody_opens_its_page(self) -> None:
        self.page = self.now()

    @rule(fate=st.sampled_from(sorted(FATES)))
    def something_happens_to_its_file(self, fate: str) -> None:
        content = FATES[fate]
        self.fate = fate
        if content is None:
            self.file.unlink(missing_ok=True)
        else:
            self.file.write_bytes(content)

    @rule()
    def the_media_worker_hears_of_it(self) -> None:
        before = self.now().media_state
        process_media(self.page.pk)
        assert self.now().media_state == (LOOKS[self.fate] if before == Media.PROCESSING else before)

    @rule()
    def somebody_has_it_looked_at_again(self) -> None:
        before = self.now().media_state
        assert look_again(self.page, user=self.person) == (before != Media.PROCESSING)
        assert self.now().media_state == Media.PROCESSING

    @rule(to=st.sampled_from(Review.values))
    def somebody_gives_a_verdict_from_that_page(self, to: str) -> None:
        before = self.now()
        try:
            decided = review_take(self.page, to=to, user=self.person, note="again")
        except Refused:
            assert (to, self.page.media_state in (Media.BROKEN, Media.MISSING)) == (Review.APPROVED, True)
            decided = False
        if decided:
            assert before.review_state == self.page.review_state, "an old page outvoted a newer verdict"
        assert self.now().review_state == (to if decided else before.review_state)

    @invariant()
    def its_events_tell_the_whole_way(self) -> None:
        self.chain.check()

    @invariant()
    def what_is_ready_has_one_thumbnail(self) -> None:
        thumbnails = Artifact.objects.filter(take=self.page, role=ArtifactRole.THUMBNAIL).count()
        assert thumbnails <= 1
        assert thumbnails == 1 or self.now().media_state != Media.READY

    @invariant()
    def the_shot_is_approved_with_its_take(self) -> None:
        take = self.now()
        assert (take.review_state == Review.APPROVED) == (take.shot.status_id == "approved")

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.example.__exit__(None, None, None)


@pytest.fixture
def machine(db: None, artifact_root: Path) -> Iterator[Callable[[], TakeMachine]]:
    """Makes a machine for each example."""
    yield lambda: TakeMachine(artifact_root)


@seeds(2)
def test_a_takes_media_and_review_move_only_as_their_tables_say(
    machine: Callable[[], TakeMachine], beginning: int
) -> None:
    play(machine, beginning=beginning, examples=4, steps=30)

"""What is remembered of the review: playlists and notes. Verdicts and selections are events of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.ledger.documents import Children, Document, Reference, track
from apps.projects.roles import Act
from apps.projects.selectors import require_each
from apps.projects.tracked import PERSON, PROJECT
from apps.review.models import ClientLink, Playlist, PlaylistItem, ReviewNote, Take
from apps.review.services.noting import require_own

TAKE = Reference(model=Take, by=("shot__sequence__code", "shot__code", "kind", "number"), within="project")
PLAYLIST = Reference(model=Playlist, by=("name",), within="project")


def _may_review(rows: Sequence[Any], user: User) -> None:
    require_each(user, Act.REVIEW, {row.project_id for row in rows})


def _may_share(links: Sequence[ClientLink], user: User) -> None:
    require_each(user, Act.REVIEW, {link.playlist.project_id for link in links})


def _may_correct(rows: Sequence[ReviewNote], user: User) -> None:
    for note in rows:
        require_own(note, user)


track(
    Document(
        model=Playlist,
        kind="playlist",
        label=("name",),
        references={"project": PROJECT, "made_by": PERSON},
        left_out=("until",),
        steered=("kind", "day"),
        children={
            "takes": Children(
                model=PlaylistItem,
                parent="playlist",
                key=("take",),
                references={"take": TAKE},
                ordered="position",
                flat=True,
                label=_("takes"),
            )
        },
        permit=_may_review,
    )
)
track(
    Document(
        model=ClientLink,
        kind="client_link",
        label=("playlist__name", "label"),
        joined=" · ",
        project="playlist__project",
        references={"playlist": PLAYLIST, "made_by": PERSON},
        left_out=("password", "views", "last_viewed_at"),
        # a link that was ended stays so: make another
        steered=("playlist", "label", "may_comment", "expires_at", "revoked_at", "revoked_by", "made_by"),
        permit=_may_share,
    )
)
track(
    Document(
        model=ReviewNote,
        kind="review_note",
        label=("take__shot__sequence__code", "take__shot__code", "author"),
        references={"project": PROJECT, "take": TAKE, "playlist": PLAYLIST},
        # whose it is says the author's name; a drawing is too large to be read as a difference
        left_out=("reply_to", "user", "guest", "drawing"),
        steered=("stage", "author", "frame", "resolved_at", "resolved_by"),
        permit=_may_correct,
    )
)

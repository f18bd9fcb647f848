"""What there is to look at, for whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
    Window,
)
from django.db.models.functions import RowNumber

from apps.accounts.models import User
from apps.productions.models import Sequence, Shot
from apps.productions.states import OMITTED
from apps.projects.models import Membership
from apps.projects.roles import Role
from apps.projects.selectors import Person, watched
from apps.review.models import (
    Artifact,
    ArtifactRole,
    Playlist,
    PlaylistItem,
    ReviewNote,
    Take,
    Visibility,
)
from apps.review.states import Media, Review

IN_ORDER: Final = (
    "shot__sequence__order",
    "shot__sequence__code",
    "shot__order",
    "shot__code",
    "stage",
    "number",
)
"""The order of the film."""


def is_client(user: Person, project_id: UUID) -> bool:
    """Tell whether this person is in the project as its client."""
    if not isinstance(user, User) or user.is_superuser:
        return False
    return Membership.objects.filter(user=user, project=project_id, role=Role.CLIENT).exists()


def playlists_for(user: Person, rows: QuerySet[Playlist] | None = None) -> QuerySet[Playlist]:
    """The playlists this person looks at: all of what they read; as a client those that are for clients."""
    return watched(Playlist.objects.all() if rows is None else rows, user, shared=Q(for_clients=True))


def shared_takes() -> QuerySet[PlaylistItem, UUID]:
    """The keys of the takes that clients look at: those in playlists for clients."""
    return PlaylistItem.objects.filter(playlist__for_clients=True).order_by().values_list("take", flat=True)


def is_shared(take: Take) -> bool:
    """Tell whether a take is in a playlist that clients see."""
    return shared_takes().filter(take=take.pk).exists()


def notes_for(user: Person, rows: QuerySet[ReviewNote] | None = None) -> QuerySet[ReviewNote]:
    """The notes this person reads: a client those for clients, about takes of playlists for clients."""
    shown = Q(visibility=Visibility.CLIENT, take__in=shared_takes())
    return watched(ReviewNote.objects.all() if rows is None else rows, user, shared=shown)


def takes_watched(user: Person) -> QuerySet[Take]:
    """The takes this person looks at: all of what they read; as a client those of playlists for clients."""
    return watched(Take.objects.all(), user, shared=Q(pk__in=shared_takes()))


def artifacts_watched(user: Person, rows: QuerySet[Artifact]) -> QuerySet[Artifact]:
    """The files this person is sent: all of what they read; as a client what shared playlists show."""
    shown = Q(role__in=(ArtifactRole.THUMBNAIL, ArtifactRole.PROXY)) | Q(
        role=ArtifactRole.PRIMARY, kind="image"
    )
    return watched(rows, user, shared=shown & Q(take__in=shared_takes()), path="take__project")


def open_note_counts(takes: Iterable[UUID]) -> Mapping[UUID, int]:
    """How many notes of each take are open, in one query; takes without any are not named."""
    rows = ReviewNote.objects.filter(take__in=list(takes), resolved_at=None, reply_to=None)
    return dict(rows.order_by().values("take").annotate(count=Count("pk")).values_list("take", "count"))


def looked_at(takes: QuerySet[Take]) -> QuerySet[Take]:
    """Takes with what a page of pictures says of them."""
    return takes.select_related("shot__sequence", "shot__project", "project")


def takes_of_shots(shots: Iterable[UUID], *, stage: str, which: str = "latest") -> QuerySet[Take]:
    """The takes of these shots that a playlist is made of, by the shots' order.

    ``which``: "latest" (the newest of the stage that can be seen) or "selected".
    """
    rows = looked_at(Take.objects.filter(shot__in=list(shots), stage=stage)).order_by(*IN_ORDER)
    if which == "selected":
        return rows.filter(selected=True)
    newest = Window(
        RowNumber(), partition_by=[F("shot_id")], order_by=[F("created_at").desc(), F("pk").desc()]
    )
    ranked = rows.filter(media_state__in=(Media.READY, Media.PROCESSING)).annotate(_rank=newest)
    return ranked.filter(_rank=1)


def best_takes(shots: Iterable[UUID], *, stage: str) -> dict[UUID, Take]:
    """For each shot its selected take of a stage, else the newest approved one, else the newest."""
    better = Case(
        When(selected=True, then=Value(0)),
        When(review_state=Review.APPROVED, then=Value(1)),
        When(review_state=Review.REJECTED, then=Value(3)),
        default=Value(2),
        output_field=IntegerField(),
    )
    rows = looked_at(Take.objects.filter(shot__in=list(shots), stage=stage)).annotate(
        _rank=Window(
            RowNumber(),
            partition_by=[F("shot_id")],
            order_by=[better.asc(), F("created_at").desc(), F("pk").desc()],
        )
    )
    return {take.shot_id: take for take in rows.filter(_rank=1)}


def neighbours(shot: Shot) -> tuple[Shot | None, Shot | None]:
    """The shots before and after in the film, but omitted ones; each takes two queries at most."""
    return _beside(shot, "lt"), _beside(shot, "gt")


def _beside(shot: Shot, way: str) -> Shot | None:
    sign = "-" if way == "lt" else ""
    kept = Shot.objects.exclude(status=OMITTED).select_related("sequence", "project")
    own = kept.filter(_beyond(shot, way), sequence=shot.sequence_id)
    found = own.order_by(f"{sign}order", f"{sign}code").first()
    if found is not None:
        return found
    with_shots = Exists(Shot.objects.filter(sequence=OuterRef("pk")).exclude(status=OMITTED))
    sequences = Sequence.objects.filter(_beyond(shot.sequence, way), with_shots, project=shot.project_id)
    next_one = sequences.order_by(f"{sign}order", f"{sign}code").first()
    if next_one is None:
        return None
    return kept.filter(sequence=next_one).order_by(f"{sign}order", f"{sign}code").first()


def _beyond(row: Shot | Sequence, way: str) -> Q:
    """Rows on one side of this one: by order, then by code."""
    return Q(**{f"order__{way}": row.order}) | Q(**{"order": row.order, f"code__{way}": row.code})

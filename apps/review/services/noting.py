"""Say something about a take, answer, correct it, and call it done."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any, Final

from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import NotAllowed, Problem, Refused
from apps.ledger.services.recording import changing
from apps.ledger.services.versions import claim
from apps.projects.roles import Act
from apps.projects.selectors import may, require
from apps.review.drawings import clean_drawing
from apps.review.models import ClientGuest, Playlist, ReviewNote, Take, Visibility
from apps.review.models.notes import MOST_TEXT
from apps.review.numbering import frame_from
from apps.review.playing import frames_of
from apps.review.selectors import is_client, is_shared

logger = logging.getLogger(__name__)

CORRECTED_FOR: Final = timedelta(hours=24)
"""How long an author may still change what they wrote: later somebody has worked by it."""


def add_note(
    take: Take,
    *,
    user: User,
    text: str = "",
    frame: int | None = None,
    drawing: Any = None,
    visibility: str = Visibility.INTERNAL,
    reply_to: ReviewNote | None = None,
    playlist: Playlist | None = None,
) -> ReviewNote:
    """Write a note about a take; ``frame`` in the project's numbering. What a client writes, clients see.

    Raises NotAllowed; Refused, naming what is wrong.
    """
    _require_comment(take, user)
    if is_client(user, take.project_id):
        visibility = Visibility.CLIENT
    return _write(
        take,
        text=text,
        frame=frame,
        drawing=drawing,
        visibility=visibility,
        reply_to=reply_to,
        playlist=playlist,
        author=user.get_full_name() or user.get_username(),
        user=user,
    )


def add_guest_note(
    take: Take,
    *,
    guest: ClientGuest,
    text: str = "",
    frame: int | None = None,
    drawing: Any = None,
    reply_to: ReviewNote | None = None,
) -> ReviewNote:
    """Write a note in the name of somebody who came by a client link. Raises Refused."""
    if not guest.link.may_comment:
        raise NotAllowed(_("this link shows the takes; it takes no notes"))
    return _write(
        take,
        text=text,
        frame=frame,
        drawing=drawing,
        visibility=Visibility.CLIENT,
        reply_to=reply_to,
        playlist=guest.link.playlist,
        author=guest.name,
        guest=guest,
    )


def edit_note(
    note: ReviewNote, *, user: User, row_version: int, text: str | None = None, visibility: str | None = None
) -> None:
    """Correct one's own note while it is young and open. Raises NotAllowed, Refused, Conflict."""
    require_own(note, user)
    if note.resolved_at is not None or timezone.now() - note.created_at > CORRECTED_FOR:
        told = _("a note can be changed by its author for a day, while it is open; write another one")
        raise Refused(Problem("text", "", told, code="too_late"))
    changes: dict[str, Any] = {}
    if text is not None:
        changes["text"] = _clean_text(text, note.drawing)
    if visibility is not None:
        _check_visibility(visibility)
        changes["visibility"] = Visibility.CLIENT if is_client(user, note.project_id) else visibility
    with changing(ReviewNote, [note.pk], actor=user):
        claim(note, row_version, **changes)


def delete_note(note: ReviewNote, *, user: User, row_version: int) -> None:
    """Take a note away: one's own that nobody has answered, or any with the right to manage the project.

    Raises NotAllowed, Refused, Stale.
    """
    if not may(user, Act.MANAGE, note.project):
        require_own(note, user)
        if note.replies.exists():
            told = _("somebody has answered this note; resolve it instead")
            raise Refused(Problem("note", "", told, code="answered"))
    with changing(ReviewNote, [note.pk], actor=user):
        claim(note, row_version)
        ReviewNote.objects.filter(pk=note.pk).delete()
    logger.info(
        "note deleted", extra={"note": str(note.pk), "by": user.get_username(), "text": note.text[:80]}
    )


def resolve_note(note: ReviewNote, *, user: User, resolved: bool = True) -> bool:
    """Call a note done, or open it again; return False if it is so already. Clients leave that to the studio.

    Raises NotAllowed; Refused for an answer, which goes with what it answers.
    """
    _require_comment(note.take, user)
    if is_client(user, note.project_id):
        raise NotAllowed(_("the studio resolves notes"))
    if note.reply_to_id is not None:
        told = _("an answer is resolved with the note it answers")
        raise Refused(Problem("resolved", "", told, code="answer"))
    mine = ReviewNote.objects.filter(pk=note.pk, resolved_at__isnull=resolved)
    with changing(ReviewNote, [note.pk], actor=user):
        changed = mine.update(
            resolved_at=Now() if resolved else None,
            resolved_by=user.get_username() if resolved else "",
            row_version=F("row_version") + 1,
            updated_at=Now(),
        )
    return bool(changed)


def _write(
    take: Take,
    *,
    text: str,
    frame: int | None,
    drawing: Any,
    visibility: str,
    reply_to: ReviewNote | None,
    playlist: Playlist | None,
    author: str,
    user: User | None = None,
    guest: ClientGuest | None = None,
) -> ReviewNote:
    _check_visibility(visibility)
    strokes = clean_drawing(drawing)
    if reply_to is not None and (reply_to.take_id != take.pk or reply_to.reply_to_id is not None):
        told = _("answer a note of the same take that is no answer itself")
        raise Refused(Problem("reply_to", str(reply_to.pk), told))
    if strokes and frame is None:
        raise Refused(Problem("frame", "", _("say at which frame the drawing stands"), code="required"))
    with changing(ReviewNote, actor=user or f"guest {author}") as change:
        note: ReviewNote = ReviewNote.objects.create(
            project_id=take.project_id,
            take=take,
            stage=take.stage,
            playlist=playlist,
            reply_to=reply_to,
            frame=frame_from(take, frame, None if frame is None else frames_of(take)),
            text=_clean_text(text, strokes),
            drawing=strokes,
            visibility=visibility,
            author=author,
            user=user,
            guest=guest,
        )
        change.born(note)
    logger.info("note written", extra={"note": str(note.pk), "take": str(take.pk), "by": author})
    return note


def _clean_text(text: str, drawing: object) -> str:
    said = text.strip()
    if not said and not drawing:
        raise Refused(Problem("text", "", _("write something, or draw"), code="required"))
    if len(said) > MOST_TEXT:
        raise Refused(Problem("text", said[:40], _("at most %d letters") % MOST_TEXT, code="max_length"))
    return said


def _check_visibility(visibility: str) -> None:
    if visibility not in Visibility.values:
        told = _("choose one of: %s") % ", ".join(Visibility.values)
        raise Refused(Problem("visibility", visibility, told))


def _require_comment(take: Take, user: User) -> None:
    require(user, Act.COMMENT, take.project, shot=take.shot_id, stage=take.stage, shared=is_shared(take))


def require_own(note: ReviewNote, user: User) -> None:
    """Raise NotAllowed unless this person wrote the note, and may still write there."""
    _require_comment(note.take, user)
    if note.user_id != user.pk:
        raise NotAllowed(_("this note is %(author)s's; answer it instead") % {"author": note.author})

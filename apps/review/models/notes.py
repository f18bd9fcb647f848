"""What people say about takes."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.common.models import BaseModel
from apps.projects.stages import Stage
from apps.review.models.clients import ClientGuest
from apps.review.models.playlists import Playlist
from apps.review.models.takes import Take

MOST_TEXT: Final = 4000
"""Letters of a note."""


class Visibility(models.TextChoices):
    """Who reads a note."""

    INTERNAL = "internal", _("for the studio")
    CLIENT = "client", _("for the client too")


class ReviewNote(BaseModel):
    """A remark about a take, at one of its frames or about all of it, perhaps with a drawing on the picture.

    ``frame`` counts the project's frames from the take's first (0), so that a shot which moves in the cut
    keeps its notes; people read and write it in the project's numbering (apps.review.numbering). ``drawing``:
    strokes as apps.review.drawings checks them. ``author`` is the name that was shown; of a member ``user``
    too, of a guest with a client link ``guest``. ``playlist``: where it was said. Resolved notes say by whom.
    """

    project = models.ForeignKey(
        "projects.Project", models.CASCADE, related_name="review_notes", verbose_name=_("project")
    )
    take = models.ForeignKey(Take, models.CASCADE, related_name="notes", verbose_name=_("take"))
    playlist = models.ForeignKey(
        Playlist, models.SET_NULL, null=True, blank=True, related_name="notes", verbose_name=_("playlist")
    )
    reply_to = models.ForeignKey(
        "self", models.CASCADE, null=True, blank=True, related_name="replies", verbose_name=_("answers")
    )
    frame = models.PositiveIntegerField(_("frame"), null=True, blank=True)
    text = models.TextField(
        pgettext_lazy("review", "note"), blank=True, validators=[MaxLengthValidator(MOST_TEXT)]
    )
    drawing = models.JSONField(_("drawing"), default=list, blank=True)
    stage = models.CharField(_("department"), max_length=10, choices=Stage.choices)
    visibility = models.CharField(
        _("seen by"), max_length=10, choices=Visibility.choices, default=Visibility.INTERNAL
    )
    author = models.CharField(_("author"), max_length=150)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="review_notes"
    )
    guest = models.ForeignKey(
        ClientGuest, models.SET_NULL, null=True, blank=True, related_name="notes", verbose_name=_("guest")
    )
    resolved_at = models.DateTimeField(_("resolved at"), null=True, blank=True)
    resolved_by = models.CharField(_("resolved by"), max_length=150, blank=True)

    class Meta:
        ordering = ["created_at", "pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(text="") | ~Q(drawing=[]), name="note_says_something"),
            models.CheckConstraint(
                condition=Q(resolved_at=None, resolved_by="")
                | (Q(resolved_at__isnull=False) & ~Q(resolved_by="")),
                name="resolved_note_has_who",
            ),
            models.CheckConstraint(condition=~Q(reply_to=models.F("pk")), name="note_answers_another"),
            models.CheckConstraint(
                condition=Q(visibility__in=[str(value) for value in Visibility.values]),
                name="note_visibility_is_known",
            ),
        ]
        indexes = [
            models.Index(fields=["take", "created_at"], name="notes_of_take"),
            models.Index(fields=["project", "-created_at"], name="note_list"),
            models.Index(
                fields=["take"], condition=Q(resolved_at=None, reply_to=None), name="open_notes_of_take"
            ),
        ]
        verbose_name = _("review note")
        verbose_name_plural = _("review notes")

    def __str__(self) -> str:
        return f"{self.author}: {self.text[:60]}"

"""Takes in an order: what is looked at together."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.common.models import BaseModel
from apps.review.models.takes import Take

MOST_ITEMS: Final = 500
"""Takes of one playlist: nobody looks at more in a session, and a page shows them all."""


class PlaylistKind(models.TextChoices):
    """How a playlist came to be."""

    MANUAL = "manual", _("playlist")
    DAILIES = "dailies", _("dailies")


class Playlist(BaseModel):
    """Takes to look at together, in an order.

    ``for_clients``: members whose role is client see it. Dailies belong to a ``day``, one list each, and hold
    what came until ``until``.
    """

    project = models.ForeignKey(
        "projects.Project", models.CASCADE, related_name="playlists", verbose_name=_("project")
    )
    kind = models.CharField(
        _("kind"), max_length=10, choices=PlaylistKind.choices, default=PlaylistKind.MANUAL
    )
    name = models.CharField(_("name"), max_length=120)
    description = models.TextField(_("description"), blank=True, max_length=2000)
    day = models.DateField(pgettext_lazy("dailies", "day"), null=True, blank=True)
    until = models.DateTimeField(_("holds takes until"), null=True, blank=True, editable=False)
    for_clients = models.BooleanField(
        _("for clients"),
        default=False,
        help_text=_("Members whose role is client see it. Guests see it by a link, whatever this says."),
    )
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("made by"),
    )

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "day"], condition=Q(kind="dailies"), name="dailies_once_a_day"
            ),
            models.CheckConstraint(
                condition=Q(kind="manual", day=None, until=None)
                | Q(kind="dailies", day__isnull=False, until__isnull=False),
                name="dailies_have_a_day",
            ),
        ]
        indexes = [
            models.Index(fields=["project", "-created_at"], name="playlist_list"),
            models.Index(fields=["project"], condition=Q(for_clients=True), name="playlists_for_clients"),
        ]
        verbose_name = _("playlist")
        verbose_name_plural = _("playlists")

    def __str__(self) -> str:
        return self.name


class PlaylistItem(models.Model):
    """A take's place in a playlist; a take stands in it once."""

    playlist = models.ForeignKey(Playlist, models.CASCADE, related_name="items")
    take = models.ForeignKey(Take, models.CASCADE, related_name="places", verbose_name=_("take"))
    position = models.PositiveIntegerField(_("position"))

    class Meta:
        ordering = ["playlist", "position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["playlist", "take"], name="take_once_in_a_playlist"),
        ]
        indexes = [models.Index(fields=["playlist", "position"], name="playlist_order")]
        verbose_name = _("place in a playlist")
        verbose_name_plural = _("places in a playlist")

    def __str__(self) -> str:
        return f"{self.position}"

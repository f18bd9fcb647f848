"""Links that show one playlist to somebody without an account, and whoever came by them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.common.models import BaseModel
from apps.review.models.playlists import Playlist


class ClientLink(BaseModel):
    """A way to one playlist for people without an account, until it expires or is revoked.

    The address is signed (apps.review.links) and nowhere stored. ``password``: a hash, "" for none.
    """

    playlist = models.ForeignKey(Playlist, models.CASCADE, related_name="links", verbose_name=_("playlist"))
    label = models.CharField(_("for whom"), max_length=120, blank=True)
    password = models.CharField(max_length=128, blank=True, editable=False)
    may_comment = models.BooleanField(_("may write notes"), default=True)
    expires_at = models.DateTimeField(_("ends"))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    revoked_by = models.CharField(_("revoked by"), max_length=150, blank=True)
    views = models.PositiveIntegerField(_("views"), default=0)
    last_viewed_at = models.DateTimeField(_("last viewed"), null=True, blank=True)
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
            models.CheckConstraint(
                condition=Q(revoked_at=None, revoked_by="")
                | (Q(revoked_at__isnull=False) & ~Q(revoked_by="")),
                name="revoked_link_has_who",
            )
        ]
        verbose_name = _("client link")
        verbose_name_plural = _("client links")

    def __str__(self) -> str:
        return self.label or f"{self.playlist_id}"

    @property
    def open(self) -> bool:
        """Whether it still leads anywhere."""
        return self.revoked_at is None and self.expires_at > timezone.now()


class ClientGuest(BaseModel):
    """Somebody who came by a link and said who they are."""

    link = models.ForeignKey(ClientLink, models.CASCADE, related_name="guests", verbose_name=_("link"))
    name = models.CharField(_("name"), max_length=80)
    seen_at = models.DateTimeField(_("last seen"), default=timezone.now)

    class Meta:
        ordering = ["link", "created_at"]
        verbose_name = _("guest")
        verbose_name_plural = _("guests")

    def __str__(self) -> str:
        return self.name

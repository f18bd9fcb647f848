"""Archives of projects: who asked for what, how far it is, what came of it, and until when it lies there."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.common.models import BaseModel
from apps.keeping.states import ARCHIVE, OPEN, ArchiveState
from apps.projects.models import Project


class Takes(models.TextChoices):
    """Whose files go along."""

    NONE = "none", pgettext_lazy("takes of an archive", "none")
    SELECTED = "selected", pgettext_lazy("takes of an archive", "those selected")
    APPROVED = "approved", pgettext_lazy("takes of an archive", "those selected or approved")
    ALL = "all", pgettext_lazy("takes of an archive", "all")


class ProjectArchive(BaseModel):
    """One archive. ``run``: whose writing counts; ``beat_at``: when that worker was heard last.

    ``done`` of ``total`` bytes of media are in it. ``key``: of the whole ZIP in the artifact store, "" until
    it is whole. ``missing``: files that were named and are not in the store, told inside as well.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="archives", verbose_name=_("project"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("asked for by")
    )
    takes = models.CharField(_("takes"), max_length=10, choices=Takes.choices, default=Takes.APPROVED)
    materials = models.BooleanField(_("material too"), default=True)
    state = models.CharField(
        _("state"), max_length=10, choices=ArchiveState.choices, default=ArchiveState.WANTED
    )
    run = models.UUIDField(null=True, editable=False)
    asked_at = models.DateTimeField(editable=False)
    beat_at = models.DateTimeField(null=True, editable=False)
    done = models.PositiveBigIntegerField(default=0, editable=False)
    total = models.PositiveBigIntegerField(default=0, editable=False)
    key = models.CharField(max_length=255, blank=True, editable=False)
    bytes = models.PositiveBigIntegerField(_("bytes"), default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    files = models.PositiveIntegerField(_("files"), default=0)
    missing = models.PositiveIntegerField(_("missing files"), default=0)
    problem = models.TextField(_("problem"), blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    expires_at = models.DateTimeField(_("lies there until"), null=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            ARCHIVE.constraint("archive_state_is_known"),
            models.UniqueConstraint(
                fields=["project"],
                condition=Q(state__in=[state.value for state in OPEN]),
                name="one_open_archive_per_project",
            ),
            models.CheckConstraint(
                condition=~Q(state=ArchiveState.READY)
                | (~Q(key="") & ~Q(sha256="") & Q(expires_at__isnull=False)),
                name="ready_archive_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(takes__in=[str(value) for value in Takes.values]), name="archive_takes_are_known"
            ),
        ]
        indexes = [
            models.Index(fields=["project", "-created_at"], name="archives_of_project"),
            models.Index(
                fields=["asked_at"],
                condition=Q(state__in=[state.value for state in OPEN]),
                name="open_archives",
            ),
            models.Index(
                fields=["expires_at"], condition=Q(state=ArchiveState.READY), name="archives_that_expire"
            ),
        ]
        verbose_name = _("archive")
        verbose_name_plural = _("archives")

    def __str__(self) -> str:
        return self.file_name

    @property
    def file_name(self) -> str:
        """What the download is called."""
        return f"{self.project.code}_{self.created_at:%Y-%m-%d}.zip"

    @property
    def folder(self) -> str:
        """Where each of its writings lies in the artifact store."""
        return f"archives/{self.project.code}/{self.pk}"

    def key_of(self, run: UUID) -> str:
        """Where one writing puts the whole ZIP."""
        return f"{self.folder}/{run.hex}.zip"

    @property
    def open(self) -> bool:
        """Whether somebody waits for it still."""
        return self.state in OPEN

    @property
    def downloadable(self) -> bool:
        """Whether there is a file to fetch."""
        return self.state == ArchiveState.READY

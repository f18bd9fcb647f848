"""Layouts in versions, the one a project holds, what was published where, and where each system finds it."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.models import BaseModel
from apps.folders.states import PUBLICATION, Published
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.projects.stages import Stage
from apps.review.models import Take


class PathTemplate(BaseModel):
    """One version of a layout of folders and names (apps.folders.language). What is used never changes.

    ``row_version`` grows in all versions of a layout when it gets another: whoever has any of them open is
    told. ``saved_by``: "" for those of a release.
    """

    slug = models.SlugField(_("layout"), max_length=40)
    number = models.PositiveSmallIntegerField(_("version"))
    name = models.CharField(_("name"), max_length=80)
    name_ko = models.CharField(_("name (Korean)"), max_length=80, blank=True)
    text = models.TextField(_("rules"))
    used_at = models.DateTimeField(_("in use since"), null=True, blank=True, editable=False)
    saved_by = models.CharField(_("saved by"), max_length=150, blank=True, editable=False)

    class Meta:
        ordering = ["slug", "-number"]
        constraints = [models.UniqueConstraint(fields=["slug", "number"], name="layout_version_is_unique")]
        verbose_name = _("layout of folders")
        verbose_name_plural = _("layouts of folders")

    def __str__(self) -> str:
        return f"{self.slug} v{self.number}"


class PublishWhen(models.TextChoices):
    """When a take's file goes to the shot's folder by itself."""

    NEVER = "never", _("only when somebody asks for it")
    SELECTED = "selected", _("when the take is selected")
    APPROVED = "approved", _("when the take is selected or approved")


class ProjectFolders(BaseModel):
    """Which version of a layout a project holds, and what its last creation of folders did.

    ``wanted_at``: somebody confirmed, and the media worker has not done it yet.
    """

    project = models.OneToOneField(Project, models.CASCADE, related_name="folders")
    template = models.ForeignKey(
        PathTemplate, models.PROTECT, related_name="projects", verbose_name=_("layout of folders")
    )
    publish = models.CharField(
        _("publish"), max_length=10, choices=PublishWhen.choices, default=PublishWhen.APPROVED
    )
    wanted_at = models.DateTimeField(null=True, editable=False)
    asked_at = models.DateTimeField(null=True, editable=False)
    wanted_by = models.CharField(max_length=150, blank=True, editable=False)
    confirmed_at = models.DateTimeField(_("made"), null=True, editable=False)
    confirmed_by = models.CharField(_("made by"), max_length=150, blank=True, editable=False)
    report = models.JSONField(default=dict, blank=True, editable=False)

    class Meta:
        verbose_name = _("folders of a project")
        verbose_name_plural = _("folders of projects")
        indexes = [
            models.Index(
                fields=["asked_at"], condition=models.Q(wanted_at__isnull=False), name="folders_wanted"
            )
        ]

    def __str__(self) -> str:
        return f"{self.project.code} · {self.template}"


class Publication(BaseModel):
    """One file of a take at its published path, below the root of what is published.

    The path never changes and is never given to another file: ``path_key`` is what disks that know no
    case make of it. Take and shot may go; what was published stays, and so does its row.
    """

    project = models.ForeignKey(
        Project, models.CASCADE, related_name="publications", verbose_name=_("project")
    )
    shot = models.ForeignKey(
        Shot, models.SET_NULL, null=True, related_name="publications", verbose_name=_("shot")
    )
    take = models.ForeignKey(
        Take, models.SET_NULL, null=True, related_name="publications", verbose_name=_("take")
    )
    artifact_id = models.UUIDField(unique=True, editable=False)
    source_key = models.CharField(max_length=400, editable=False)
    template = models.ForeignKey(
        PathTemplate, models.PROTECT, related_name="+", verbose_name=_("layout of folders")
    )
    stage = models.CharField(_("stage"), max_length=20)
    version = models.PositiveIntegerField(_("version"))
    path = models.CharField(_("path"), max_length=400)
    path_key = models.CharField(max_length=400, unique=True, editable=False)
    bytes = models.PositiveBigIntegerField(_("bytes"))
    sha256 = models.CharField(max_length=64)
    state = models.CharField(_("state"), max_length=12, choices=Published.choices, default=Published.WANTED)
    problem = models.TextField(_("problem"), blank=True)
    how = models.CharField(_("how"), max_length=10, blank=True)
    asked_by = models.CharField(_("asked for by"), max_length=150, blank=True)
    published_at = models.DateTimeField(_("published"), null=True)

    class Meta:
        ordering = ["path"]
        constraints = [PUBLICATION.constraint("publication_state_is_known")]
        indexes = [
            models.Index(
                fields=["updated_at"], condition=models.Q(state=Published.WANTED), name="publications_wanted"
            ),
            models.Index(fields=["project", "path"], name="publications_of_project"),
        ]
        verbose_name = _("published file")
        verbose_name_plural = _("published files")

    def __str__(self) -> str:
        return self.path

    def get_stage_label(self) -> str:
        """The stage in the reader's language."""
        return str(Stage(self.stage).label)


class System(models.TextChoices):
    """Whose way of writing paths."""

    LINUX = "linux", "Linux"
    WINDOWS = "windows", "Windows"
    MAC = "mac", "macOS"


class Mount(BaseModel):
    """Where one operating system finds the root of what is published: /mnt/farm, P:\\, /Volumes/farm."""

    system = models.CharField(_("system"), max_length=10, choices=System.choices, unique=True)
    root = models.CharField(
        _("where it is mounted"),
        max_length=200,
        help_text=_("Such as /mnt/farm, P:\\ or \\\\server\\farm, /Volumes/farm."),
    )

    class Meta:
        ordering = ["system"]
        verbose_name = _("mount")
        verbose_name_plural = _("mounts")

    def __str__(self) -> str:
        return f"{self.get_system_display()}: {self.root}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep it as it will be written before paths."""
        self.root = self.root.strip()
        super().save(*args, **kwargs)

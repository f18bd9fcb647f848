"""Workflow templates: every version that was ever used is kept, and never changed."""

from __future__ import annotations

from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.models import BaseModel
from apps.workflows.rules import RecommendationRule
from apps.workflows.states import IMPORT, ImportState

__all__ = [
    "FrozenVersionError",
    "Kind",
    "RecommendationRule",
    "WorkflowTemplate",
    "WorkflowTemplateVersion",
]


class Kind(models.TextChoices):
    """What a template makes of a shot."""

    KEYFRAME = "keyframe", _("keyframe")
    CLIP = "clip", _("clip")
    FRAMES = "frames", _("frames")
    SLATE = "slate", _("slate")


class Origin(models.TextChoices):
    """Who looks after a template: releases, by sync_workflows, or the studio, by imports."""

    PACKAGED = "packaged", _("shipped")
    IMPORTED = "imported", _("imported")


class FrozenVersionError(TypeError):
    """Somebody tried to change or delete a template version: takes were made with it. Add a new one."""

    def __init__(self) -> None:
        super().__init__("Template versions are never changed or deleted; sync_workflows adds new ones.")


class WorkflowTemplate(BaseModel):
    """A workflow by name. What is rendered is its ``current`` version.

    ``chosen_by``: who made an older version the current one; sync_workflows leaves that choice alone.
    "" while the newest is current.
    """

    slug = models.SlugField(_("name"), unique=True)
    title = models.CharField(_("title"), max_length=120)
    title_ko = models.CharField(_("title (Korean)"), max_length=120, blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    active = models.BooleanField(_("offered"), default=True)
    current = models.ForeignKey(
        "WorkflowTemplateVersion",
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("current version"),
    )
    origin = models.CharField(
        _("origin"), max_length=10, choices=Origin.choices, default=Origin.PACKAGED, editable=False
    )
    chosen_by = models.CharField(_("chosen by"), max_length=150, blank=True, default="", editable=False)

    class Meta:
        ordering = ["slug"]
        verbose_name = _("workflow template")
        verbose_name_plural = _("workflow templates")

    def __str__(self) -> str:
        return self.slug


class FrozenRows(models.QuerySet["WorkflowTemplateVersion"]):
    """Rows that are only ever added."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise FrozenVersionError

    def delete(self) -> NoReturn:
        raise FrozenVersionError


class WorkflowTemplateVersion(BaseModel):
    """One graph with its manifest, immutable. ``content_hash``: SHA-256 over both, canonical JSON.

    A database trigger refuses updates too. ``models_needed``: ``[{"folder", "name", "precision"}]``,
    precision null where every precision needs the file.
    """

    template = models.ForeignKey(WorkflowTemplate, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    content_hash = models.CharField(max_length=64, unique=True)
    graph = models.JSONField(_("graph"))
    manifest = models.JSONField(_("manifest"))
    classes = models.JSONField(default=list)
    models_needed = models.JSONField(default=list)

    objects = FrozenRows.as_manager()

    class Meta:
        ordering = ["template", "-number"]
        constraints = [models.UniqueConstraint(fields=["template", "number"], name="one_version_per_number")]
        verbose_name = _("template version")
        verbose_name_plural = _("template versions")

    def __str__(self) -> str:
        return f"{self.template.slug} v{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add the row. Raises FrozenVersionError if it is there already."""
        if not self._state.adding:
            raise FrozenVersionError
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise FrozenVersionError


class VersionDeprecation(BaseModel):
    """A version that is not offered for new renders any more; what was made with it can be made again.

    It stands beside the version, which never changes.
    """

    version = models.OneToOneField(
        WorkflowTemplateVersion,
        models.PROTECT,
        related_name="deprecation",
        verbose_name=_("template version"),
    )
    reason = models.CharField(_("reason"), max_length=400)
    by = models.CharField(_("by"), max_length=150)

    class Meta:
        verbose_name = _("deprecated version")
        verbose_name_plural = _("deprecated versions")

    def __str__(self) -> str:
        return f"{self.version}: {self.reason}"


class WorkflowImport(BaseModel):
    """A file somebody brought, and how far it is on its way to a template. Nothing of it is lost.

    ``original``: key of the file in the artifact store, as it came. ``catalogue``: the name of the node
    catalogue it was converted with (see catalogues). ``graph``: API format, empty if it could not be
    converted. ``problems`` and ``notes``: ``[{"node", "title", "input", "code", "message", "nearest",
    "absent"}]``; absent is a model file that the catalogue's server lacks: no fault of the graph.
    ``manifest``: the document as far as it was filled in. ``version``: what it became.
    """

    state = models.CharField(_("state"), max_length=12, choices=ImportState.choices)
    file_name = models.CharField(_("file"), max_length=200)
    sha256 = models.CharField(max_length=64, unique=True)
    bytes = models.PositiveBigIntegerField(_("bytes"))
    original = models.CharField(max_length=200)
    imported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("imported by")
    )
    catalogue = models.CharField(_("node catalogue"), max_length=120)
    graph = models.JSONField(_("graph"), default=dict)
    notes = models.JSONField(_("notes"), default=list)
    problems = models.JSONField(_("problems"), default=list)
    manifest = models.JSONField(_("manifest"), default=dict)
    version = models.ForeignKey(
        WorkflowTemplateVersion,
        models.PROTECT,
        null=True,
        related_name="imports",
        verbose_name=_("template version"),
    )

    class Meta:
        ordering = ["-created_at"]
        constraints = [IMPORT.constraint("import_state_is_known")]
        verbose_name = _("imported workflow")
        verbose_name_plural = _("imported workflows")

    def __str__(self) -> str:
        return self.file_name

"""Workflow templates: every version that was ever used is kept, and never changed."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.models import BaseModel
from apps.workflows.rules import RecommendationRule

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
    SLATE = "slate", _("slate")


class FrozenVersionError(TypeError):
    """Somebody tried to change or delete a template version: takes were made with it. Add a new one."""

    def __init__(self) -> None:
        super().__init__("Template versions are never changed or deleted; sync_workflows adds new ones.")


class WorkflowTemplate(BaseModel):
    """A workflow by name. What is rendered is its ``current`` version: the one the package holds now."""

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

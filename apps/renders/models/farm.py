"""Facts and intents of the whole farm: who leads, what is held, what is limited, what was used."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.models import BaseModel
from apps.projects.models import Project
from apps.workflows.models import WorkflowTemplate


class FarmClock(models.Model):
    """One row of farm-wide facts that must outlive processes: who leads, and when word last came.

    ``grace_until``: no lease expires before it (no lease storm after an outage, design §6).
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    leader = models.CharField(max_length=120, blank=True)
    leader_until = models.DateTimeField(null=True)
    word_at = models.DateTimeField(null=True)
    grace_until = models.DateTimeField(null=True)
    stale_reports = models.PositiveIntegerField(default=0)
    forged_reports = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_farm_clock")]
        verbose_name = _("farm clock")

    def __str__(self) -> str:
        return self.leader

    def led_by(self, now: datetime) -> str:
        """Who leads now; "" for nobody: then nothing is dispatched, and reasons of waits grow old."""
        return "" if self.leader_until is not None and self.leader_until < now else self.leader


class Hold(BaseModel):
    """The farm, or one VRAM tier, is paused. What a node already has goes on. No row: not paused.

    ``scope``: :data:`FARM`, or a tier in GB.
    """

    FARM: ClassVar[str] = "farm"

    scope = models.CharField(_("what is paused"), max_length=8, unique=True)
    by = models.CharField(_("paused by"), max_length=150)
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    class Meta:
        ordering = ["scope"]
        verbose_name = _("pause of the farm or a tier")
        verbose_name_plural = _("pauses of the farm or a tier")

    def __str__(self) -> str:
        return self.scope


class Limit(BaseModel):
    """At most ``most`` jobs of its templates at once, on the whole farm: a licence, a paid API."""

    name = models.SlugField(_("name"), unique=True)
    most = models.PositiveIntegerField(_("at most at once"))
    templates = models.ManyToManyField(WorkflowTemplate, related_name="limits", verbose_name=_("templates"))
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("limit")
        verbose_name_plural = _("limits")

    def __str__(self) -> str:
        return f"{self.name} ≤ {self.most}"


class Usage(models.Model):
    """GPU seconds a project used in one hour (by the database's clock): what its fair share is judged by."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="usage")
    hour = models.DateTimeField()
    gpu_seconds = models.FloatField(default=0.0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "hour"], name="usage_per_hour")]
        indexes = [models.Index(fields=["hour"], name="usage_window")]
        verbose_name = _("GPU time used")
        verbose_name_plural = _("GPU time used")

    def __str__(self) -> str:
        return f"{self.project_id} {self.hour:%Y-%m-%d %H}"

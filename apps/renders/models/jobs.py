"""Jobs and their attempts: the truth about what renders, and why."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.models import BaseModel
from apps.materials.models import Material
from apps.nodes.models import Node, Pool
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.projects.stages import Stage
from apps.prompts.models import PromptBuild
from apps.renders.models.lanes import Lane
from apps.renders.states import JOB, JobState
from apps.review.models import Take
from apps.workflows.models import Kind, WorkflowTemplateVersion

LONGEST_LORA_FILES: Final = 1_000
"""Bytes of one job's LoRA file names, line ends included: they stand in an index."""

LONGEST_AVOIDS: Final = 1_000
"""Characters of the names of nodes a job avoids, line ends included."""


class Priority(models.IntegerChoices):
    """Priority classes. Urgent work goes before all other work, whatever its age."""

    LOW = 0, _("low")
    NORMAL = 10, _("normal")
    HIGH = 20, _("high")
    URGENT = 30, _("urgent")


class RenderBatch(BaseModel):
    """What one press of Render asked for. The same ``idempotency_key`` gives the same batch."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="batches", verbose_name=_("project"))
    code = models.CharField(_("code"), max_length=20, unique=True)
    idempotency_key = models.CharField(max_length=100)
    request_hash = models.CharField(max_length=64)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("submitted by")
    )
    note = models.CharField(_("note"), max_length=200, blank=True)
    paused = models.BooleanField(_("paused"), default=False)
    paused_by = models.CharField(_("paused by"), max_length=150, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["project", "idempotency_key"], name="one_batch_per_request")
        ]
        verbose_name = _("render batch")
        verbose_name_plural = _("render batches")

    def __str__(self) -> str:
        return self.code


class Job(BaseModel):
    """One shot × workflow × take. ``token`` names the current attempt; "" when there is none.

    ``need_gb``: memory of a single GPU it needs; ``tier_gb``: the rung that holds it, None when no
    card is that large; ``floor_gb``: below it, it ran out of memory; ``avoids``: names of nodes it is not
    given to again, sorted, one a line. ``lane``: the jobs it waits among, None once it is closed for good.
    ``wait_code`` and ``wait_params`` are the dispatcher's own words for why a blocked job waits; those of a
    ready one stand in its lane.

    ``priority``: what people gave it; ``rank``: what it is ordered by, never less: the deadline raises it at
    ``start_by``, and it counts at least as whoever waits for it (services.hurry). ``held``: it, or its batch,
    is paused. ``tags``: words its node must have, sorted, one a line.

    ``length``: what the shot asked for and which of the rendered frames cover it, as
    ``workflows.conforming.Conform`` tells it; {} for pictures. A take keeps a copy.

    ``loras``: what its graph loads, ``[{"file", "weight", "expert", "character"}]``; ``lora_files``: their
    files, one a line, sorted, so that jobs a node can or cannot run together are told apart by an index.
    ``warnings``: what the coordinator was told at submit, ``[{"code", "params"}]`` (see renders.warnings).
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="jobs", verbose_name=_("project"))
    batch = models.ForeignKey(RenderBatch, models.CASCADE, related_name="jobs", verbose_name=_("batch"))
    shot = models.ForeignKey(Shot, models.PROTECT, related_name="jobs", verbose_name=_("shot"))
    template_version = models.ForeignKey(
        WorkflowTemplateVersion, models.PROTECT, related_name="jobs", verbose_name=_("template")
    )
    prompt_build = models.ForeignKey(PromptBuild, models.PROTECT, null=True, related_name="jobs")
    code = models.CharField(_("code"), max_length=20, unique=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    stage = models.CharField(_("stage"), max_length=10, choices=Stage.choices)
    take_number = models.PositiveIntegerField(_("take"))
    state = models.CharField(_("state"), max_length=12, choices=JobState.choices)
    priority = models.PositiveSmallIntegerField(
        _("priority"), choices=Priority.choices, default=Priority.NORMAL
    )
    rank = models.PositiveSmallIntegerField(default=Priority.NORMAL)
    paused = models.BooleanField(_("paused"), default=False)
    paused_by = models.CharField(_("paused by"), max_length=150, blank=True)
    held = models.BooleanField(default=False)
    token = models.CharField(max_length=36, blank=True)

    precision = models.CharField(_("precision"), max_length=20, blank=True)
    width = models.PositiveIntegerField(_("width (px)"))
    height = models.PositiveIntegerField(_("height (px)"))
    frames = models.PositiveIntegerField(_("frames"), default=1)
    fps = models.FloatField(_("fps"), null=True)
    length = models.JSONField(default=dict, blank=True)
    seed = models.PositiveBigIntegerField(_("seed"))
    values = models.JSONField(_("values"), default=dict, blank=True)
    loras = models.JSONField(_("LoRAs"), default=list, blank=True)
    lora_files = models.CharField(max_length=LONGEST_LORA_FILES, blank=True, default="")
    warnings = models.JSONField(_("warnings"), default=list, blank=True)
    need_gb = models.FloatField(_("needs (GB)"))
    tier_gb = models.PositiveSmallIntegerField(_("tier (GB)"), null=True)
    floor_gb = models.PositiveSmallIntegerField(default=0)
    avoids = models.CharField(_("nodes it avoids"), max_length=LONGEST_AVOIDS, blank=True, default="")
    lane = models.ForeignKey(
        Lane, models.PROTECT, null=True, related_name="jobs", editable=False, db_index=False
    )
    pool = models.ForeignKey(
        Pool,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("pool"),
        db_index=False,
    )
    tags = models.CharField(_("tags"), max_length=400, blank=True, default="")
    pinned_to = models.ForeignKey(
        Node,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("only on node"),
        db_index=False,
    )

    attempts_used = models.PositiveSmallIntegerField(_("attempts used"), default=0)
    attempt_budget = models.PositiveSmallIntegerField(_("attempts allowed"), default=3)
    free_retries = models.PositiveSmallIntegerField(_("failures of the farm itself"), default=0)
    crashes = models.PositiveSmallIntegerField(_("workers taken down"), default=0)
    wait_code = models.CharField(max_length=30, blank=True)
    wait_params = models.JSONField(default=dict, blank=True)
    failure_class = models.CharField(_("failure"), max_length=20, blank=True)
    failure_message = models.TextField(_("failure message"), blank=True)
    progress = models.FloatField(_("progress"), default=0.0)
    doing = models.CharField(_("doing"), max_length=80, blank=True)
    ready_at = models.DateTimeField(_("ready since"), null=True)
    start_after = models.DateTimeField(_("start after"), null=True, blank=True)
    deadline = models.DateTimeField(_("deadline"), null=True, blank=True)
    start_by = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["shot", "kind", "take_number"], name="one_job_per_take"),
            models.CheckConstraint(condition=models.Q(frames__gte=1), name="job_has_frames"),
            JOB.constraint("job_state_is_known"),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="newest_jobs"),
            models.Index(fields=["project", "-created_at", "-id"], name="newest_jobs_of_project"),
            models.Index(
                fields=["lane", "-rank", "ready_at", "id"],
                condition=models.Q(state="ready", held=False, start_after=None),
                name="ready_heads",
            ),
            models.Index(
                fields=["lane", "ready_at", "id"],
                condition=models.Q(state="ready", held=False, start_after=None),
                name="ready_oldest",
            ),
            models.Index(
                fields=["start_after"],
                condition=models.Q(state="ready", start_after__isnull=False),
                name="ready_later",
            ),
            models.Index(
                fields=["start_by"],
                condition=models.Q(state="ready", start_by__isnull=False),
                name="ready_due",
            ),
            models.Index(fields=["state", "updated_at"], name="job_by_state"),
            models.Index(
                fields=["created_at"], condition=~models.Q(failure_message=""), name="jobs_with_complaints"
            ),
            models.Index(fields=["created_at"], condition=~models.Q(tags=""), name="jobs_with_tags"),
            models.Index(fields=["project", "-created_at"], name="job_list"),
            models.Index(fields=["project", "state", "ready_at"], name="job_by_project"),
            models.Index(
                fields=["-finished_at", "-created_at"],
                condition=models.Q(state__in=("failed", "quarantined")),
                name="job_troubles",
            ),
        ]
        verbose_name = _("job")
        verbose_name_plural = _("jobs")

    def __str__(self) -> str:
        return self.code

    @property
    def label(self) -> str:
        """SQ010_SH0040 keyframe take 2 · flux_t2i · 24 GB: what Flower and the logs show."""
        tier = f"{self.tier_gb} GB" if self.tier_gb else "no VRAM" if self.tier_gb == 0 else "no tier"
        template = self.template_version.template.slug
        return f"{self.shot.full_code} {self.kind} take {self.take_number} · {template} · {tier}"


class JobMaterial(models.Model):
    """A job was ordered with a material in this input: as long as it says so, the material's row stays."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="materials")
    material = models.ForeignKey(Material, models.RESTRICT, related_name="uses")
    role = models.CharField(max_length=40)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "role"], name="one_material_per_input")]
        verbose_name = _("material of a job")
        verbose_name_plural = _("material of jobs")

    def __str__(self) -> str:
        return f"{self.job} {self.role}: {self.material}"


class JobContinuity(models.Model):
    """A job of a shot that continues another: the last ``frames`` of that ``shot``'s selected clip fill
    ``role``.

    ``take``: the one that is continued, None while the job waits for it: until one is selected and its end
    cut. ``fresh``: it waits for one that is not stale. ``problem``: why its end cannot be cut, in words.
    """

    job = models.OneToOneField(Job, models.CASCADE, primary_key=True, related_name="continuity")
    shot = models.ForeignKey(Shot, models.CASCADE, related_name="continued_in", db_index=False)
    role = models.CharField(max_length=40)
    frames = models.PositiveSmallIntegerField(default=1)
    fresh = models.BooleanField(default=False)
    take = models.ForeignKey(Take, models.SET_NULL, null=True, related_name="+", db_index=False)
    problem = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(frames__gte=1), name="continuity_has_frames"),
        ]
        indexes = [
            models.Index(fields=["shot"], condition=models.Q(take=None), name="continuity_waits"),
        ]
        verbose_name = _("continuity of a job")
        verbose_name_plural = _("continuity of jobs")

    def __str__(self) -> str:
        return f"{self.job} ← {self.shot}"


class JobDependency(BaseModel):
    """``job`` waits for ``depends_on``; its primary artifact fills the input ``role``, if one is named."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="dependencies")
    depends_on = models.ForeignKey(Job, models.CASCADE, related_name="dependents")
    role = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "depends_on", "role"], name="depends_once"),
            models.CheckConstraint(
                condition=~models.Q(job=models.F("depends_on")), name="no_job_waits_for_itself"
            ),
        ]
        verbose_name = _("dependency")
        verbose_name_plural = _("dependencies")

    def __str__(self) -> str:
        return f"{self.job} ← {self.depends_on}"

"""Takes: what came back, and its files."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.models import BaseModel
from apps.productions.models import Shot
from apps.projects.stages import Stage
from apps.prompts.models import PromptBuild
from apps.review.states import MEDIA, REVIEW, Media, Review


class Take(BaseModel):
    """One rendered take of a shot. The job and the attempt are higher up: their ids stand here.

    ``stage``: what it is a take of; at most one of a shot's is ``selected``, the one that the cut and the
    next stage take. ``length``: what the job was asked for (see Job.length); what came back stands with its
    files. ``stale_since``: from when on what it was made from is not what goes on any more; ``stale_why``: a
    code and facts, read as a sentence (review.stale).
    At most one take per job, by constraint: rendering may happen twice, recording never.
    """

    project = models.ForeignKey(
        "projects.Project", models.CASCADE, related_name="takes", verbose_name=_("project")
    )
    shot = models.ForeignKey(Shot, models.CASCADE, related_name="takes", verbose_name=_("shot"))
    job_id = models.UUIDField(unique=True)
    attempt_id = models.UUIDField(unique=True)
    kind = models.CharField(_("kind"), max_length=10)
    stage = models.CharField(_("stage"), max_length=10, choices=Stage.choices)
    number = models.PositiveIntegerField(_("take"))
    template = models.CharField(_("template"), max_length=80)
    prompt_build = models.ForeignKey(PromptBuild, models.PROTECT, null=True, related_name="takes")
    seed = models.PositiveBigIntegerField(_("seed"), null=True)
    node = models.CharField(_("node"), max_length=120)
    simulated = models.BooleanField(_("simulated"), default=False)
    render_seconds = models.FloatField(_("render time (s)"), null=True)
    length = models.JSONField(default=dict, blank=True)
    media_state = models.CharField(_("media"), max_length=12, choices=Media.choices, default=Media.PROCESSING)
    media_error = models.TextField(_("media error"), blank=True)
    review_state = models.CharField(
        _("review"), max_length=12, choices=Review.choices, default=Review.PENDING
    )

    selected = models.BooleanField(_("selected"), default=False)
    selected_by = models.CharField(_("selected by"), max_length=150, blank=True)
    selected_at = models.DateTimeField(_("selected at"), null=True, blank=True)
    stale_since = models.DateTimeField(_("stale since"), null=True, blank=True, editable=False)
    stale_why = models.JSONField(default=dict, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["shot", "kind", "number"], name="take_number_is_unique"),
            models.UniqueConstraint(
                fields=["shot", "stage"],
                condition=models.Q(selected=True),
                name="one_selected_take_per_stage",
            ),
            models.CheckConstraint(
                condition=models.Q(selected=False) | models.Q(selected_at__isnull=False),
                name="selected_take_has_when",
            ),
            MEDIA.constraint("take_media_state_is_known"),
            REVIEW.constraint("take_review_state_is_known"),
        ]
        indexes = [
            models.Index(fields=["project", "-created_at", "-id"], name="takes_of_project"),
            models.Index(fields=["-created_at", "-id"], name="newest_takes"),
            models.Index(
                fields=["updated_at"],
                condition=models.Q(media_state=Media.PROCESSING),
                name="takes_in_processing",
            ),
            models.Index(fields=["shot"], condition=models.Q(stale_since__isnull=False), name="stale_takes"),
            models.Index(
                fields=["updated_at"],
                condition=models.Q(selected=True) | models.Q(review_state=Review.APPROVED),
                name="takes_decided_lately",
            ),
        ]
        verbose_name = _("take")
        verbose_name_plural = _("takes")

    def __str__(self) -> str:
        return f"{self.shot.full_code} {self.kind} take {self.number}"


class TakeParent(models.Model):
    """A take was made from another, whose file filled the input ``role``."""

    child = models.ForeignKey(Take, models.CASCADE, related_name="parents")
    parent = models.ForeignKey(Take, models.CASCADE, related_name="children")
    role = models.CharField(max_length=40)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["child", "parent", "role"], name="parent_once_per_role"),
            models.CheckConstraint(
                condition=~models.Q(child=models.F("parent")), name="no_take_is_its_own_parent"
            ),
        ]
        verbose_name = _("source of a take")
        verbose_name_plural = _("sources of takes")

    def __str__(self) -> str:
        return f"{self.child_id} ← {self.parent_id}"


class ArtifactRole(models.TextChoices):
    """What a file is to its take."""

    PRIMARY = "primary", _("original")
    PROXY = "proxy", _("proxy")
    CONFORMED = "conformed", _("conformed to the shot")
    THUMBNAIL = "thumbnail", _("thumbnail")
    TAIL = "tail", _("last frames")
    LATENT = "latent", _("latents")


class Artifact(BaseModel):
    """One file of a take. ``key`` is relative to the artifact store.

    Of latents, ``width``, ``height`` and ``frames`` are the clip's that they stand for. Of a cut end of them,
    ``frames`` are those that the take shows of its shot: what the last latent frame holds behind is none.
    """

    take = models.ForeignKey(Take, models.CASCADE, related_name="artifacts")
    role = models.CharField(_("role"), max_length=12, choices=ArtifactRole.choices)
    key = models.CharField(_("key"), max_length=400)
    kind = models.CharField(_("kind"), max_length=10)
    media_type = models.CharField(_("type"), max_length=60)
    bytes = models.PositiveBigIntegerField(_("bytes"))
    sha256 = models.CharField(max_length=64)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    frames = models.PositiveIntegerField(default=1)
    fps = models.FloatField(null=True)

    class Meta:
        ordering = ["take", "role", "key"]
        constraints = [models.UniqueConstraint(fields=["take", "key"], name="artifact_key_is_unique")]
        verbose_name = _("artifact")
        verbose_name_plural = _("artifacts")

    def __str__(self) -> str:
        return self.key

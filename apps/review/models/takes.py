"""Takes: what came back, and its files."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.models import BaseModel
from apps.productions.models import Shot
from apps.prompts.models import PromptBuild
from apps.review.states import MEDIA, REVIEW, Media, Review


class Take(BaseModel):
    """One rendered take of a shot. The job and the attempt are higher up: their ids stand here.

    ``length``: what the job was asked for (see Job.length); what came back stands with its files.
    At most one take per job, by constraint: rendering may happen twice, recording never.
    """

    project = models.ForeignKey(
        "projects.Project", models.CASCADE, related_name="takes", verbose_name=_("project")
    )
    shot = models.ForeignKey(Shot, models.CASCADE, related_name="takes", verbose_name=_("shot"))
    job_id = models.UUIDField(unique=True)
    attempt_id = models.UUIDField(unique=True)
    kind = models.CharField(_("kind"), max_length=10)
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

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["shot", "kind", "number"], name="take_number_is_unique"),
            MEDIA.constraint("take_media_state_is_known"),
            REVIEW.constraint("take_review_state_is_known"),
        ]
        indexes = [
            models.Index(fields=["project", "-created_at"], name="take_list"),
            models.Index(
                fields=["updated_at"],
                condition=models.Q(media_state=Media.PROCESSING),
                name="takes_in_processing",
            ),
        ]
        verbose_name = _("take")
        verbose_name_plural = _("takes")

    def __str__(self) -> str:
        return f"{self.shot.full_code} {self.kind} take {self.number}"


class ArtifactRole(models.TextChoices):
    """What a file is to its take."""

    PRIMARY = "primary", _("original")
    PROXY = "proxy", _("proxy")
    CONFORMED = "conformed", _("conformed to the shot")
    THUMBNAIL = "thumbnail", _("thumbnail")


class Artifact(BaseModel):
    """One file of a take. ``key`` is relative to the artifact store."""

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

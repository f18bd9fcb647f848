"""What was asked of the model, word for word, and where each word came from; and texts written by hand."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.common.models import BaseModel
from apps.productions.models import Shot


class Spoken(models.TextChoices):
    """What a prompt is for: a picture (keyframes) or a video (clips)."""

    IMAGE = "image", _("picture")
    VIDEO = "video", _("video")


class FrozenBuildError(TypeError):
    """Somebody tried to change or delete a prompt that was built: takes were made with it."""

    def __init__(self) -> None:
        super().__init__("A prompt that was built is never changed; what differs becomes another build.")


class FrozenBuilds(models.QuerySet["PromptBuild"]):
    """Rows that are only ever added. They go with their shot, as long as no job and no take names them."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise FrozenBuildError

    def delete(self) -> NoReturn:
        raise FrozenBuildError


class PromptBuild(BaseModel):
    """One prompt, immutable. Equal inputs give the same ``content_hash``, hence the same row.

    ``segments``: ``[{"role": "positive", "text": …, "source": "character", "source_id": …, "label": …,
    "row", "field", "language", "why"}]`` in the order they were written; ``left_out``: the same of what was
    not, ``why`` saying why not. ``loras``: ``[{"file", "weight", "triggers", "character", "expert"}]``.
    ``negative_ignored``: why the workflow does not hear the negative text, "" if it does. ``encoders``: which
    text encoders read it. ``by_hand``: somebody has written it; ``composed`` holds what the composer would
    have written: ``{"positive", "negative", "segments"}``.

    A database trigger refuses updates too.
    """

    shot = models.ForeignKey(Shot, models.CASCADE, related_name="prompt_builds", verbose_name=_("shot"))
    channel = models.CharField(_("channel"), max_length=10)
    language = models.CharField(_("language"), max_length=2)
    composer = models.PositiveSmallIntegerField(_("composer version"))
    positive = models.TextField(_("positive"))
    negative = models.TextField(_("negative"), blank=True)
    segments = models.JSONField(_("segments"))
    left_out = models.JSONField(_("left out"), default=list)
    loras = models.JSONField(default=list)
    negative_ignored = models.CharField(max_length=10, blank=True)
    encoders = models.JSONField(default=list)
    by_hand = models.BooleanField(_("by hand"), default=False)
    composed = models.JSONField(default=dict)
    content_hash = models.CharField(max_length=64)

    objects = FrozenBuilds.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["shot", "content_hash"], name="equal_prompts_share_a_build")
        ]
        indexes = [models.Index(fields=["shot", "-created_at"], name="builds_of_a_shot")]
        verbose_name = _("prompt")
        verbose_name_plural = _("prompts")

    def __str__(self) -> str:
        return self.positive[:80]

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add the row. Raises FrozenBuildError if it is there already."""
        if not self._state.adding:
            raise FrozenBuildError
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise FrozenBuildError


class PromptEdit(BaseModel):
    """A shot's text of one channel, written by hand: what renders until it is dropped.

    ``positive`` and ``negative``: None leaves that one to the composer. ``basis``: what the shot said when it
    was written (aspects.aspects_of), so that a later change of the cast is noticed.
    """

    shot = models.ForeignKey(Shot, models.CASCADE, related_name="prompt_edits", verbose_name=_("shot"))
    channel = models.CharField(_("channel"), max_length=10, choices=Spoken.choices)
    language = models.CharField(_("language"), max_length=2)
    positive = models.TextField(_("positive"), null=True, blank=True)
    negative = models.TextField(_("negative"), null=True, blank=True)
    basis = models.JSONField(default=dict)
    edited_by = models.CharField(pgettext_lazy("prompt", "by"), max_length=150)

    class Meta:
        ordering = ["shot", "channel"]
        constraints = [
            models.UniqueConstraint(fields=["shot", "channel"], name="one_edit_per_channel"),
            models.CheckConstraint(
                condition=models.Q(positive__isnull=False) | models.Q(negative__isnull=False),
                name="an_edit_says_something",
            ),
            models.CheckConstraint(
                condition=models.Q(channel__in=Spoken.values), name="edit_channel_is_known"
            ),
        ]
        verbose_name = _("prompt by hand")
        verbose_name_plural = _("prompts by hand")

    def __str__(self) -> str:
        return f"{self.shot} {self.channel}"

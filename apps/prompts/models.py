"""What was asked of the model, word for word, and where each word came from."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.models import BaseModel
from apps.productions.models import Shot


class PromptBuild(BaseModel):
    """One composed prompt, immutable. Equal inputs give the same ``content_hash``, hence the same row.

    ``segments``: ``[{"role": "positive", "text": …, "source": "character", "source_id": …, "label": …}]``
    in the order they were written. ``loras``: ``[{"file", "weight", "triggers", "character", "expert"}]``.
    """

    shot = models.ForeignKey(Shot, models.CASCADE, related_name="prompt_builds", verbose_name=_("shot"))
    channel = models.CharField(_("channel"), max_length=10)
    language = models.CharField(_("language"), max_length=2)
    composer = models.PositiveSmallIntegerField(_("composer version"))
    positive = models.TextField(_("positive"))
    negative = models.TextField(_("negative"), blank=True)
    segments = models.JSONField(_("segments"))
    loras = models.JSONField(default=list)
    content_hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["shot", "content_hash"], name="equal_prompts_share_a_build")
        ]
        verbose_name = _("prompt")
        verbose_name_plural = _("prompts")

    def __str__(self) -> str:
        return self.positive[:80]

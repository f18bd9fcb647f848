"""The cinematic preset library: categories of options, each a fragment of prompt text.

``library_hash`` is the fingerprint of the shipped row as last loaded, empty for a studio's own rows.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.models import BaseModel


class Channel(models.TextChoices):
    """Which prompts a preset speaks to."""

    BOTH = "both", _("picture and video")
    IMAGE = "image", _("picture")
    VIDEO = "video", _("video")


class PresetCategory(BaseModel):
    """Shot size, camera angle, lens … ``exclusive``: at most one of it per shot."""

    slug = models.SlugField(unique=True)
    name = models.CharField(_("name"), max_length=80)
    name_ko = models.CharField(_("name (Korean)"), max_length=80, blank=True)
    order = models.PositiveSmallIntegerField(_("order"))
    exclusive = models.BooleanField(_("at most one per shot"), default=True)
    library_hash = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        ordering = ["order"]
        verbose_name = _("preset category")
        verbose_name_plural = _("preset categories")

    def __str__(self) -> str:
        return self.name


class CinematicPreset(BaseModel):
    """One option: what it adds to the positive and the negative prompt, and parameters for graphs."""

    category = models.ForeignKey(
        PresetCategory, models.PROTECT, related_name="presets", verbose_name=_("category")
    )
    slug = models.SlugField(_("slug"), max_length=80)
    name = models.CharField(_("name"), max_length=120)
    name_ko = models.CharField(_("name (Korean)"), max_length=120, blank=True)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices, default=Channel.BOTH)
    order = models.PositiveSmallIntegerField(_("order"))
    prompt_fragment = models.TextField(_("prompt fragment"))
    negative_fragment = models.TextField(_("negative fragment"), blank=True)
    params = models.JSONField(_("parameters"), default=dict, blank=True)
    archived = models.BooleanField(_("archived"), default=False)
    library_hash = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        ordering = ["category__order", "order"]
        constraints = [models.UniqueConstraint(fields=["category", "slug"], name="preset_slug_is_unique")]
        verbose_name = _("cinematic preset")
        verbose_name_plural = _("cinematic presets")

    def __str__(self) -> str:
        return self.name

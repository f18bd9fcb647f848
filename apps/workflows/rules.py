"""Rules that recommend a template for a shot: what its text and its facts say, in rows that people edit."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.models import BaseModel


class RecommendationRule(BaseModel):
    """One reason to render a shot with ``template``: it counts ``weight`` where everything it asks for holds.

    With keywords at least one must stand in the shot's text (apps.workflows.keywords.find says how they are
    written); every condition that is not empty must hold. A rule that asks for nothing holds for every
    shot. ``recipe`` names a chain that makes more of it. A rule whose template is not there is inert. A
    shipped rule that nobody edited follows the release.
    """

    slug = models.SlugField(_("key"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=100)
    name_ko = models.CharField(_("name (Korean)"), max_length=100, blank=True)
    keywords = models.TextField(_("keywords"), blank=True)
    keywords_ko = models.TextField(_("keywords (Korean)"), blank=True)
    exceptions = models.TextField(_("no match"), blank=True)
    min_characters = models.PositiveSmallIntegerField(_("characters, at least"), null=True, blank=True)
    max_characters = models.PositiveSmallIntegerField(_("characters, at most"), null=True, blank=True)
    keyframe = models.BooleanField(_("has a keyframe"), null=True, blank=True)
    previous_clip = models.BooleanField(_("the shot before it has a clip"), null=True, blank=True)
    dialogue = models.BooleanField(_("has dialogue"), null=True, blank=True)
    min_seconds = models.FloatField(
        _("seconds, at least"), null=True, blank=True, validators=[MinValueValidator(0)]
    )
    max_seconds = models.FloatField(
        _("seconds, at most"), null=True, blank=True, validators=[MinValueValidator(0)]
    )
    camera_moves = models.TextField(_("camera movements"), blank=True)
    template = models.SlugField(_("template"), max_length=50)
    recipe = models.CharField(_("recipe"), max_length=80, blank=True)
    weight = models.PositiveSmallIntegerField(
        _("weight"), default=10, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    reason = models.CharField(_("reason"), max_length=200)
    reason_ko = models.CharField(_("reason (Korean)"), max_length=200, blank=True)
    active = models.BooleanField(_("active"), default=True)
    builtin = models.BooleanField(_("shipped"), default=False, editable=False)

    class Meta:
        ordering = ["-weight", "slug"]
        verbose_name = _("recommendation rule")
        verbose_name_plural = _("recommendation rules")

    def __str__(self) -> str:
        return self.name

"""Where a film plays, and its parts above the shot: episodes and sequences."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.models import BaseModel
from apps.projects.models import Project


class Weather(models.TextChoices):
    """The prototype's eight kinds of weather."""

    SUNNY = "sunny", _("sunny")
    CLOUDY = "cloudy", _("cloudy")
    OVERCAST = "overcast", _("overcast")
    RAIN = "rain", _("rain")
    STORM = "storm", _("storm")
    SNOW = "snow", _("snow")
    FOG = "fog", _("fog")
    HAZE = "haze", _("haze")


class TimeOfDay(models.TextChoices):
    """The prototype's seven times of day."""

    DAY = "day", _("day")
    NIGHT = "night", _("night")
    GOLDEN_HOUR = "golden_hour", _("golden hour")
    BLUE_HOUR = "blue_hour", _("blue hour")
    DAWN = "dawn", _("dawn")
    DUSK = "dusk", _("dusk")
    MIDNIGHT = "midnight", _("midnight")


class Setting(models.TextChoices):
    """Whether a location is inside or outside."""

    INTERIOR = "interior", _("interior")
    EXTERIOR = "exterior", _("exterior")


class Location(BaseModel):
    """Where a shot plays. ``prompt`` is what the composer writes for it."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="locations", verbose_name=_("project"))
    code = models.CharField(_("code"), max_length=20)
    name = models.CharField(_("name"), max_length=120)
    name_ko = models.CharField(_("name (Korean)"), max_length=120, blank=True)
    setting = models.CharField(_("interior or exterior"), max_length=10, choices=Setting.choices, blank=True)
    prompt = models.TextField(_("prompt text"), blank=True)
    prompt_ko = models.TextField(_("prompt text (Korean)"), blank=True)

    class Meta:
        ordering = ["project", "code"]
        constraints = [models.UniqueConstraint(fields=["project", "code"], name="location_code_is_unique")]
        verbose_name = _("location")
        verbose_name_plural = _("locations")

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Episode(BaseModel):
    """A part of a series, or a reel of a film. Code such as EP01. Projects without any have none."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="episodes", verbose_name=_("project"))
    code = models.CharField(_("code"), max_length=20)
    name = models.CharField(_("name"), max_length=200)
    name_ko = models.CharField(_("name (Korean)"), max_length=200, blank=True)
    order = models.PositiveIntegerField(_("order"), default=0)

    class Meta:
        ordering = ["project", "order", "code"]
        constraints = [models.UniqueConstraint(fields=["project", "code"], name="episode_code_is_unique")]
        verbose_name = _("episode")
        verbose_name_plural = _("episodes")

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Sequence(BaseModel):
    """A run of shots. Code such as SQ010."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="sequences", verbose_name=_("project"))
    episode = models.ForeignKey(
        Episode, models.PROTECT, null=True, blank=True, related_name="sequences", verbose_name=_("episode")
    )
    code = models.CharField(_("code"), max_length=20)
    name = models.CharField(_("name"), max_length=200)
    name_ko = models.CharField(_("name (Korean)"), max_length=200, blank=True)
    order = models.PositiveIntegerField(_("order"), default=0)
    period_year = models.PositiveSmallIntegerField(
        _("plays in the year"), null=True, blank=True, help_text=_("Empty: the project's.")
    )

    class Meta:
        ordering = ["project", "order", "code"]
        constraints = [models.UniqueConstraint(fields=["project", "code"], name="sequence_code_is_unique")]
        verbose_name = _("sequence")
        verbose_name_plural = _("sequences")

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

"""What a film is made of: sequences, shots, locations, and who is cast where."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.characters.models import WEIGHT_LIMITS, Character, Costume
from apps.common.models import BaseModel
from apps.presets.models import CinematicPreset
from apps.projects.models import Project

MAX_FRAMES = 100_000
"""Over an hour at 24 fps: more is a typing error."""


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


class ShotStatus(models.Model):
    """A state of the shot's machine with the words a studio uses for it, and what it allows."""

    slug = models.SlugField(primary_key=True, max_length=20)
    name = models.CharField(_("name"), max_length=60)
    name_ko = models.CharField(_("name (Korean)"), max_length=60, blank=True)
    order = models.PositiveSmallIntegerField(_("order"))
    colour = models.CharField(_("colour"), max_length=20, default="gray")
    renderable = models.BooleanField(_("may be rendered"), default=True)
    closed = models.BooleanField(_("work is done"), default=False)

    class Meta:
        ordering = ["order"]
        verbose_name = _("shot status")
        verbose_name_plural = _("shot statuses")

    def __str__(self) -> str:
        return self.name


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


class Sequence(BaseModel):
    """A run of shots. Code such as SQ010."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="sequences", verbose_name=_("project"))
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


class Shot(BaseModel):
    """One shot of the film. ``project`` is its sequence's, kept here so that lists need no join.

    ``frames`` counts picture frames at the project's fps, without ``handles`` (frames on each side).
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="shots", verbose_name=_("project"))
    sequence = models.ForeignKey(Sequence, models.PROTECT, related_name="shots", verbose_name=_("sequence"))
    code = models.CharField(_("code"), max_length=20)
    order = models.PositiveIntegerField(_("order"), default=0)
    status = models.ForeignKey(ShotStatus, models.PROTECT, default="draft", verbose_name=_("status"))
    description = models.TextField(_("description"), blank=True)
    description_ko = models.TextField(_("description (Korean)"), blank=True)
    dialogue = models.TextField(_("dialogue"), blank=True)
    frames = models.PositiveIntegerField(
        _("frames"), default=48, validators=[MinValueValidator(1), MaxValueValidator(MAX_FRAMES)]
    )
    handles = models.PositiveSmallIntegerField(_("handles (frames)"), default=0)
    location = models.ForeignKey(
        Location, models.PROTECT, null=True, blank=True, related_name="shots", verbose_name=_("location")
    )
    weather = models.CharField(_("weather"), max_length=12, choices=Weather.choices, blank=True)
    time_of_day = models.CharField(_("time of day"), max_length=12, choices=TimeOfDay.choices, blank=True)
    negative = models.TextField(_("negative text"), blank=True)
    preset_override = models.CharField(
        _("why preset rules are set aside"),
        max_length=300,
        blank=True,
        help_text=_("Lets presets stand that a hard rule refuses. It goes when nothing is refused any more."),
    )
    seed = models.PositiveBigIntegerField(_("seed"), null=True, blank=True)
    notes = models.TextField(_("notes"), blank=True)
    characters: models.ManyToManyField[Character, ShotCharacter] = models.ManyToManyField(
        Character, through="ShotCharacter", related_name="shots", verbose_name=_("cast")
    )
    presets: models.ManyToManyField[CinematicPreset, ShotPreset] = models.ManyToManyField(
        CinematicPreset, through="ShotPreset", related_name="shots", verbose_name=_("presets")
    )

    class Meta:
        ordering = ["sequence__order", "order", "code"]
        constraints = [
            models.UniqueConstraint(fields=["sequence", "code"], name="shot_code_is_unique"),
            models.CheckConstraint(condition=models.Q(frames__gte=1), name="shot_has_frames"),
        ]
        indexes = [models.Index(fields=["project", "order"], name="shot_list")]
        verbose_name = _("shot")
        verbose_name_plural = _("shots")

    def __str__(self) -> str:
        return self.full_code

    @property
    def full_code(self) -> str:
        """SQ010_SH0040: what people say on the phone."""
        return f"{self.sequence.code}_{self.code}"


class ShotCharacter(BaseModel):
    """A character cast in a shot: in which order, doing what, wearing what."""

    shot = models.ForeignKey(Shot, models.CASCADE, related_name="casting")
    character = models.ForeignKey(
        Character, models.PROTECT, related_name="casting", verbose_name=_("character")
    )
    order = models.PositiveSmallIntegerField(_("order"), default=0)
    action = models.TextField(_("action"), blank=True)
    action_ko = models.TextField(_("action (Korean)"), blank=True)
    costume = models.ForeignKey(
        Costume, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("costume")
    )
    lora_weight = models.FloatField(
        _("LoRA weight"),
        null=True,
        blank=True,
        validators=WEIGHT_LIMITS,
        help_text=_("Empty: the LoRA's own. 0: off in this shot."),
    )

    class Meta:
        ordering = ["shot", "order"]
        constraints = [models.UniqueConstraint(fields=["shot", "character"], name="cast_once_per_shot")]
        verbose_name = _("casting")
        verbose_name_plural = _("casting")

    def __str__(self) -> str:
        return str(self.character)


class ShotPreset(BaseModel):
    """A cinematic preset used by a shot."""

    shot = models.ForeignKey(Shot, models.CASCADE, related_name="shot_presets")
    preset = models.ForeignKey(CinematicPreset, models.PROTECT, related_name="+", verbose_name=_("preset"))
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        ordering = ["shot", "order"]
        constraints = [models.UniqueConstraint(fields=["shot", "preset"], name="preset_once_per_shot")]
        verbose_name = _("preset")
        verbose_name_plural = _("presets")

    def __str__(self) -> str:
        return str(self.preset)

"""What a film is made of: sequences, shots, locations, and who is cast where."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.characters.models import MOST_WEIGHT, WEIGHT_LIMITS, Character, Costume
from apps.common.models import BaseModel
from apps.presets.models import CinematicPreset
from apps.projects.models import MOST_HANDLES, Project

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

    class Meta:
        ordering = ["project", "order", "code"]
        constraints = [models.UniqueConstraint(fields=["project", "code"], name="sequence_code_is_unique")]
        verbose_name = _("sequence")
        verbose_name_plural = _("sequences")

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Keeps(models.TextChoices):
    """What a shot that continues another keeps of it."""

    FRAMES = "frames", _("last frames")
    LATENTS = "latents", _("latents")


class Shot(BaseModel):
    """One shot of the film. ``project`` is its sequence's, kept here so that lists need no join.

    ``frames`` counts picture frames at the project's fps, without ``handles`` (frames on each side).
    ``cut_in``: the number of its first frame in the cut, None for the project's first frame after the head
    handles. ``continuity_from``: the shot it continues, keeping its last ``continuity_frames`` frames, or its
    latents. ``locked_by``: whoever locked its plan, "" while it may be changed. ``retake_count``: how often a
    verdict asked for it anew. ``assignees``: the artists who work on it.
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
    handles = models.PositiveSmallIntegerField(
        _("handles (frames)"), default=0, validators=[MaxValueValidator(MOST_HANDLES)]
    )
    cut_in = models.PositiveIntegerField(
        _("cut in (frame)"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(20_000_000)],
        help_text=_("Empty: the project's first frame after the head handles."),
    )
    continuity_from = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="continued_by",
        verbose_name=_("continues"),
    )
    continuity_keep = models.CharField(
        _("keeps of it"), max_length=8, choices=Keeps.choices, default=Keeps.FRAMES
    )
    continuity_frames = models.PositiveSmallIntegerField(
        _("frames kept"), default=1, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    locked_by = models.CharField(_("locked by"), max_length=150, blank=True)
    locked_at = models.DateTimeField(_("locked at"), null=True, blank=True)
    retake_count = models.PositiveSmallIntegerField(_("retakes"), default=0, editable=False)
    assignees: models.ManyToManyField[User, Any] = models.ManyToManyField(
        settings.AUTH_USER_MODEL, blank=True, related_name="assigned_shots", verbose_name=_("assigned to")
    )
    location = models.ForeignKey(
        Location, models.PROTECT, null=True, blank=True, related_name="shots", verbose_name=_("location")
    )
    weather = models.CharField(_("weather"), max_length=12, choices=Weather.choices, blank=True)
    time_of_day = models.CharField(_("time of day"), max_length=12, choices=TimeOfDay.choices, blank=True)
    negative = models.TextField(_("negative text"), blank=True)
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
            models.CheckConstraint(
                condition=Q(frames__gte=1) & Q(frames__lte=MAX_FRAMES), name="shot_has_frames"
            ),
            models.CheckConstraint(condition=Q(handles__lte=MOST_HANDLES), name="shot_handles_are_few"),
            models.CheckConstraint(
                condition=Q(continuity_from=None) | ~Q(continuity_from=F("pk")), name="shot_continues_another"
            ),
            models.CheckConstraint(condition=Q(continuity_frames__gte=1), name="shot_keeps_frames"),
            models.CheckConstraint(
                condition=Q(locked_by="", locked_at=None) | (~Q(locked_by="") & Q(locked_at__isnull=False)),
                name="shot_lock_has_who_and_when",
            ),
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

    @property
    def first_cut_frame(self) -> int:
        """The number of the first frame in the cut."""
        if self.cut_in is not None:
            return self.cut_in
        return self.project.frame_start + self.handles

    @property
    def cut_out(self) -> int:
        """The number of the last frame in the cut."""
        return self.first_cut_frame + self.frames - 1

    @property
    def locked(self) -> bool:
        """Whether its plan may not be changed."""
        return bool(self.locked_by)


class ShotCharacter(BaseModel):
    """A character cast in a shot: in which order, doing what, wearing what.

    ``costume_override``: what the character wears in this shot alone, in words; it goes before ``costume``.
    """

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
    costume_override = models.TextField(_("wears in this shot"), blank=True)
    costume_override_ko = models.TextField(_("wears in this shot (Korean)"), blank=True)
    lora_weight = models.FloatField(
        _("LoRA weight"),
        null=True,
        blank=True,
        validators=WEIGHT_LIMITS,
        help_text=_("Empty: the LoRA's own. 0: off in this shot."),
    )

    class Meta:
        ordering = ["shot", "order"]
        constraints = [
            models.UniqueConstraint(fields=["shot", "character"], name="cast_once_per_shot"),
            models.CheckConstraint(
                condition=Q(lora_weight=None) | Q(lora_weight__gte=0) & Q(lora_weight__lte=MOST_WEIGHT),
                name="cast_lora_weight_is_0_to_2",
            ),
        ]
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

"""Shots: how long, what goes on in them, who is cast, which presets."""

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
from apps.productions.models.places import Location, Sequence, TimeOfDay, Weather
from apps.productions.models.statuses import ShotStatus
from apps.projects.models import MOST_HANDLES, Project

MAX_FRAMES = 100_000
"""Over an hour at 24 fps: more is a typing error."""


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
    studio_status = models.ForeignKey(
        ShotStatus,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("studio's status"),
        help_text=_("What the studio calls it within its status."),
    )
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
    def shown_status(self) -> ShotStatus:
        """What people read: the studio's own row where it has one, else the state's."""
        return self.studio_status or self.status

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

"""Projects and their members."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.common.models import BaseModel
from apps.projects.rates import FASTEST, FINEST, frame_rate_of
from apps.projects.roles import Role
from apps.projects.stages import Stage
from workflows.rates import Rate

CODE = RegexValidator(
    r"^[A-Z][A-Z0-9]{1,15}\Z",
    _("Use 2 to 16 capital letters and digits, a letter first, such as FROST."),
)


TIMECODE = RegexValidator(
    r"^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9][:;][0-9]{2,3}\Z",
    _("Write hours, minutes, seconds and frames, such as 01:00:00:00."),
)

MOST_HANDLES: Final = 1000
"""Frames on each side of a shot: more is a typing error."""

FIRST_FRAME: Final = 1001
"""Where studios begin to count, so that handles and later insertions have numbers of their own."""


class Project(BaseModel):
    """A film. Every shot, job and take belongs to exactly one.

    The frame rate is the fraction ``fps_num`` / ``fps_den`` (24000/1001 is 23.976); ``fps`` says it as a
    float. ``frame_start``: the number of a shot's first frame, head handles included. ``handles``: frames on
    each side that a new shot gets. ``path_template``: the layout of its folders. ``composer``: how its
    prompts are put together.
    """

    code = models.CharField(_("code"), max_length=16, unique=True, validators=[CODE])
    name = models.CharField(_("name"), max_length=200)
    name_ko = models.CharField(_("name (Korean)"), max_length=200, blank=True)
    description = models.TextField(_("description"), blank=True)
    fps_num = models.PositiveIntegerField(_("frames per second (numerator)"), default=24)
    fps_den = models.PositiveIntegerField(_("frames per second (denominator)"), default=1)
    frame_start = models.PositiveIntegerField(
        _("first frame"), default=FIRST_FRAME, validators=[MaxValueValidator(10_000_000)]
    )
    handles = models.PositiveSmallIntegerField(
        _("handles (frames)"),
        default=0,
        validators=[MaxValueValidator(MOST_HANDLES)],
        help_text=_("What a new shot gets on each side."),
    )
    start_timecode = models.CharField(
        _("start timecode"), max_length=12, default="01:00:00:00", validators=[TIMECODE]
    )
    path_template = models.SlugField(_("folder layout"), max_length=60, blank=True)
    composer = models.JSONField(_("order of prompts"), default=dict, blank=True)
    thumbnail_key = models.CharField(_("picture"), max_length=255, blank=True, editable=False)
    width = models.PositiveIntegerField(_("width (px)"), default=1024)
    height = models.PositiveIntegerField(_("height (px)"), default=576)
    prompt_language = models.CharField(
        _("prompt language"), max_length=2, choices=[("en", "English"), ("ko", "한국어")], default="en"
    )
    weight = models.PositiveIntegerField(
        _("fair-share weight"), default=100, help_text=_("Twice the weight, twice the share of the farm.")
    )
    period_year = models.PositiveSmallIntegerField(
        _("plays in the year"),
        null=True,
        blank=True,
        help_text=_("What did not exist yet is told on the shots. A sequence may say another year."),
    )
    paused = models.BooleanField(_("paused"), default=False)
    paused_by = models.CharField(_("paused by"), max_length=150, blank=True)
    archived = models.BooleanField(_("archived"), default=False)

    class Meta:
        ordering = ["code"]
        verbose_name = _("project")
        verbose_name_plural = _("projects")
        constraints = [
            models.CheckConstraint(
                condition=Q(fps_den__gte=1)
                & Q(fps_den__lte=FINEST)
                & Q(fps_num__gte=F("fps_den"))
                & Q(fps_num__lte=FASTEST * F("fps_den")),
                name="project_fps_is_a_rate",
            ),
            models.CheckConstraint(condition=Q(handles__lte=MOST_HANDLES), name="project_handles_are_few"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    def clean(self) -> None:
        """Refuse a start timecode that counts more frames than a second has."""
        frames = self.start_timecode[9:]
        if self.fps_den and frames.isdecimal() and int(frames) >= ceil(self.frame_rate):
            told = _("At %(fps)s frames per second the frames of a timecode go from 00 to %(last)02d.")
            facts = {"fps": f"{self.fps:g}", "last": ceil(self.frame_rate) - 1}
            raise ValidationError({"start_timecode": ValidationError(told, params=facts)})

    @property
    def frame_rate(self) -> Fraction:
        """Frames per second, exactly."""
        return Fraction(self.fps_num, self.fps_den)

    @property
    def fps(self) -> float:
        """Frames per second, as near as a float comes. It is set from whatever a rate is written as."""
        return self.fps_num / self.fps_den

    @fps.setter
    def fps(self, told: Rate) -> None:
        self.fps_num, self.fps_den = frame_rate_of(told).as_integer_ratio()


def known_departments(value: Any) -> None:
    if not isinstance(value, list) or not set(map(str, value)) <= set(Stage.values):
        told = _("Write a list of stages: %(known)s.")
        raise ValidationError(told, params={"known": ", ".join(Stage.values)})


class Membership(BaseModel):
    """One person's role in one project. ``departments``: the stages a supervisor signs off, [] for all."""

    project = models.ForeignKey(
        Project, models.CASCADE, related_name="memberships", verbose_name=_("project")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships", verbose_name=_("user")
    )
    role = models.CharField(_("role"), max_length=20, choices=Role.choices, default=Role.CLIENT)
    departments = models.JSONField(
        _("departments"),
        default=list,
        blank=True,
        validators=[known_departments],
        help_text=_("The stages a supervisor signs off; none: all of them."),
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="one_role_per_project")]
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")

    def __str__(self) -> str:
        return f"{self.user} · {self.role}"

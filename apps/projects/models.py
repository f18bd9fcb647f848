"""Projects and their members."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.models import BaseModel
from apps.projects.roles import Role

CODE = RegexValidator(
    r"^[A-Z][A-Z0-9]{1,15}\Z",
    _("Use 2 to 16 capital letters and digits, a letter first, such as FROST."),
)


class Project(BaseModel):
    """A film. Every shot, job and take belongs to exactly one."""

    code = models.CharField(_("code"), max_length=16, unique=True, validators=[CODE])
    name = models.CharField(_("name"), max_length=200)
    name_ko = models.CharField(_("name (Korean)"), max_length=200, blank=True)
    description = models.TextField(_("description"), blank=True)
    fps = models.FloatField(
        _("frames per second"), default=24.0, validators=[MinValueValidator(1), MaxValueValidator(240)]
    )
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

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Membership(BaseModel):
    """One person's role in one project."""

    project = models.ForeignKey(
        Project, models.CASCADE, related_name="memberships", verbose_name=_("project")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships", verbose_name=_("user")
    )
    role = models.CharField(_("role"), max_length=20, choices=Role.choices, default=Role.VIEWER)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="one_role_per_project")]
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")

    def __str__(self) -> str:
        return f"{self.user} · {self.role}"

"""The cinematic preset library: categories of options, each a fragment of prompt text; looks; rules.

A row without a ``project`` is the studio's and stands in every film; with one it is that film's own.
``library_hash`` is the fingerprint of the shipped row as last loaded, empty for a studio's own rows.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.common.models import BaseModel
from apps.projects.models import Project


class Channel(models.TextChoices):
    """Which prompts a preset speaks to."""

    BOTH = "both", _("picture and video")
    IMAGE = "image", _("picture")
    VIDEO = "video", _("video")


class RuleKind(models.TextChoices):
    """What a rule says of its two sides."""

    REQUIRES = "requires", _("requires")
    CONFLICTS = "conflicts", _("conflicts with")


class Severity(models.TextChoices):
    """What a broken rule does: hard refuses the save unless somebody says why; the others are told."""

    HARD = "hard", _("hard")
    WARNING = "warning", _("warning")
    INFO = "info", _("for information")


def _named_once(model: str, *also: str) -> list[models.BaseConstraint]:
    """A name once among the studio's rows, and once among each film's."""
    return [
        models.UniqueConstraint(
            fields=[*also, "slug"], condition=models.Q(project=None), name=f"studio_{model}_slug_is_unique"
        ),
        models.UniqueConstraint(
            fields=["project", *also, "slug"],
            condition=models.Q(project__isnull=False),
            name=f"project_{model}_slug_is_unique",
        ),
    ]


class LibraryModel(BaseModel):
    """What every row of the library has."""

    project = models.ForeignKey(
        Project,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("project"),
        help_text=_("Empty: the studio's, for every project."),
    )
    archived = models.BooleanField(_("archived"), default=False)
    library_hash = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        abstract = True


class PresetCategory(LibraryModel):
    """Shot size, camera angle, lens … ``exclusive``: at most one of it per shot."""

    slug = models.SlugField(_("key"))
    name = models.CharField(_("name"), max_length=80)
    name_ko = models.CharField(_("name (Korean)"), max_length=80, blank=True)
    order = models.PositiveSmallIntegerField(_("order"))
    exclusive = models.BooleanField(_("at most one per shot"), default=True)

    class Meta:
        ordering = ["order"]
        constraints = _named_once("category")
        verbose_name = _("preset category")
        verbose_name_plural = _("preset categories")

    def __str__(self) -> str:
        return self.name


class CinematicPreset(LibraryModel):
    """One option: what it adds to the positive and the negative prompt, and parameters for graphs."""

    category = models.ForeignKey(
        PresetCategory, models.PROTECT, related_name="presets", verbose_name=_("category")
    )
    slug = models.SlugField(_("slug"), max_length=80)
    name = models.CharField(_("name"), max_length=120)
    name_ko = models.CharField(_("name (Korean)"), max_length=120, blank=True)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices, default=Channel.BOTH)
    order = models.PositiveSmallIntegerField(_("order"))
    prompt_fragment = models.TextField(_("prompt fragment"), blank=True)
    prompt_fragment_ko = models.TextField(_("prompt fragment (Korean)"), blank=True)
    negative_fragment = models.TextField(_("negative fragment"), blank=True)
    negative_fragment_ko = models.TextField(_("negative fragment (Korean)"), blank=True)
    params = models.JSONField(_("parameters"), default=dict, blank=True)

    class Meta:
        ordering = ["category__order", "order"]
        constraints = _named_once("preset", "category")
        verbose_name = _("cinematic preset")
        verbose_name_plural = _("cinematic presets")

    def __str__(self) -> str:
        return self.name

    @property
    def ref(self) -> str:
        """shot_size/close-up: how shots, looks and rules name it. Read the category with the row."""
        return f"{self.category.slug}/{self.slug}"


class PresetOverride(BaseModel):
    """What one film says instead of a studio's preset. An empty text leaves the studio's; ``hidden``: not
    offered in this film."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="+", verbose_name=_("project"))
    preset = models.ForeignKey(
        CinematicPreset, models.CASCADE, related_name="overrides", verbose_name=_("preset")
    )
    prompt_fragment = models.TextField(_("prompt fragment"), blank=True)
    prompt_fragment_ko = models.TextField(_("prompt fragment (Korean)"), blank=True)
    negative_fragment = models.TextField(_("negative fragment"), blank=True)
    negative_fragment_ko = models.TextField(_("negative fragment (Korean)"), blank=True)
    hidden = models.BooleanField(_("hidden in this project"), default=False)

    class Meta:
        ordering = ["preset__category__order", "preset__order"]
        constraints = [
            models.UniqueConstraint(fields=["project", "preset"], name="one_override_per_project_and_preset")
        ]
        verbose_name = _("preset in a project")
        verbose_name_plural = _("presets in projects")

    def __str__(self) -> str:
        return f"{self.project.code}: {self.preset}"


class Look(LibraryModel):
    """A named set of presets: film noir, documentary handheld … Applied to a shot, its presets are the
    shot's; a change of the look changes no shot."""

    slug = models.SlugField(_("key"), max_length=80)
    name = models.CharField(_("name"), max_length=120)
    name_ko = models.CharField(_("name (Korean)"), max_length=120, blank=True)
    description = models.TextField(_("description"), blank=True)
    description_ko = models.TextField(_("description (Korean)"), blank=True)
    order = models.PositiveSmallIntegerField(_("order"), default=0)
    presets: models.ManyToManyField[CinematicPreset, LookPreset] = models.ManyToManyField(
        CinematicPreset, through="LookPreset", related_name="looks", verbose_name=_("presets")
    )

    class Meta:
        ordering = ["order", "slug"]
        constraints = _named_once("look")
        verbose_name = _("look")
        verbose_name_plural = _("looks")

    def __str__(self) -> str:
        return self.name


class LookPreset(BaseModel):
    """A preset of a look."""

    look = models.ForeignKey(Look, models.CASCADE, related_name="look_presets")
    preset = models.ForeignKey(CinematicPreset, models.PROTECT, related_name="+", verbose_name=_("preset"))
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        ordering = ["look", "order"]
        constraints = [models.UniqueConstraint(fields=["look", "preset"], name="preset_once_per_look")]
        verbose_name = _("preset")
        verbose_name_plural = _("presets")

    def __str__(self) -> str:
        return str(self.preset)


class PresetRule(LibraryModel):
    """Where everything in ``when`` holds, something of ``other`` is required, or nothing of it may hold.

    Both are lines of terms; apps.presets.rules says how they are written. The message is what people read.
    """

    slug = models.SlugField(_("key"), max_length=80)
    kind = models.CharField(
        pgettext_lazy("preset rule", "says"),
        max_length=10,
        choices=RuleKind.choices,
        default=RuleKind.CONFLICTS,
    )
    severity = models.CharField(
        _("severity"), max_length=10, choices=Severity.choices, default=Severity.WARNING
    )
    when = models.TextField(pgettext_lazy("preset rule", "when"))
    other = models.TextField(_("conflicts with / requires"))
    message = models.CharField(_("message"), max_length=300)
    message_ko = models.CharField(_("message (Korean)"), max_length=300, blank=True)
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        ordering = ["order", "slug"]
        constraints = _named_once("rule")
        verbose_name = _("preset rule")
        verbose_name_plural = _("preset rules")

    def __str__(self) -> str:
        return self.slug


def in_library(project_id: Any) -> models.Q:
    """Which rows of the library stand in a film (None: in none): the studio's and its own."""
    studio = models.Q(project=None)
    return studio | models.Q(project=project_id) if project_id else studio

"""Characters: how they look, what they wear, which LoRAs know them."""

from __future__ import annotations

from typing import Final

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.common.models import BaseModel
from apps.projects.models import Project

MOST_WEIGHT: Final = 2.0
"""A character's LoRA at twice its strength has long taken the picture over."""

WEIGHT_LIMITS: Final = (MinValueValidator(0.0), MaxValueValidator(MOST_WEIGHT))
"""A LoRA's weight; 0 means off."""

SHA256 = RegexValidator(r"^[0-9a-f]{64}\Z", _("Write 64 of 0-9 and a-f, as sha256sum prints them."))


class Expert(models.TextChoices):
    """Which of a model's several experts a LoRA was trained for. Models with one expert need none."""

    ALL = "", _("all")
    HIGH = "high", _("high noise")
    LOW = "low", _("low noise")


class Character(BaseModel):
    """Someone in the film. ``description`` goes into prompts; ``use_lora`` says whether LoRAs do."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="characters", verbose_name=_("project"))
    code = models.CharField(_("code"), max_length=20)
    name = models.CharField(_("name"), max_length=120)
    name_ko = models.CharField(_("name (Korean)"), max_length=120, blank=True)
    description = models.TextField(_("description"), blank=True)
    description_ko = models.TextField(_("description (Korean)"), blank=True)
    negative = models.TextField(_("negative text"), blank=True)
    age = models.CharField(_("age"), max_length=40, blank=True)
    gender = models.CharField(_("gender"), max_length=40, blank=True)
    use_lora = models.BooleanField(_("use LoRA"), default=False)
    default_costume = models.ForeignKey(
        "Costume", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("default costume")
    )
    archived = models.BooleanField(_("archived"), default=False)

    class Meta:
        ordering = ["project", "code"]
        constraints = [models.UniqueConstraint(fields=["project", "code"], name="character_code_is_unique")]
        verbose_name = _("character")
        verbose_name_plural = _("characters")

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Costume(BaseModel):
    """What a character wears, as prompt text."""

    character = models.ForeignKey(Character, models.CASCADE, related_name="costumes")
    name = models.CharField(_("name"), max_length=120)
    prompt = models.TextField(_("prompt text"))
    prompt_ko = models.TextField(_("prompt text (Korean)"), blank=True)

    class Meta:
        ordering = ["character", "name"]
        constraints = [models.UniqueConstraint(fields=["character", "name"], name="costume_name_is_unique")]
        verbose_name = _("costume")
        verbose_name_plural = _("costumes")

    def __str__(self) -> str:
        return self.name


class CharacterLora(BaseModel):
    """A LoRA that knows a character, for one base model ("sd15", "flux", "wan22").

    ``expert``: WAN 2.2 works with two models in turns, and its LoRAs often come as a pair of files.
    """

    character = models.ForeignKey(Character, models.CASCADE, related_name="loras")
    base_model = models.CharField(_("base model"), max_length=40)
    file = models.CharField(_("model file"), max_length=255, help_text=_("As ComfyUI lists it, with /."))
    expert = models.CharField(
        _("expert"),
        max_length=10,
        blank=True,
        default=Expert.ALL,
        choices=Expert.choices,
        help_text=_("Of WAN 2.2: the model this file was trained for."),
    )
    sha256 = models.CharField(
        _("SHA-256"),
        max_length=64,
        blank=True,
        validators=[SHA256],
        help_text=_("Of the file, where it is known: a node with another file of this name is told apart."),
    )
    weight = models.FloatField(_("weight"), default=0.8, validators=WEIGHT_LIMITS)
    trigger_words = models.JSONField(
        _("trigger words"), default=list, blank=True, help_text=_('A list, in order: ["elsa_v2"]')
    )

    class Meta:
        ordering = ["character", "base_model", "file"]
        constraints = [
            models.UniqueConstraint(fields=["character", "base_model", "file"], name="lora_file_is_unique"),
            models.CheckConstraint(
                condition=Q(weight__gte=0) & Q(weight__lte=MOST_WEIGHT), name="lora_weight_is_0_to_2"
            ),
        ]
        verbose_name = _("LoRA")
        verbose_name_plural = _("LoRAs")

    def __str__(self) -> str:
        return f"{self.file} × {self.weight:g}"


class CharacterReference(BaseModel):
    """A reference picture, decoded and checked before it is kept. ``key`` is in the artifact store."""

    character = models.ForeignKey(Character, models.CASCADE, related_name="references")
    title = models.CharField(_("title"), max_length=120, blank=True)
    key = models.CharField(max_length=255)
    media_type = models.CharField(max_length=40)
    sha256 = models.CharField(max_length=64)
    bytes = models.PositiveBigIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        ordering = ["character", "order"]
        constraints = [models.UniqueConstraint(fields=["character", "sha256"], name="reference_is_unique")]
        verbose_name = _("reference picture")
        verbose_name_plural = _("reference pictures")

    def __str__(self) -> str:
        return self.title or self.key

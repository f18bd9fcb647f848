"""Material: files people bring for shots, checked before anything believes them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.common.models import BaseModel
from apps.materials.states import MATERIAL
from apps.productions.models import Sequence, Shot
from apps.projects.models import Project
from apps.review.states import Media


class MaterialKind(models.TextChoices):
    """What a file is to a shot."""

    PLATE = "plate", _("plate")
    VIDEO = "video", _("driving video")
    MASK = "mask", _("mask")
    CONTROL = "control", _("control")
    AUDIO = "audio", _("sound")


class Medium(models.TextChoices):
    """What a file is to a decoder."""

    IMAGE = "image", _("picture")
    VIDEO = "video", _("video")
    AUDIO = "audio", _("sound")


MEDIA_OF: Final[Mapping[str, tuple[str, ...]]] = {
    MaterialKind.PLATE: (Medium.IMAGE,),
    MaterialKind.VIDEO: (Medium.VIDEO,),
    MaterialKind.MASK: (Medium.IMAGE,),
    MaterialKind.CONTROL: (Medium.IMAGE, Medium.VIDEO),
    MaterialKind.AUDIO: (Medium.AUDIO,),
}
"""What a file of each kind may be: control comes as a picture or as a clip of them."""

_FITTING = Q()
for _kind, _media in MEDIA_OF.items():
    _FITTING |= Q(kind=_kind, medium__in=_media)

_STANDING: Final = Q(removed_at=None)


class Material(BaseModel):
    """A file of a shot, of a sequence or, where both are empty, of the whole film.

    Never replaced: ``sha256`` is of what ``key`` names in the artifact store, for good. Pixels, ``frames``,
    ``fps`` and ``seconds`` are what was decoded, 0 and None where there is no such thing. ``removed_at``: no
    longer offered; kept because jobs were ordered with it.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="materials", verbose_name=_("project"))
    sequence = models.ForeignKey(
        Sequence, models.CASCADE, null=True, related_name="materials", verbose_name=_("sequence")
    )
    shot = models.ForeignKey(
        Shot, models.CASCADE, null=True, related_name="materials", verbose_name=_("shot")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=MaterialKind.choices)
    name = models.CharField(_("name"), max_length=120)
    key = models.CharField(max_length=255, unique=True)
    media_type = models.CharField(_("type"), max_length=40)
    medium = models.CharField(max_length=10, choices=Medium.choices)
    sha256 = models.CharField(max_length=64)
    bytes = models.PositiveBigIntegerField(_("bytes"))
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    frames = models.PositiveIntegerField(default=0)
    fps = models.FloatField(null=True)
    seconds = models.FloatField(null=True)
    state = models.CharField(_("state"), max_length=12, choices=Media.choices, default=Media.PROCESSING)
    problem = models.TextField(blank=True)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    removed_at = models.DateTimeField(null=True)
    removed_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["kind", "name", "created_at"]
        constraints = [
            MATERIAL.constraint("material_state_is_known"),
            models.CheckConstraint(
                condition=Q(sequence=None) | Q(shot=None), name="material_is_of_one_thing"
            ),
            models.CheckConstraint(condition=_FITTING, name="material_fits_its_kind"),
            models.CheckConstraint(condition=Q(bytes__gte=1), name="material_is_not_empty"),
            models.CheckConstraint(
                condition=~Q(state=Media.READY) | Q(medium=Medium.AUDIO) | Q(width__gte=1, height__gte=1),
                name="ready_material_has_a_size",
            ),
            models.UniqueConstraint(
                fields=["shot", "kind", "sha256"],
                condition=_STANDING & Q(shot__isnull=False),
                name="material_once_per_shot",
            ),
            models.UniqueConstraint(
                fields=["sequence", "kind", "sha256"],
                condition=_STANDING & Q(sequence__isnull=False),
                name="material_once_per_sequence",
            ),
            models.UniqueConstraint(
                fields=["project", "kind", "sha256"],
                condition=_STANDING & Q(sequence=None, shot=None),
                name="material_once_per_project",
            ),
        ]
        indexes = [
            models.Index(
                fields=["updated_at"],
                condition=Q(state=Media.PROCESSING),
                name="material_in_processing",
            ),
        ]
        verbose_name = _("material")
        verbose_name_plural = _("material")

    def __str__(self) -> str:
        return self.name

    @property
    def thumb_key(self) -> str:
        """Where the small picture lies, of pictures and videos that are ready."""
        return self._beside("thumb.webp")

    @property
    def proxy_key(self) -> str:
        """Where what a browser plays lies, of videos that are ready."""
        return self._beside("proxy.mp4")

    @property
    def keys(self) -> tuple[str, ...]:
        """Everything of it that may lie in the store."""
        return (self.key, self.thumb_key, self.proxy_key)

    def _beside(self, name: str) -> str:
        return str(PurePosixPath(self.key).with_name(name))

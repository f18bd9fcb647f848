"""What is recommended for a shot, why, and what a person made of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.models import BaseModel
from apps.productions.models import Shot
from apps.workflows.models import RecommendationRule


class Decision(models.TextChoices):
    """What a person said to a recommendation."""

    NONE = "", _("not decided")
    ACCEPTED = "accepted", _("accepted")
    OVERRIDDEN = "overridden", _("overridden")


class Recommendation(BaseModel):
    """The template that the rules recommend for a shot, as it was worked out last, and a person's word on it.

    ``choices``: every template that a rule spoke for, the recommended one first, with its reasons and what
    stands in its way (services.recommending); ``denied``: words that the text says do not happen.
    ``inputs_hash``: of what it rests on, so that it is worked out again when the text, the rules or the farm
    change. ``chosen``: the template a person decided on; ``decided_on``: the hash at that time.
    """

    shot = models.OneToOneField(Shot, models.CASCADE, related_name="recommendation", verbose_name=_("shot"))
    rule = models.ForeignKey(
        RecommendationRule, models.SET_NULL, null=True, related_name="+", verbose_name=_("rule")
    )
    template = models.CharField(_("template"), max_length=50, blank=True)
    recipe = models.CharField(_("recipe"), max_length=80, blank=True)
    choices = models.JSONField(default=list, blank=True)
    denied = models.JSONField(default=list, blank=True)
    inputs_hash = models.CharField(max_length=64, blank=True)
    decision = models.CharField(
        _("decision"), max_length=12, choices=Decision.choices, default=Decision.NONE, blank=True
    )
    chosen = models.CharField(_("chosen template"), max_length=50, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided"), null=True)
    decided_on = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = _("recommendation")
        verbose_name_plural = _("recommendations")

    def __str__(self) -> str:
        return f"{self.shot}: {self.template}"

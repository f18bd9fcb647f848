"""App configuration."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReviewConfig(AppConfig):
    name = "apps.review"
    label = "review"
    verbose_name = _("Review")

    def ready(self) -> None:
        """Judge what is made of a take when another is selected, or a verdict is given."""
        signals = import_module("apps.review.signals")
        staling = import_module("apps.review.services.staling")
        signals.take_selected.connect(staling.hear_selection, dispatch_uid="staling")
        deeds = import_module("apps.productions.automations")
        selecting = import_module("apps.review.services.selecting")
        deeds.add_deed("select", selecting.select_by_automation)
        signals.take_reviewed.connect(staling.hear_verdict, dispatch_uid="staling")

"""App configuration."""

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class RendersConfig(AppConfig):
    name = "apps.renders"
    label = "renders"
    verbose_name = _("Renders")

    def ready(self) -> None:
        """Let every migrate bring the rules of this release; hear selections, and look for those missed."""
        shipped_rules = import_module("apps.renders.services.shipped_rules")
        post_migrate.connect(shipped_rules.ship, sender=self)
        continuity = import_module("apps.renders.services.continuity")
        chores = import_module("apps.renders.services.chores")
        chores.add_chore(continuity.resolve_missed)
        chores.add_chore(import_module("apps.review.services.staling").judge_missed)
        signals = import_module("apps.review.signals")
        signals.take_selected.connect(continuity.hear_selection, dispatch_uid="continuity")

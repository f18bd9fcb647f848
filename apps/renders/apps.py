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
        """Let every migrate bring the rules of this release."""
        shipped_rules = import_module("apps.renders.services.shipped_rules")
        post_migrate.connect(shipped_rules.ship, sender=self)

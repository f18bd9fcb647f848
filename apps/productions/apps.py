"""App configuration."""

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class ProductionsConfig(AppConfig):
    name = "apps.productions"
    label = "productions"
    verbose_name = _("Production")

    def ready(self) -> None:
        """Let every migrate bring the automations of this release."""
        shipped = import_module("apps.productions.shipped_automations")
        post_migrate.connect(shipped.ship, sender=self)

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
        """Hear who leaves a project, and let every migrate bring the automations of this release."""
        assigning = import_module("apps.productions.assigning")
        signals = import_module("apps.projects.signals")
        signals.member_left.connect(assigning.hear_of_leaving, dispatch_uid="productions")
        shipped = import_module("apps.productions.shipped_automations")
        post_migrate.connect(shipped.ship, sender=self)

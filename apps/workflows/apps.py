"""App configuration."""

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class WorkflowsConfig(AppConfig):
    name = "apps.workflows"
    label = "workflows"
    verbose_name = _("Workflows")

    def ready(self) -> None:
        """Let every migrate bring the rules of this release."""
        shipped = import_module("apps.workflows.shipped_recommendations")
        post_migrate.connect(shipped.ship, sender=self)

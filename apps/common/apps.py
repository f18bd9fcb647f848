"""App configuration."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CommonConfig(AppConfig):
    name = "apps.common"
    label = "common"
    verbose_name = _("Activity")  # the one page it has: every state change

    def ready(self) -> None:
        """Register the farm's own checks of its settings."""
        import_module("farm.checks")

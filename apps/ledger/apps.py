"""App configuration."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class LedgerConfig(AppConfig):
    name = "apps.ledger"
    label = "ledger"
    verbose_name = _("Activity")

    def ready(self) -> None:
        """Let each app say, in its ``tracked.py``, which of its rows are remembered."""
        autodiscover_modules("tracked")

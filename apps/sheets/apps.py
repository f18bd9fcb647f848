"""The sheets app."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SheetsConfig(AppConfig):
    """Imports and exports of what a coordinator plans."""

    name = "apps.sheets"
    verbose_name = _("spreadsheets")

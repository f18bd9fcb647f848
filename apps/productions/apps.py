"""App configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProductionsConfig(AppConfig):
    name = "apps.productions"
    label = "productions"
    verbose_name = _("Production")

"""App configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NodesConfig(AppConfig):
    name = "apps.nodes"
    label = "nodes"
    verbose_name = _("Farm")

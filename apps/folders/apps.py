"""App configuration."""

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class FoldersConfig(AppConfig):
    name = "apps.folders"
    label = "folders"
    verbose_name = _("Folders and names")

    def ready(self) -> None:
        """Hear what is selected and approved, ask again for what was missed, bring the shipped layouts."""
        wanting = import_module("apps.folders.services.wanting")
        signals = import_module("apps.review.signals")
        chores = import_module("apps.renders.services.chores")
        signals.take_reviewed.connect(wanting.hear_verdict, dispatch_uid="folders")
        signals.take_selected.connect(wanting.hear_selection, dispatch_uid="folders")
        chores.add_chore(wanting.ask_again)
        chores.add_chore(import_module("apps.folders.services.missing").want_missed)
        shipped = import_module("apps.folders.services.shipped")
        post_migrate.connect(shipped.ship, sender=self)

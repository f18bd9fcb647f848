"""App configuration."""

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_delete
from django.utils.translation import gettext_lazy as _


class KeepingConfig(AppConfig):
    name = "apps.keeping"
    label = "keeping"
    verbose_name = _("Archives")

    def ready(self) -> None:
        """Have the leader look after archives, and let old activity go."""
        chores = import_module("apps.renders.services.chores")
        chores.add_chore(import_module("apps.keeping.services.aging").look_after_archives)
        asking = import_module("apps.keeping.services.asking")
        post_delete.connect(asking.forget_file, sender=self.get_model("ProjectArchive"))
        chores.add_chore(import_module("apps.ledger.services.trimming").trim_old)

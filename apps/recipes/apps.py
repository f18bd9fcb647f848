"""App configuration."""

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class RecipesConfig(AppConfig):
    name = "apps.recipes"
    label = "recipes"
    verbose_name = _("Recipes")

    def ready(self) -> None:
        """Hear verdicts, look for those that were missed, and let every migrate bring the shipped recipes."""
        going_on = import_module("apps.recipes.services.going_on")
        signals = import_module("apps.review.signals")
        chores = import_module("apps.renders.services.chores")
        signals.take_reviewed.connect(going_on.hear_verdict, dispatch_uid="recipes")
        chores.add_chore(going_on.go_on_missed)
        jobs = import_module("apps.renders.signals")
        submitting = import_module("apps.recipes.services.submitting")
        jobs.job_continues.connect(submitting.hear_of_source, dispatch_uid="recipes")
        shipped = import_module("apps.recipes.services.shipped")
        post_migrate.connect(shipped.ship, sender=self)

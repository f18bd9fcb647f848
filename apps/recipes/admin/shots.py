"""The shot pages with recipes: select shots, start one."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy

from apps.productions.models import Shot
from apps.recipes.admin.press_start import recipe_page, recipe_view
from apps.renders.admin.shots import RenderedShotAdmin

admin.site.unregister(Shot)


@admin.register(Shot)
class CookedShotAdmin(RenderedShotAdmin):
    """Select shots, start a recipe."""

    actions = ("render_shots", "start_recipe", *RenderedShotAdmin.actions[1:])

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("recipe/", view(self.recipe_page), name="productions_shot_recipe"),
            path("<path:object_id>/recipe/", view(self.recipe_one), name="productions_shot_recipe_one"),
        ]
        return own + super().get_urls()

    @admin.action(description=gettext_lazy("Start a recipe…"), permissions=["render"])
    def start_recipe(self, request: HttpRequest, shots: QuerySet[Shot]) -> HttpResponse:
        return recipe_page(self, request, list(shots.values_list("pk", flat=True)))

    def recipe_page(self, request: HttpRequest) -> HttpResponse:
        """Show the form again with a preview or errors, or start the run."""
        if request.method != "POST":
            return HttpResponseRedirect(reverse("admin:productions_shot_changelist"))
        return recipe_view(self, request)

    def recipe_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Open the form for one shot."""
        return recipe_page(self, request, [object_id])

"""The preset library, by category."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.common.show import NOTHING, badge, link, spoken
from apps.presets.models import Channel, CinematicPreset, PresetCategory
from apps.projects.admin_scope import FarmAdmin, MyProjects

CHANNEL_TONES = {Channel.BOTH: "blue", Channel.IMAGE: "teal", Channel.VIDEO: "violet"}


@admin.register(PresetCategory)
class PresetCategoryAdmin(FarmAdmin):
    list_display = ("title", "slug", "option_count", "exclusive", "order")
    list_display_links = ("title",)
    search_fields = ("name", "name_ko", "slug")
    fields = (("name", "name_ko"), ("slug", "order"), "exclusive")

    def get_queryset(self, request: HttpRequest) -> QuerySet[PresetCategory]:
        rows: QuerySet[PresetCategory] = super().get_queryset(request)
        return rows.annotate(_options=Count("presets"))

    @admin.display(description=_("name"), ordering="name")
    def title(self, category: PresetCategory) -> str:
        return spoken(category, "name")

    @admin.display(description=_("presets"), ordering="_options")
    def option_count(self, category: PresetCategory) -> SafeString:
        address = f"{reverse('admin:presets_cinematicpreset_changelist')}?category__id__exact={category.pk}"
        return link(address, getattr(category, "_options", 0))


@admin.register(CinematicPreset)
class CinematicPresetAdmin(FarmAdmin):
    list_display = ("title", "group", "speaks_to", "prompt_fragment", "negative_fragment", "withdrawn")
    list_select_related = ("category",)
    list_filter = (("category", MyProjects), "channel", "archived")
    list_filter_sheet = True  # the width is for the columns
    list_per_page = 200
    search_fields = ("name", "name_ko", "slug", "prompt_fragment")
    fieldsets = (
        (None, {"fields": (("category", "slug"), ("name", "name_ko"), ("channel", "order", "archived"))}),
        (_("Prompt"), {"fields": ("prompt_fragment", "negative_fragment", "params")}),
    )

    @admin.display(description=_("name"), ordering="name")
    def title(self, preset: CinematicPreset) -> str:
        return spoken(preset, "name")

    @admin.display(description=_("category"), ordering="category__order")
    def group(self, preset: CinematicPreset) -> str:
        return spoken(preset.category, "name")

    @admin.display(description=_("channel"), ordering="channel")
    def speaks_to(self, preset: CinematicPreset) -> SafeString:
        return badge(preset.get_channel_display(), CHANNEL_TONES[Channel(preset.channel)])

    @admin.display(description=_("archived"), ordering="archived")
    def withdrawn(self, preset: CinematicPreset) -> SafeString:
        return badge(_("archived"), "grey") if preset.archived else NOTHING

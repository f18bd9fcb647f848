"""Categories, presets, looks and rules, and what projects say instead of the studio."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from apps.common.show import NOTHING, badge, chips, clamped, link, spoken
from apps.presets.admin.base import LibraryAdmin, LibraryForm, OfScope
from apps.presets.admin.exchanging import exchange_view, export_view
from apps.presets.models import (
    Channel,
    CinematicPreset,
    Look,
    PresetCategory,
    PresetOverride,
    PresetRule,
    RuleKind,
    Severity,
)
from apps.presets.picker import PickedPresets
from apps.presets.services.choosing import exclusive_problems
from apps.presets.services.looks import set_look_presets
from apps.presets.words import rules_in_words
from apps.projects.admin_filters import MyProjects
from apps.projects.admin_scope import ScopedAdmin

CHANNEL_TONES = {Channel.BOTH: "blue", Channel.IMAGE: "teal", Channel.VIDEO: "violet"}
SHOWN_TERMS = 4
SEVERITY_TONES = {Severity.HARD: "red", Severity.WARNING: "amber", Severity.INFO: "blue"}


@admin.register(PresetCategory)
class PresetCategoryAdmin(LibraryAdmin):
    list_display = ("title", "slug", "option_count", "exclusive", "whose", "state", "order")
    list_display_links = ("title",)
    list_filter = (OfScope, "exclusive", "archived")
    search_fields = ("name", "name_ko", "slug")
    fields = ("project", ("name", "name_ko"), ("slug", "order"), ("exclusive", "archived"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[PresetCategory]:
        rows: QuerySet[PresetCategory] = super().get_queryset(request)
        return rows.annotate(_options=Count("presets"))

    @admin.display(description=gettext_lazy("presets"), ordering="_options")
    def option_count(self, category: PresetCategory) -> SafeString:
        address = f"{reverse('admin:presets_cinematicpreset_changelist')}?category__id__exact={category.pk}"
        return link(address, getattr(category, "_options", 0))


class PresetForm(LibraryForm[CinematicPreset]):
    """Parameters may be left empty."""

    def clean_params(self) -> Any:
        return self.cleaned_data.get("params") or {}


@admin.register(CinematicPreset)
class CinematicPresetAdmin(LibraryAdmin):
    form = PresetForm
    list_display: tuple[str, ...] = (
        "title",
        "group",
        "speaks_to",
        "prompt_fragment",
        "negative_fragment",
        "whose",
        "state",
    )
    list_filter = (("category", MyProjects), OfScope, "channel", "archived")
    list_filter_sheet = True  # the width is for the columns
    list_per_page = 200
    search_fields = ("name", "name_ko", "slug", "prompt_fragment", "prompt_fragment_ko")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "project",
                    ("category", "slug"),
                    ("name", "name_ko"),
                    ("channel", "order", "archived"),
                )
            },
        ),
        (
            gettext_lazy("Prompt"),
            {
                "fields": (
                    ("prompt_fragment", "prompt_fragment_ko"),
                    ("negative_fragment", "negative_fragment_ko"),
                    "params",
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("project", "category")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("exchange/", view(self.exchange), name="presets_exchange"),
            path("export/", view(export_view), name="presets_export"),
        ]
        return own + super().get_urls()

    def exchange(self, request: HttpRequest) -> HttpResponse:
        """Take the library out, or bring one in."""
        return exchange_view(self, request)

    def beside(self, row: Any) -> QuerySet[Any]:
        return super().beside(row).filter(category=row.category_id)

    @admin.display(description=gettext_lazy("category"), ordering="category__order")
    def group(self, preset: CinematicPreset) -> str:
        return spoken(preset.category, "name")

    @admin.display(description=gettext_lazy("channel"), ordering="channel")
    def speaks_to(self, preset: CinematicPreset) -> SafeString:
        return badge(preset.get_channel_display(), CHANNEL_TONES[Channel(preset.channel)])


@admin.register(PresetOverride)
class PresetOverrideAdmin(ScopedAdmin):
    """What a film says instead of the studio's preset. An empty text leaves the studio's."""

    list_display = ("of_preset", "project", "says", "says_not", "is_hidden")
    list_display_links = ("of_preset",)
    list_select_related = ("project", "preset__category")
    list_filter = (("project", MyProjects), "hidden")
    search_fields = ("preset__name", "preset__name_ko", "preset__slug")
    fields = (
        ("project", "preset"),
        ("prompt_fragment", "prompt_fragment_ko"),
        ("negative_fragment", "negative_fragment_ko"),
        "hidden",
    )

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "preset":
            studios = CinematicPreset.objects.filter(project=None).select_related("category")
            kwargs["queryset"] = studios.order_by("category__order", "order")
        field: Any = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None and db_field.name == "preset":
            field.label_from_instance = _preset_label
        return field

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*super().get_readonly_fields(request, obj), *(("preset",) if obj is not None else ()))

    @admin.display(description=gettext_lazy("preset"), ordering="preset__category__order")
    def of_preset(self, row: PresetOverride) -> str:
        return _preset_label(row.preset)

    @admin.display(description=gettext_lazy("prompt fragment"))
    def says(self, row: PresetOverride) -> SafeString:
        return clamped(spoken(row, "prompt_fragment"))

    @admin.display(description=gettext_lazy("negative fragment"))
    def says_not(self, row: PresetOverride) -> SafeString:
        return clamped(spoken(row, "negative_fragment"))

    @admin.display(description=gettext_lazy("hidden"), ordering="hidden")
    def is_hidden(self, row: PresetOverride) -> SafeString:
        return badge(_("hidden"), "amber") if row.hidden else NOTHING


class LookForm(LibraryForm[Look]):
    """A look and its presets."""

    picked = PickedPresets()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        picker = self.fields.get("picked")
        if isinstance(picker, PickedPresets):
            saved = not self.instance._state.adding
            parts = self.instance.look_presets.order_by("order") if saved else ()
            picker.about(self.instance.project_id if saved else None, [part.preset_id for part in parts])
            self.initial["picked"] = picker.initial

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        presets = data.get("picked", [])
        if "picked" in data and not presets:
            self.add_error("picked", _("A look has at least one preset."))
        for problem in exclusive_problems(presets):
            self.add_error("picked", str(problem.message))
        return data


@admin.register(Look)
class LookAdmin(LibraryAdmin):
    form = LookForm
    stands_for: ClassVar[Mapping[str, str]] = {"presets": "picked"}
    list_display: tuple[str, ...] = ("title", "holds", "whose", "state", "order")
    list_display_links = ("title",)
    list_filter = (OfScope, "archived")
    search_fields = ("name", "name_ko", "slug", "description", "description_ko")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "project",
                    ("name", "name_ko"),
                    ("slug", "order", "archived"),
                    ("description", "description_ko"),
                    "picked",
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("look_presets__preset")

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if "picked" in form.changed_data:
            set_look_presets(form.instance, form.cleaned_data["picked"])

    @admin.display(description=gettext_lazy("presets"))
    def picked(self, look: Look) -> SafeString:
        """What the picker says to those who may not change it."""
        return self.holds(look)

    @admin.display(description=gettext_lazy("presets"))
    def holds(self, look: Look) -> SafeString:
        return chips([spoken(part.preset, "name") for part in look.look_presets.all()])


class RuleForm(LibraryForm[PresetRule]):
    """A rule whose terms can be read and name something."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "when" in self.fields:
            self.fields["when"].help_text = _(
                "Every line must hold; | stands between alternatives. Such as preset:light_source/neon, "
                "category:mood, param:focal_mm>=200, time_of_day:night|midnight, weather:rain, "
                "setting:interior, year:<1912, kind:image."
            )
        if "other" in self.fields:
            self.fields["other"].help_text = _("Written alike; each line is one more alternative.")


@admin.register(PresetRule)
class PresetRuleAdmin(LibraryAdmin):
    form = RuleForm
    list_display = ("told", "weighs", "when_it", "says", "whose", "state")
    list_display_links = ("told",)
    list_filter = (OfScope, "severity", "kind", "archived")
    list_per_page = 100
    search_fields = ("slug", "message", "message_ko", "when", "other")
    fields = (
        "project",
        ("slug", "order", "archived"),
        ("kind", "severity"),
        ("when", "other"),
        ("message", "message_ko"),
    )

    def dress(self, rows: list[Any], request: HttpRequest) -> None:
        super().dress(rows, request)
        words = rules_in_words(rows)
        for row in rows:
            row.words = {name: words[row.pk, name] for name in ("when", "other")}

    @admin.display(description=gettext_lazy("message"), ordering="order")
    def told(self, rule: PresetRule) -> str:
        return spoken(rule, "message")

    @admin.display(description=gettext_lazy("severity"), ordering="severity")
    def weighs(self, rule: PresetRule) -> SafeString:
        return badge(rule.get_severity_display(), SEVERITY_TONES[Severity(rule.severity)])

    @admin.display(description=pgettext_lazy("preset rule", "when"))
    def when_it(self, rule: Any) -> SafeString:
        return chips(rule.words["when"], at_most=SHOWN_TERMS)

    @admin.display(description=pgettext_lazy("preset rule", "then"), ordering="kind")
    def says(self, rule: Any) -> SafeString:
        return format_html(
            "{} {}", RuleKind(rule.kind).label, chips(rule.words["other"], at_most=SHOWN_TERMS)
        )


def _preset_label(preset: CinematicPreset) -> str:
    return f"{spoken(preset.category, 'name')} / {spoken(preset, 'name')}"

"""Workflow templates: which are offered, and every version ever used, to read."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Max, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.common.admin import ReadOnly, Tabular
from apps.common.show import badge, chips, link, spoken
from apps.common.templatetags.show import pretty
from apps.projects.admin_scope import FarmAdmin
from apps.workflows import admin_imports
from apps.workflows.models import Kind, WorkflowTemplate, WorkflowTemplateVersion

__all__ = ["WorkflowTemplateAdmin", "WorkflowTemplateVersionAdmin", "admin_imports"]

KIND_TONES = {Kind.KEYFRAME: "blue", Kind.CLIP: "violet", Kind.SLATE: "grey"}


def model_chips(version: WorkflowTemplateVersion) -> SafeString:
    """Name the model files a version needs."""
    return chips([str(need["name"]) for need in version.models_needed])


class VersionInline(ReadOnly, Tabular):
    model = WorkflowTemplateVersion
    fields = ("opened", "needs", "content_hash", "created_at")
    readonly_fields = fields
    extra = 0
    hide_title = True
    verbose_name_plural = _("versions")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True  # whoever sees the template sees its versions

    def get_queryset(self, request: HttpRequest) -> QuerySet[WorkflowTemplateVersion]:
        return super().get_queryset(request).defer("graph", "manifest")

    @admin.display(description=_("version"))
    def opened(self, version: WorkflowTemplateVersion) -> SafeString:
        address = reverse("admin:workflows_workflowtemplateversion_change", args=[version.pk])
        return link(address, f"v{version.number}")

    @admin.display(description=_("models"))
    def needs(self, version: WorkflowTemplateVersion) -> SafeString:
        return model_chips(version)


@admin.register(WorkflowTemplate)
class WorkflowTemplateAdmin(FarmAdmin):
    list_display = ("slug", "name", "makes", "newest", "active")
    list_filter = ("kind", "active")
    search_fields = ("slug", "title", "title_ko")
    inlines = (VersionInline,)
    fields = (("slug", "kind"), ("title", "title_ko"), "active")
    readonly_fields = ("slug", "kind")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # templates come from workflows/ by sync_workflows

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # takes point at their versions: withdraw it instead

    def get_queryset(self, request: HttpRequest) -> QuerySet[WorkflowTemplate]:
        rows: QuerySet[WorkflowTemplate] = super().get_queryset(request)
        return rows.annotate(_newest=Max("versions__number"))

    @admin.display(description=_("title"), ordering="title")
    def name(self, template: WorkflowTemplate) -> str:
        return spoken(template, "title")

    @admin.display(description=_("makes"), ordering="kind")
    def makes(self, template: WorkflowTemplate) -> SafeString:
        return badge(template.get_kind_display(), KIND_TONES[Kind(template.kind)])

    @admin.display(description=_("version"), ordering="_newest")
    def newest(self, template: WorkflowTemplate) -> str:
        number = getattr(template, "_newest", None)
        return f"v{number}" if number else "–"


@admin.register(WorkflowTemplateVersion)
class WorkflowTemplateVersionAdmin(ReadOnly, FarmAdmin):
    """One graph with its manifest, as ComfyUI gets it."""

    list_display = ("__str__", "content_hash", "created_at")
    list_filter = ("template",)
    list_select_related = ("template",)
    fields = (
        "template",
        "number",
        "content_hash",
        "created_at",
        "needs_models",
        "needs_classes",
        "manifest_text",
        "graph_text",
    )
    readonly_fields = fields

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False  # reached from its template

    @admin.display(description=_("models"))
    def needs_models(self, version: WorkflowTemplateVersion) -> SafeString:
        return model_chips(version)

    @admin.display(description=_("node classes"))
    def needs_classes(self, version: WorkflowTemplateVersion) -> SafeString:
        return chips([str(name) for name in version.classes])

    @admin.display(description=_("manifest"))
    def manifest_text(self, version: WorkflowTemplateVersion) -> SafeString:
        return format_html('<pre class="sf-code">{}</pre>', pretty(version.manifest))

    @admin.display(description=_("graph"))
    def graph_text(self, version: WorkflowTemplateVersion) -> SafeString:
        return format_html('<pre class="sf-code" id="graph">{}</pre>', pretty(version.graph))

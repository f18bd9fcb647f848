"""Workflow templates: which are offered, and every version ever used: compared, chosen, deprecated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Max, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.common.admin import ReadOnly, Tabular, say_problems
from apps.common.errors import Refused
from apps.common.show import NOTHING, badge, chips, link, spoken
from apps.projects.admin_scope import FarmAdmin
from apps.projects.reach import person_of
from apps.workflows import admin_imports
from apps.workflows.catalogues import RECORDED
from apps.workflows.checking import on_nodes
from apps.workflows.models import Kind, Origin, WorkflowTemplate, WorkflowTemplateVersion
from apps.workflows.pictures import picture
from apps.workflows.selectors import version_numbered
from apps.workflows.services.managing import IMPORT, MANAGE
from apps.workflows.services.versions import deprecate, make_current, offer_again, set_offered
from workflows.compare import compare, compare_manifests

__all__ = ["WorkflowTemplateAdmin", "WorkflowTemplateVersionAdmin", "admin_imports"]

KIND_TONES = {Kind.KEYFRAME: "blue", Kind.CLIP: "violet", Kind.FRAMES: "teal", Kind.SLATE: "grey"}


def model_chips(version: WorkflowTemplateVersion) -> SafeString:
    """Name the model files a version needs."""
    return chips([str(need["name"]) for need in version.models_needed])


def standing(version: WorkflowTemplateVersion) -> SafeString:
    """Say whether new renders use this version."""
    if hasattr(version, "deprecation"):
        return badge(_("deprecated"), "amber")
    return badge(_("current"), "green") if version.template.current_id == version.pk else NOTHING


class VersionInline(ReadOnly, Tabular):
    model = WorkflowTemplateVersion
    fields = ("opened", "now", "needs", "content_hash", "created_at")
    readonly_fields = fields
    extra = 0
    hide_title = True
    verbose_name_plural = gettext_lazy("versions")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True  # whoever sees the template sees its versions

    def get_queryset(self, request: HttpRequest) -> QuerySet[WorkflowTemplateVersion]:
        rows = super().get_queryset(request).select_related("template", "deprecation")
        return rows.defer("graph", "manifest").order_by("-number")

    @admin.display(description=gettext_lazy("version"))
    def opened(self, version: WorkflowTemplateVersion) -> SafeString:
        address = reverse("admin:workflows_workflowtemplateversion_change", args=[version.pk])
        return link(address, f"v{version.number}")

    @admin.display(description=gettext_lazy("state"))
    def now(self, version: WorkflowTemplateVersion) -> SafeString:
        return standing(version)

    @admin.display(description=gettext_lazy("models"))
    def needs(self, version: WorkflowTemplateVersion) -> SafeString:
        return model_chips(version)


@admin.register(WorkflowTemplate)
class WorkflowTemplateAdmin(FarmAdmin):
    list_display = ("slug", "name", "makes", "newest", "came_from", "active")
    list_filter = ("kind", "origin", "active")
    search_fields = ("slug", "title", "title_ko")
    inlines = (VersionInline,)
    fields = (("slug", "kind"), ("title", "title_ko"), "active")
    readonly_fields = ("slug", "kind")
    list_before_template = "admin/workflows/workflowtemplate/imports.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # templates come from workflows/ by sync_workflows, or by way of an import

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # takes point at their versions: withdraw it instead

    def get_queryset(self, request: HttpRequest) -> QuerySet[WorkflowTemplate]:
        rows: QuerySet[WorkflowTemplate] = super().get_queryset(request)
        rows = rows.select_related("current").defer("current__graph", "current__manifest")
        return rows.annotate(_newest=Max("versions__number"))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        told = {**(extra_context or {}), "may_import": request.user.has_perm(IMPORT)}
        return super().changelist_view(request, told)

    def save_model(self, request: HttpRequest, obj: WorkflowTemplate, form: Any, change: bool) -> None:
        """Texts are the page's own; withdrawing is told as an event."""
        wished = obj.active
        if "active" in form.changed_data:
            set_offered(obj, offered=wished, user=person_of(request))
        super().save_model(request, obj, form, change)

    @admin.display(description=gettext_lazy("title"), ordering="title")
    def name(self, template: WorkflowTemplate) -> str:
        return spoken(template, "title")

    @admin.display(description=gettext_lazy("makes"), ordering="kind")
    def makes(self, template: WorkflowTemplate) -> SafeString:
        return badge(template.get_kind_display(), KIND_TONES[Kind(template.kind)])

    @admin.display(description=gettext_lazy("origin"), ordering="origin")
    def came_from(self, template: WorkflowTemplate) -> SafeString:
        return badge(template.get_origin_display(), "teal" if template.origin == Origin.IMPORTED else "grey")

    @admin.display(description=gettext_lazy("version"), ordering="_newest")
    def newest(self, template: WorkflowTemplate) -> str:
        """The current version; the newest beside it where that is another one."""
        number = getattr(template, "_newest", None)
        if template.current is None or not number:
            return "–"
        now = f"v{template.current.number}"
        return now if template.current.number == number else f"{now} (v{number})"


class OtherVersion(forms.Form):
    """The version to compare with."""

    number = forms.IntegerField(min_value=1, max_value=10**9)


@admin.register(WorkflowTemplateVersion)
class WorkflowTemplateVersionAdmin(ReadOnly, FarmAdmin):
    """One graph with its manifest, as ComfyUI gets it, and what may be decided about it."""

    list_display = ("__str__", "content_hash", "created_at")
    list_filter = ("template",)
    list_select_related = ("template",)
    fields = ("template", "number", "content_hash", "created_at")
    readonly_fields = fields
    change_form_template = "admin/workflows/workflowtemplateversion/page.html"

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False  # reached from its template

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path(f"<path:object_id>/{name}/", view(made), name=f"workflows_workflowtemplateversion_{name}")
            for name, made in (
                ("compare", self.compare_view),
                ("current", self.current_view),
                ("deprecate", self.deprecate_view),
                ("offer", self.offer_view),
            )
        ]
        return own + super().get_urls()

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        version: WorkflowTemplateVersion = context["original"]
        rows = version.template.versions.select_related("template", "deprecation").defer("graph", "manifest")
        context |= {
            "picture": picture(version.graph, RECORDED, version.manifest),
            "standing": standing(version),
            "is_current": version.template.current_id == version.pk,
            "deprecation": getattr(version, "deprecation", None),
            "others": rows.exclude(pk=version.pk).order_by("-number"),
            "needs_models": model_chips(version),
            "needs_classes": chips([str(name) for name in version.classes]),
            "nodes": on_nodes(version.graph, version.manifest),
            "may_manage": request.user.has_perm(MANAGE),
        }
        return super().render_change_form(request, context, *args, **kwargs)

    def compare_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what differs between this version and another one, node by node."""
        before = self._seen(request, object_id)
        form = OtherVersion(request.GET)
        if not form.is_valid():
            return HttpResponseRedirect(_page(before))
        try:
            after = version_numbered(before.template, form.cleaned_data["number"])
        except Refused as refused:
            say_problems(request, refused)
            return HttpResponseRedirect(_page(before))
        context = {
            **self.admin_site.each_context(request),
            "title": f"{before} → v{after.number}",
            "opts": self.opts,
            "before": before,
            "after": after,
            "graphs": compare(before.graph, after.graph),
            "manifests": compare_manifests(before.manifest, after.manifest),
            "pictures": [
                (version, picture(version.graph, RECORDED, version.manifest)) for version in (before, after)
            ],
        }
        return TemplateResponse(request, "admin/workflows/workflowtemplateversion/compare.html", context)

    def current_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer Make current."""

        def deed(version: WorkflowTemplateVersion) -> str:
            make_current(version, user=person_of(request))
            return _("New renders use %(version)s.") % {"version": version}

        return self._press(request, object_id, deed)

    def deprecate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer Deprecate."""

        def deed(version: WorkflowTemplateVersion) -> str:
            deprecate(version, reason=request.POST.get("reason", ""), user=person_of(request))
            return _("%(version)s is deprecated.") % {"version": version}

        return self._press(request, object_id, deed)

    def offer_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer Offer again."""

        def deed(version: WorkflowTemplateVersion) -> str:
            offer_again(version, user=person_of(request))
            return _("%(version)s may be rendered again.") % {"version": version}

        return self._press(request, object_id, deed)

    def _press(
        self, request: HttpRequest, object_id: str, deed: Callable[[WorkflowTemplateVersion], str]
    ) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm(MANAGE):
            raise PermissionDenied
        version = self._seen(request, object_id)
        try:
            messages.success(request, deed(version))
        except Refused as refused:
            say_problems(request, refused)
        return HttpResponseRedirect(_page(version))

    def _seen(self, request: HttpRequest, object_id: str) -> WorkflowTemplateVersion:
        if not self.has_view_permission(request):
            raise PermissionDenied
        version: WorkflowTemplateVersion | None = self.get_object(request, object_id)
        if version is None:
            raise Http404
        return version


def _page(version: WorkflowTemplateVersion) -> str:
    return reverse("admin:workflows_workflowtemplateversion_change", args=[version.pk])

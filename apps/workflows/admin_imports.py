"""Imported workflows: dropped here, looked at as a picture, completed in a form, made templates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from apps.common.admin import say_problems
from apps.common.admin_versions import Meanwhile, SavedMeanwhile, required_version, version_sent
from apps.common.errors import Refused, Stale
from apps.common.saying import say_stale
from apps.common.show import NOTHING, link, moment, state_badge
from apps.projects.admin_scope import FarmAdmin
from apps.projects.reach import person_of
from apps.workflows.catalogues import catalogue_or_recorded, names
from apps.workflows.checking import on_nodes
from apps.workflows.foundwords import in_words
from apps.workflows.models import WorkflowImport, WorkflowTemplate
from apps.workflows.pictures import picture
from apps.workflows.saidwords import kept_in_words
from apps.workflows.services.confirming import confirm, problems_of
from apps.workflows.services.importing import (
    MOST_BYTES,
    convert_again,
    discard,
    import_file,
    keep_manifest,
)
from apps.workflows.services.managing import IMPORT
from apps.workflows.services.mending import connect, offers_of
from apps.workflows.states import ImportState
from apps.workflows.wizard.document import document_of
from apps.workflows.wizard.evidence import nearest
from apps.workflows.wizard.form import Wizard
from apps.workflows.wizard.meanwhile import changed_meanwhile, merged
from workflows.finding import find
from workflows.finding.draft import questions

MOST_DIGITS: Final = 4
"""Of an output's number in its node."""


class CatalogueForm(forms.Form):
    """Which nodes there are, and what they take."""

    catalogue = forms.ChoiceField(
        label=gettext_lazy("convert with the nodes of"), widget=UnfoldAdminSelectWidget()
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["catalogue"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = [(name, name) for name in names()]


class FileForm(CatalogueForm):
    """A file from ComfyUI."""

    file = forms.FileField(label=gettext_lazy("file"), widget=UnfoldAdminFileFieldWidget())


@admin.register(WorkflowImport)
class WorkflowImportAdmin(FarmAdmin):
    """Members look; whoever may add workflow templates imports and confirms."""

    list_display = ("file_name", "condition", "found", "became", "imported_by", "came")
    list_filter = ("state",)
    list_select_related = ("imported_by", "version__template")
    search_fields = ("file_name", "sha256")
    ordering = ("-created_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        wanted = request.resolver_match
        return rows.defer("graph", "manifest") if wanted and str(wanted.url_name).endswith("list") else rows

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(IMPORT))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm(IMPORT))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # nothing that somebody brought is lost: discard it instead

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path(f"<path:object_id>/{name}/", view(made), name=f"workflows_workflowimport_{name}")
            for name, made in (
                ("convert", self.convert_view),
                ("connect", self.connect_view),
                ("discard", self.discard_view),
            )
        ]
        return own + super().get_urls()

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """The page files are dropped on."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = FileForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            file = form.cleaned_data["file"]
            try:
                made = import_file(
                    file,
                    name=file.name,
                    catalogue_name=form.cleaned_data["catalogue"],
                    user=person_of(request),
                )
            except Refused as refused:
                say_problems(request, refused)
            else:
                if not made.created:
                    messages.info(request, _("This very file was imported before; here it is."))
                return HttpResponseRedirect(_address(made.row))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Import a workflow"),
            "form": form,
            "most": MOST_BYTES // 1024**2,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/workflows/workflowimport/add.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The wizard: the graph as a picture, and the form that says what can be set in it."""
        row = self.get_object(request, object_id)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None:
            return super().change_view(request, object_id)  # Django tells that it is not there
        if request.method == "POST" and not self.has_change_permission(request, row):
            raise PermissionDenied
        if not row.graph:
            return self._shown(request, row, None)
        return self._wizard(request, row)

    def _wizard(self, request: HttpRequest, row: WorkflowImport) -> HttpResponse:
        object_info = catalogue_or_recorded(row.catalogue)
        found = find(row.graph, object_info)
        added = request.POST.get("add_role", "") if "add" in request.POST else ""
        data = request.POST if request.method == "POST" else None
        form = Wizard(row.graph, object_info, found, row.manifest, data, added=added)
        if request.method != "POST" or "add" in request.POST or not form.is_valid():
            return self._shown(request, row, form)
        document = document_of(form)
        user = person_of(request)
        now = None
        try:
            seen = required_version(request)
            keep_manifest(row, document, user=user, row_version=seen)
            now = row.row_version
            if "confirm" in request.POST:
                into = WorkflowTemplate.objects.filter(slug=form.cleaned_data["into"] or None).first()
                version = confirm(row, document, user=user, into=into)
                messages.success(request, _("%(version)s is a template now.") % {"version": version})
                address = reverse("admin:workflows_workflowtemplateversion_change", args=[version.pk])
                return HttpResponseRedirect(address)
        except Stale as stale:
            return self._beside(request, row, SavedMeanwhile(seen, stale.now), document)
        except Refused as refused:
            for problem in refused.problems:
                form.show(problem)
            return self._shown(request, row, form, now)
        messages.success(request, _("The draft is kept."))
        return HttpResponseRedirect(_address(row))

    def _beside(
        self, request: HttpRequest, row: WorkflowImport, stale: SavedMeanwhile, typed: dict[str, Any]
    ) -> HttpResponse:
        """Show what was typed over what somebody else made of the draft meanwhile, unsaved."""
        seen = stale.seen or 0
        row.refresh_from_db()
        say_problems(request, stale)
        object_info = catalogue_or_recorded(row.catalogue)
        both = merged(row, seen, typed)
        form = Wizard(row.graph, object_info, find(row.graph, object_info), both)
        return self._shown(request, row, form, row.row_version, changed_meanwhile(row, seen, typed))

    def _shown(
        self,
        request: HttpRequest,
        row: WorkflowImport,
        form: Wizard | None,
        version: int | None = None,
        meanwhile: Sequence[Meanwhile] = (),
    ) -> HttpResponse:
        document = row.manifest
        if version is None:
            version = version_sent(request)  # of a form that is only drawn again
        before = request.GET.get("seen", "")
        if before.isdecimal() and len(before) < 9:
            meanwhile = changed_meanwhile(row, int(before), {})
        problems = [{**one, "message": kept_in_words(one)} for one in row.problems]
        bad = [one for one in problems if not one["absent"]]
        offered = {(one.node, one.input): one for one in offers_of(row)}
        context = {
            **self.admin_site.each_context(request),
            "title": row.file_name,
            "opts": self.opts,
            "original": row,
            "row_version": row.row_version if version is None else version,
            "meanwhile": meanwhile,
            "form": form,
            "picture": picture(row.graph, row.catalogue, document, bad) if row.graph else "",
            "problems": [{**one, "offer": offered.get((one["node"], one["input"]))} for one in bad],
            "absent": [one for one in problems if one["absent"]],
            "notes": [{**one, "message": kept_in_words(one)} for one in row.notes],
            "open": problems_of(row, document) if form and not form.is_bound else [],
            "questions": [in_words(one) for one in questions(document)] if form else [],
            "remarks": [in_words(one) for one in form.found.notes] if form else [],
            "evidence": nearest(document) if form else [],
            "nodes": on_nodes(row.graph),
            "catalogues": CatalogueForm(initial={"catalogue": row.catalogue}),
            "may_change": self.has_change_permission(request, row),
            "is_draft": row.state == ImportState.DRAFT,
            "is_open": row.state != ImportState.CONFIRMED,
        }
        return TemplateResponse(request, "admin/workflows/workflowimport/page.html", context)

    def convert_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer Convert again."""
        row = self._pressed(request, object_id)
        if isinstance(row, HttpResponse):
            return row
        try:
            seen, name = required_version(request), request.POST.get("catalogue", "")
            convert_again(row, catalogue_name=name, user=person_of(request), row_version=seen)
        except Stale:
            say_stale(request)
            return HttpResponseRedirect(f"{_address(row)}?seen={seen}")
        except Refused as refused:
            say_problems(request, refused)
        return HttpResponseRedirect(_address(row))

    def connect_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer Connect: an input that is missing takes an output."""
        row = self._pressed(request, object_id)
        if isinstance(row, HttpResponse):
            return row
        slot, _colon, source = request.POST.get("source", "").partition(":")
        wish = {name: request.POST.get(name, "") for name in ("node", "name")}
        try:
            asked = int(slot) if slot.isdecimal() and len(slot) <= MOST_DIGITS else -1
            connect(row, **wish, source=source, slot=asked, user=person_of(request))
        except Refused as refused:
            say_problems(request, refused)
        return HttpResponseRedirect(_address(row))

    def discard_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer Discard."""
        row = self._pressed(request, object_id)
        if isinstance(row, HttpResponse):
            return row
        try:
            discard(row, user=person_of(request))
        except Refused as refused:
            say_problems(request, refused)
            return HttpResponseRedirect(_address(row))
        messages.success(request, _("%(file)s is laid aside.") % {"file": row.file_name})
        return HttpResponseRedirect(reverse("admin:workflows_workflowimport_changelist"))

    def _pressed(self, request: HttpRequest, object_id: str) -> WorkflowImport | HttpResponse:
        """The row a button is about, or the answer that there is nothing to press."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_change_permission(request):
            raise PermissionDenied
        row: WorkflowImport | None = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return row

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def condition(self, row: WorkflowImport) -> SafeString:
        return state_badge(row.state, row.get_state_display())

    @admin.display(description=gettext_lazy("problems"))
    def found(self, row: WorkflowImport) -> str:
        return str(len([one for one in row.problems if not one["absent"]]) or "–")

    @admin.display(description=gettext_lazy("template"))
    def became(self, row: WorkflowImport) -> SafeString:
        if row.version is None:
            return NOTHING
        address = reverse("admin:workflows_workflowtemplateversion_change", args=[row.version.pk])
        return link(address, str(row.version))

    @admin.display(description=gettext_lazy("came"), ordering="created_at")
    def came(self, row: WorkflowImport) -> str:
        return moment(row.created_at)


def _address(row: WorkflowImport) -> str:
    return reverse("admin:workflows_workflowimport_change", args=[row.pk])

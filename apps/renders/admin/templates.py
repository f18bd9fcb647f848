"""The page of a template version with what takes a shot: a dry run."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from apps.common.errors import Problem, Refused
from apps.productions.models import Shot
from apps.projects.selectors import Person, scoped
from apps.renders.services.dry_runs import Tried, try_out
from apps.workflows.admin import WorkflowTemplateVersionAdmin
from apps.workflows.models import WorkflowTemplateVersion
from apps.workflows.services import template_of
from workflows.load import Template
from workflows.manifest import Value

admin.site.unregister(WorkflowTemplateVersion)

SHOWN_SHOTS = 500
ORIGINS = {
    "default": gettext_lazy("the template's default"),
    "shot": gettext_lazy("shot"),
    "project": gettext_lazy("project"),
    "character": gettext_lazy("character"),
    "request": gettext_lazy("this request"),
    "farm": gettext_lazy("farm"),
}
"""Where a value comes from, in words."""


class DryRunForm(forms.Form):
    """A shot, and values typed over it; what is left empty is the shot's, or the template's default."""

    shot = forms.CharField(
        label=gettext_lazy("shot"),
        required=False,
        max_length=80,
        widget=UnfoldAdminTextInputWidget(attrs={"list": "shots", "placeholder": "PROJECT SQ010_SH0010"}),
    )

    def __init__(self, template: Template, person: Person, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.template = template
        self.shots = scoped(Shot.objects.select_related("project", "sequence"), person)
        for role, binding in template.manifest.bindings.items():
            if binding.type == "file" or role == "filename_prefix":
                continue
            default = template.manifest.defaults.get(role, "")
            long = binding.type == "text"
            attrs = {"placeholder": str(default)[:200]} | ({"rows": 2} if long else {})
            widget = UnfoldAdminTextareaWidget(attrs) if long else UnfoldAdminTextInputWidget(attrs)
            self.fields[f"r-{role}"] = forms.CharField(
                label=role, required=False, max_length=20_000, widget=widget
            )

    def offered(self) -> list[str]:
        """Shots by name, to choose from."""
        rows = self.shots.order_by("project__code", "sequence__order", "order")[:SHOWN_SHOTS]
        return [f"{shot.project.code} {shot.full_code}" for shot in rows]

    def chosen(self) -> Shot | None:
        """The shot that was named. Raises Refused if the person has no such shot."""
        name: str = self.cleaned_data["shot"].strip()
        if not name:
            return None
        project, _space, code = name.rpartition(" ")
        sequence, _line, own = code.rpartition("_")
        rows = self.shots.filter(sequence__code=sequence, code=own)
        found = (rows.filter(project__code=project) if project else rows).first()
        if found is None:
            told = gettext_lazy("no such shot of yours; write it as FILM SQ010_SH0010")
            raise Refused(Problem("shot", name, told, code="unknown_shot"))
        return found

    def typed(self) -> dict[str, Value]:
        """The values that were typed, as their roles take them; what is no number stays a text."""
        given = {name[2:]: text for name, text in self.cleaned_data.items() if name.startswith("r-") and text}
        return {role: _as(self.template.manifest.bindings[role].type, text) for role, text in given.items()}


@admin.register(WorkflowTemplateVersion)
class TriedVersionAdmin(WorkflowTemplateVersionAdmin):
    """Any version may be tried out, whichever is current."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.dry_run_view)
        name = "workflows_workflowtemplateversion_dry_run"
        return [path("<path:object_id>/dry-run/", view, name=name), *super().get_urls()]

    def dry_run_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what this version would send for a shot, or for typed values; nothing is written."""
        version = self._seen(request, object_id)
        asked = request.GET if request.GET else None
        form = DryRunForm(template_of(version), request.user, asked)
        tried: Tried | None = None
        problems: tuple[Problem, ...] = ()
        if form.is_valid():
            try:
                tried = try_out(version, shot=form.chosen(), typed=form.typed())
            except Refused as refused:
                problems = refused.problems
        context = {
            **self.admin_site.each_context(request),
            "title": f"{version}",
            "opts": self.opts,
            "version": version,
            "form": form,
            "tried": tried,
            "written": [(one, ORIGINS.get(one.origin.kind, one.origin.kind)) for one in tried.run.written]
            if tried
            else [],
            "problems": problems,
        }
        return TemplateResponse(request, "admin/workflows/workflowtemplateversion/dry_run.html", context)


def _as(kind: str, text: str) -> Value:
    if kind not in ("int", "float"):
        return text
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text

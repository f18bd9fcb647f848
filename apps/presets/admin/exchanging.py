"""The page that takes the library out as a file and brings one in, after showing what it would change."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from apps.common.admin import Page, pressed
from apps.common.admin_forms import name_choices
from apps.common.errors import NotAllowed, Problem, Refused
from apps.presets.services.exchange import STUDIOS_KINDS, Import, bring_in, export
from apps.presets.services.papers import KINDS, MOST_BYTES, Paper, read_paper
from apps.projects.admin_choices import label_of
from apps.projects.models import Project
from apps.projects.reach import person_of, sees_farm
from apps.projects.roles import Act
from apps.projects.selectors import projects_for, scoped

TEMPLATE: Final = "admin/presets/exchange.html"
SHOWN: Final = 200


class BringForm(forms.Form):
    """A file, or the text of the one that was looked at, and whose rows it becomes."""

    project = forms.ModelChoiceField(
        Project.objects.none(),
        required=False,
        label=gettext_lazy("into"),
        widget=UnfoldAdminSelectWidget(),
        empty_label=gettext_lazy("the studio's library"),
    )
    file = forms.FileField(
        required=False, label=gettext_lazy("JSON or CSV file"), widget=UnfoldAdminFileFieldWidget()
    )
    text = forms.CharField(required=False, max_length=MOST_BYTES, strip=False, widget=forms.HiddenInput())

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        project = self.fields["project"]
        if isinstance(project, forms.ModelChoiceField):
            films = scoped(Project.objects.all(), request.user, path="pk", act=Act.PLAN)
            project.queryset = films.order_by("code")
            name_choices(project, label_of)

    def paper(self) -> tuple[Paper, str]:
        """What the file says, and its text, to be sent again with the press. Raises Refused."""
        file: UploadedFile[Any] | None = self.cleaned_data["file"]
        content = file.read(MOST_BYTES + 1) if file else self.cleaned_data["text"].encode()
        if not content:
            raise Refused(Problem("file", "", _("choose a file"), code="required"))
        return read_paper(content), content.decode("utf-8-sig")


def exchange_view(page: Page, request: HttpRequest) -> HttpResponse:
    """Show what there is to take out; look at a file that is brought; bring it in."""
    if not sees_farm(request):
        raise PermissionDenied
    if request.method != "POST":
        return _show(page, request, BringForm(request=request))
    form = BringForm(request.POST, request.FILES, request=request)
    if not form.is_valid():
        return _show(page, request, form)
    try:
        paper, text = form.paper()
        dry = not pressed(request, "apply")
        done = bring_in(paper, form.cleaned_data["project"], user=person_of(request), dry_run=dry)
    except Refused as refused:
        return _show(page, request, form, problems=list(refused.problems))
    except NotAllowed as refused:
        raise PermissionDenied(str(refused)) from refused
    if dry or done.problems:
        return _show(page, request, form, done=done, text=text, problems=done.problems)
    said = ngettext("%(count)d row brought in.", "%(count)d rows brought in.", len(done.changes))
    messages.success(request, said % {"count": len(done.changes)})
    return HttpResponseRedirect(reverse("admin:presets_cinematicpreset_changelist"))


def export_view(request: HttpRequest) -> HttpResponse:
    """Send a file: ``of`` a film by its code or of the studio, of one ``kind`` as CSV or all as JSON."""
    if request.method != "GET":
        return HttpResponseNotAllowed(["GET"])
    if not sees_farm(request):
        raise PermissionDenied
    project = None
    if code := request.GET.get("of", ""):
        project = projects_for(request.user).filter(code=code).first()
        if project is None:
            raise Http404
    try:
        text, name = export(project, kind=request.GET.get("kind", ""))
    except Refused as refused:
        raise Http404(str(refused)) from refused
    sort = "text/csv" if name.endswith(".csv") else "application/json"
    return HttpResponse(
        text,
        content_type=f"{sort}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _show(
    page: Page,
    request: HttpRequest,
    form: BringForm,
    *,
    done: Import | None = None,
    text: str = "",
    problems: list[Problem] | None = None,
) -> HttpResponse:
    changes = done.changes if done else []
    films = projects_for(request.user).order_by("code")
    context: dict[str, Any] = {
        **page.admin_site.each_context(request),
        "title": _("Preset library: out and in"),
        "form": form,
        "text": text,
        "done": done,
        "new": sum(change.new for change in changes),
        "changed": sum(not change.new for change in changes),
        "rows": changes[:SHOWN],
        "more": max(0, len(changes) - SHOWN),
        "problems": (problems or [])[:SHOWN],
        "scopes": [
            {"code": "", "title": _("the studio's library"), "kinds": STUDIOS_KINDS},
            *({"code": film.code, "title": label_of(film), "kinds": tuple(KINDS)} for film in films),
        ],
    }
    return TemplateResponse(request, TEMPLATE, context)

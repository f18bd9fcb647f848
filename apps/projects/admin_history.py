"""Activity of people, and bulk changes with their undo."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.common.admin import Page, ReadOnly, say_problems
from apps.common.collisions import again_after_collision
from apps.common.errors import NotAllowed, Refused
from apps.common.ids import uuid_in
from apps.ledger import words
from apps.ledger.documents import documents
from apps.ledger.models import Activity, Batch
from apps.ledger.selectors import taken_back_by
from apps.ledger.services.undoing import Undoing, plan_undo
from apps.ledger.showing import MOST_FIELDS, PAGE, sliced
from apps.projects.admin_scope import back_to
from apps.projects.history import (
    activity_for,
    batches_for,
    bring_back,
    last_batch_of,
    may_undo,
    returning,
    undo_batch,
)
from apps.projects.picker import FILTER, project_of
from apps.projects.reach import person_of, sees_farm


class ActivityForm(forms.Form):
    """By project, person, kind of object, what was done, and time."""

    actor = forms.CharField(
        label=gettext_lazy("person"), required=False, max_length=150, widget=UnfoldAdminTextInputWidget()
    )
    kind = forms.ChoiceField(label=gettext_lazy("kind"), required=False, widget=UnfoldAdminSelectWidget())
    verb = forms.ChoiceField(
        label=gettext_lazy("what was done"), required=False, widget=UnfoldAdminSelectWidget()
    )
    since = forms.DateField(
        label=gettext_lazy("since"),
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}),
    )
    until = forms.DateField(
        label=gettext_lazy("until"),
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds: Any = self.fields["kind"]
        verbs: Any = self.fields["verb"]
        kinds.choices = [("", "–"), *((one.kind, words.kind_text(one.kind)) for one in documents())]
        verbs.choices = [("", "–"), *((verb, str(told)) for verb, told in words.VERBS.items())]

    def narrowed(self, rows: QuerySet[Activity]) -> QuerySet[Activity]:
        """Leave of these rows what was asked for."""
        if not self.is_valid():
            return rows
        asked = self.cleaned_data
        given = {name: asked[name] for name in ("actor", "kind", "verb") if asked[name]}
        rows = rows.filter(**given)
        if asked["since"]:
            rows = rows.filter(at__date__gte=asked["since"])
        if asked["until"]:
            rows = rows.filter(at__date__lte=asked["until"])
        return rows


class Seen(ReadOnly, Page):
    """Pages of what was changed: members see their projects' and what all projects share."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return sees_farm(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return sees_farm(request)

    def kept(self, request: HttpRequest) -> str:
        """The filters of the page, for the way to older rows."""
        told = request.GET.copy()
        told.pop("before", None)
        return told.urlencode()

    def page(self, request: HttpRequest, template: str, **context: Any) -> TemplateResponse:
        """Show one of the pages."""
        everywhere = {**self.admin_site.each_context(request), "opts": self.opts, "kept": self.kept(request)}
        return TemplateResponse(request, f"admin/ledger/{template}.html", {**everywhere, **context})


@admin.register(Activity)
class ActivityAdmin(Seen):
    """Who changed what. Only ever read."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Activity]:
        return activity_for(request.user)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.restore_view)
        return [path("<slug:object_id>/restore/", view, name="ledger_activity_restore"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        if not self.has_view_permission(request):
            return super().changelist_view(request, extra_context)
        rows, project = self.get_queryset(request), project_of(request)
        if request.GET.get(FILTER):
            rows = rows.filter(project=project.pk if project else None)
        form = ActivityForm(request.GET or None)
        slice_ = sliced(form.narrowed(rows), request.GET.get("before", ""), at_most=MOST_FIELDS)
        return self.page(
            request,
            "activity",
            title=_("Activity: %(project)s") % {"project": project.code} if project else _("Activity"),
            form=form,
            project=project,
            rows=slice_.rows,
            returning=returning([told.row for told in slice_.rows], person_of(request)),
            before=slice_.before,
            last=last_batch_of(person_of(request), project.pk) if project else None,
        )

    def restore_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer “make it again” of what was deleted."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        known = object_id.isascii() and object_id.isdecimal() and len(object_id) < 19
        gone = self.get_queryset(request).filter(pk=object_id).first() if known else None
        if gone is None:
            raise Http404
        user = person_of(request)
        try:
            again_after_collision(lambda: bring_back(gone, user=user))()
        except NotAllowed as refused:
            raise PermissionDenied(str(refused)) from refused
        except Refused as refused:
            say_problems(request, refused)
        else:
            messages.success(request, _("“%(row)s” stands there again.") % {"row": gone.label})
        return HttpResponseRedirect(back_to(request, reverse("admin:ledger_activity_changelist")))


@admin.register(Batch)
class BatchAdmin(Seen):
    """Imports, bulk changes and undos: what each changed, and its undo."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Batch]:
        return batches_for(request.user)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.undo_view)
        return [path("<uuid:object_id>/undo/", view, name="ledger_batch_undo"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        if not self.has_view_permission(request):
            return super().changelist_view(request, extra_context)
        rows: Any = self.get_queryset(request)
        project = project_of(request)
        if request.GET.get(FILTER):
            rows = rows.filter(project=project.pk if project else None)
        before = uuid_in(request.GET.get("before", ""))
        if before is not None:
            rows = rows.filter(pk__lt=before)
        found = list(rows[: PAGE + 1])
        for batch in found:
            batch.verb_text = words.verb_text(batch.verb)
        older = found[PAGE - 1].pk if len(found) > PAGE else None
        return self.page(
            request, "batches", title=_("Bulk changes"), batches=found[:PAGE], before=older, project=project
        )

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any
    ) -> Any:
        batch = self.get_object(request, object_id) if object_id else None
        if batch is None or request.method != "GET":
            return super().changeform_view(request, object_id, *args, **kwargs)
        taken_back = taken_back_by(batch)
        slice_ = sliced(activity_for(request.user).filter(batch=batch), request.GET.get("before", ""))
        return self.page(
            request,
            "batch",
            title=batch.title,
            batch=batch,
            taken_back=taken_back,
            plan=_named(plan_undo(batch)) if taken_back is None else None,
            may_undo=may_undo(batch, person_of(request)),
            rows=slice_.rows,
            before=slice_.before,
        )

    def undo_view(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """Answer “undo this bulk change”."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        batch = self.get_queryset(request).filter(pk=object_id).first()
        if batch is None:
            raise Http404
        user, overwrite = person_of(request), request.POST.get("overwrite") == "1"
        if not may_undo(batch, user):
            raise PermissionDenied
        shown = batch
        try:
            undone = again_after_collision(lambda: undo_batch(batch, user=user, overwrite=overwrite))()
        except Refused as refused:
            say_problems(request, refused)
        except NotAllowed as refused:
            messages.error(request, str(refused))
        else:
            shown = undone.batch
            told = ngettext("%(count)d object put back.", "%(count)d objects put back.", undone.count)
            messages.success(request, told % {"count": undone.count})
            if undone.left:
                names = ", ".join(left.label for left in undone.left[:20])
                messages.warning(request, _("Left alone: %(names)s") % {"names": names})
        return HttpResponseRedirect(reverse("admin:ledger_batch_change", args=[shown.pk]))


def _named(plan: Undoing) -> dict[str, Any]:
    left = [
        {
            "label": one.label,
            "why": one.why,
            "names": ", ".join(words.field_text(one.kind, name) for name in one.fields),
        }
        for one in plan.left
    ]
    return {"count": plan.count, "left": left}

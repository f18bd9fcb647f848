"""What the pages of the library share: whose rows somebody sees and changes, and what can be done to many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.common.admin import say_problems
from apps.common.errors import NotAllowed, Refused
from apps.common.show import badge, spoken
from apps.ledger.models import Activity
from apps.presets.models import LibraryModel, in_library
from apps.presets.selectors import seen_by
from apps.presets.services.checking import faults_of
from apps.presets.services.editing import duplicate_row, next_order, reorder, set_archived
from apps.projects.admin_choices import label_of
from apps.projects.admin_scope import FarmAdmin
from apps.projects.models import Project
from apps.projects.reach import person_of, reach_of
from apps.projects.roles import Act
from apps.projects.selectors import projects_for, scoped

R = TypeVar("R", bound=LibraryModel)


class OfScope(admin.SimpleListFilter):
    """The studio's rows, or one film's own."""

    title = gettext_lazy("whose")
    parameter_name = "of"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        films = [(str(row.pk), label_of(row)) for row in projects_for(request.user).order_by("code")]
        return [("studio", _("the studio's")), *films]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        if self.value() == "studio":
            return queryset.filter(project=None)
        known = {value for value, _label in self.lookup_choices}
        return queryset.filter(project=self.value()) if self.value() in known else queryset.none()


class LibraryForm(forms.ModelForm[R]):
    """A row of the library; what its services would refuse is told beside the field."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "order" in self.fields:
            self.fields["order"].required = False
            self.fields["order"].help_text = _("Leave it empty for the end.")

    def clean_order(self) -> int:
        order: int | None = self.cleaned_data.get("order")
        kept: int = getattr(self.instance, "order", 0) or 0
        return order if order is not None else kept

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # Django's own hook: the row holds what was typed after it
        if self.errors:
            return
        try:
            self.instance.validate_constraints()  # those with a project too, which the form does not show
        except ValidationError as error:
            self.add_error(None, error)
            return
        row: Any = self.instance
        for problem in faults_of(row):
            self.add_error(problem.field if problem.field in self.fields else None, str(problem.message))


class LibraryAdmin(FarmAdmin):
    """The studio's rows, which Django's permissions let somebody edit, and those of the person's films."""

    form = LibraryForm
    actions: tuple[str, ...] = ("duplicate", "move_up", "move_down", "archive", "restore")
    list_before_template = "admin/presets/exchange_link.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return seen_by(super().get_queryset(request), request.user).select_related("project")

    def of_film(self, rows: QuerySet[Any], film: Project) -> QuerySet[Any]:
        """Narrow rows to the studio's and the film's own."""
        return rows.filter(in_library(film.pk))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return reach_of(request).anywhere(Act.PLAN, wholly=True) or super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, obj, super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and obj.library_hash:
            return False  # it would come back with the next release; it can be archived
        return self._may(request, obj, super().has_delete_permission(request, obj))

    def may_see_deletion(self, request: HttpRequest, gone: Activity) -> bool:
        theirs = gone.project is None or projects_for(request.user).filter(pk=gone.project).exists()
        return theirs and self.has_change_permission(request)

    def _may(self, request: HttpRequest, row: Any, by_permission: bool) -> bool:
        """The studio's rows take Django's permission; a film's own, the right to plan it."""
        if row is None:
            return by_permission or reach_of(request).anywhere(Act.PLAN, wholly=True)
        return by_permission if row.project_id is None else reach_of(request).may(Act.PLAN, row.project_id)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*super().get_readonly_fields(request, obj), *(("project",) if obj is not None else ()))

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "project":
            films = scoped(Project.objects.all(), request.user, path="pk", act=Act.PLAN)
            kwargs["queryset"] = films.order_by("code")
        elif db_field.name == "category":
            rows = seen_by(db_field.remote_field.model.objects.filter(archived=False), request.user)
            kwargs["queryset"] = rows.order_by("order")
        field: Any = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None:
            field.label_from_instance = label_of
        if field is not None and db_field.name == "project":
            studio = request.user.has_perm(f"presets.add_{self.opts.model_name}")
            field.required = not studio
            field.empty_label = _("the studio's, for every project") if studio else None
        return field

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not obj.order:
            obj.order = next_order(obj)
        super().save_model(request, obj, form, change)

    @admin.action(description=gettext_lazy("Duplicate"), permissions=["change"])
    def duplicate(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        def deed() -> str:
            copies = [duplicate_row(row, user=person_of(request), project=row.project) for row in rows]
            return _("Copied: %s.") % ", ".join(copy.slug for copy in copies)

        self.say(request, deed)

    @admin.action(description=gettext_lazy("Move up"), permissions=["change"])
    def move_up(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        self._move(request, rows, -1)

    @admin.action(description=gettext_lazy("Move down"), permissions=["change"])
    def move_down(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        self._move(request, rows, 1)

    @admin.action(description=gettext_lazy("Archive"), permissions=["change"])
    def archive(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        self.say(request, lambda: _archived(set_archived(rows, True, user=person_of(request))))

    @admin.action(description=gettext_lazy("Restore"), permissions=["change"])
    def restore(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        self.say(request, lambda: _restored(set_archived(rows, False, user=person_of(request))))

    def _move(self, request: HttpRequest, rows: QuerySet[Any], step: int) -> None:
        """Let each of the selected rows change places with its neighbour."""

        def deed() -> str:
            for row in rows if step < 0 else reversed(rows):
                beside = list(self.beside(row))
                place = [one.pk for one in beside].index(row.pk)
                if 0 <= place + step < len(beside):
                    pair = sorted((place, place + step))
                    reorder([beside[pair[1]], beside[pair[0]]], user=person_of(request))
            return _("Moved.")

        self.say(request, deed)

    def beside(self, row: Any) -> QuerySet[Any]:
        """The rows among which a row has its place."""
        rows: QuerySet[Any] = self.model._default_manager.filter(project=row.project_id)
        return rows.order_by("order", "slug")

    def say(self, request: HttpRequest, deed: Callable[[], str]) -> None:
        """Do something and say what came of it, or why not."""
        try:
            messages.success(request, deed())
        except Refused as refused:
            say_problems(request, refused)
        except NotAllowed as refused:
            messages.error(request, str(refused))

    @admin.display(description=gettext_lazy("name"), ordering="name")
    def title(self, row: Any) -> str:
        return spoken(row, "name")

    @admin.display(description=gettext_lazy("whose"), ordering="project__code")
    def whose(self, row: Any) -> SafeString:
        project: Project | None = row.project
        return badge(project.code, "violet") if project else badge(_("studio"), "grey")

    @admin.display(description=gettext_lazy("state"), ordering="archived")
    def state(self, row: Any) -> SafeString:
        if row.archived:
            return badge(_("archived"), "amber")
        return badge(_("shipped"), "grey") if row.library_hash else badge(_("own"), "teal")


def _archived(count: int) -> str:
    return ngettext("%(count)d archived.", "%(count)d archived.", count) % {"count": count}


def _restored(count: int) -> str:
    return ngettext("%(count)d restored.", "%(count)d restored.", count) % {"count": count}

"""The base of every admin page: Unfold's, typed, with one query per fact for a whole list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from apps.common.admin_deletes import DeletesAsSeen
from apps.common.admin_filters import FIND, choices_found
from apps.common.admin_versions import (
    VERSION,
    Meanwhile,
    SavedMeanwhile,
    claimed,
    counts_versions,
    key_in,
    something_changed,
    take_theirs,
    version_sent,
    without_vanished,
)
from apps.common.collisions import again_after_collision
from apps.common.errors import NotAllowed, Problem, Refused
from apps.common.lines import with_lines
from apps.common.pages import KeyedPaginator, repeats
from apps.common.saying import say_problems

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
    Tabular = admin.TabularInline[Any, Any]
    Stacked = admin.StackedInline[Any, Any]
else:
    from unfold.admin import ModelAdmin as _ModelAdmin
    from unfold.admin import StackedInline as Stacked
    from unfold.admin import TabularInline as Tabular

_REFUSED = "_shotfarm_refused"
_STALE = "_shotfarm_stale"

__all__ = ["Page", "ReadOnly", "Stacked", "Tabular", "pressed", "say_problems"]


class DressedList(ChangeList):
    """A list whose rows get what their columns show in a constant number of queries."""

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: list[str | None] | None = None
    ) -> QuerySet[Any]:
        """Return the rows to list, each once, without comparing all that a list shows of each."""
        rows = super().get_queryset(request, exclude_parameters)
        if not rows.query.distinct:
            return rows
        if not repeats(rows):
            rows.query.distinct = False
            return rows
        found = rows.order_by().values("pk")
        found.query.distinct = False
        once = self.root_queryset.filter(pk__in=found).order_by(*rows.query.order_by)
        return once if once.query.select_related else self.apply_select_related(once)

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows = self.paginator.everything() if isinstance(self.paginator, KeyedPaginator) else None
        self.result_list = self.dressed(list(self.result_list if rows is None else rows), request)
        if not self.query and not self.get_filters_params():
            self.full_result_count = self.result_count  # the head offers to show all where all is not shown

    def dressed(self, rows: list[Any], request: HttpRequest) -> list[Any]:
        """The rows of this page with what their columns show."""
        self.model_admin.dress(rows, request)  # type: ignore[attr-defined]  # it is a Page
        return rows


class Page(DeletesAsSeen, _ModelAdmin):
    """A model's pages."""

    list_per_page = 50
    list_fullwidth = True
    list_filter_sheet = False
    show_full_result_count = False
    paginator = KeyedPaginator
    show_facets = admin.ShowFacets.NEVER
    warn_unsaved_form = True
    save_on_top = False
    change_form_before_template = "admin/versioned.html"
    asks_version = True
    """False: the row's version also counts what machines say of it, so that it says nothing of people."""

    def get_paginator(
        self, request: HttpRequest, queryset: Any, per_page: int, *args: Any, **kwargs: Any
    ) -> Paginator[Any]:
        paginator = super().get_paginator(request, queryset, per_page, *args, **kwargs)
        if isinstance(paginator, KeyedPaginator):
            paginator.begins = request.GET.get(PAGE_VAR, "1") == "1"
            paginator.narrowed = bool(request.GET)
        return paginator

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return DressedList

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if FIND in request.GET:
            return choices_found(self, request)
        page: HttpResponse = super().changelist_view(request, extra_context)
        return page

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Show what a service refuses after the form was valid (somebody took the code meanwhile).

        What was typed stands there again, with what is wrong beside it. A save that met another transaction
        is done again at once.
        """
        view = again_after_collision(self._change_once)
        request.POST = with_lines(request.POST)  # type: ignore[assignment]  # as above: it has a setter
        try:
            return view(request, *args, **kwargs)
        except Refused as refused:
            if isinstance(refused, SavedMeanwhile):
                self.shown_as_stale(request, refused)
            setattr(request, _REFUSED, refused.problems)
        except NotAllowed as refused:
            setattr(request, _REFUSED, (Problem("", "", str(refused)),))
        return view(request, *args, **kwargs)

    def _change_once(
        self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any
    ) -> Any:
        view = super().changeform_view
        if request.method != "POST" or hasattr(request, _REFUSED):
            return view(request, object_id, *args, **kwargs)
        key = key_in(self.model, object_id) if object_id else None
        with transaction.atomic(), self.remembering(request, [] if key is None else [key]):
            if key is None or not self.versioned:
                return view(request, object_id, *args, **kwargs)
            merge = partial(self.may_merge, request, key)
            with claimed(request, self.model, key, may_merge=merge):
                return view(request, object_id, *args, **kwargs)

    def shown_as_stale(self, request: HttpRequest, stale: SavedMeanwhile) -> None:
        """Let the page show what was typed, unsaved, with why."""
        setattr(request, _REFUSED, stale.problems)
        setattr(request, _STALE, stale)

    @property
    def versioned(self) -> bool:
        """Whether a save says which version of the row it was made from."""
        return self.asks_version and counts_versions(self.model)

    def may_merge(self, request: HttpRequest, key: Any, seen: int, now: int) -> bool:
        """Tell whether what was changed between two versions is none of this form's. The base cannot know."""
        return False

    def changed_meanwhile(
        self, request: HttpRequest, row: Any, seen: int, form: Any, formsets: Sequence[Any] = ()
    ) -> list[Meanwhile]:
        """Return what somebody else changed since a version. The base shows what is beside what was typed.

        ``form`` is None where nothing can be typed.
        """
        return [
            Meanwhile(
                field=str(form.fields[name].label or name),
                was="",
                now=str(form[name].initial if form[name].initial is not None else ""),
                typed=str(form.cleaned_data.get(name, form[name].data) or ""),
            )
            for name in (form.changed_data if form is not None else ())
        ]

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        if add or form.has_changed() or any(formset.has_changed() for formset in formsets or ()):
            something_changed(request)
        return super().construct_change_message(request, form, formsets, add)

    def get_formset_kwargs(self, request: HttpRequest, obj: Any, inline: Any, prefix: str) -> Any:
        """Keep what was typed into rows that somebody deleted meanwhile: they are new rows then."""
        told = super().get_formset_kwargs(request, obj, inline, prefix)
        if "data" in told and hasattr(request, _STALE):
            post = told["data"].copy()
            without_vanished(post, prefix, told["queryset"])
            told["data"] = post
        return told

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = context.get("original")
        if row is not None and self.versioned:
            stale: SavedMeanwhile | None = getattr(request, _STALE, None)
            sent = version_sent(request) if request.method == "POST" else row.row_version
            context[VERSION] = stale.now if stale else sent
            context["bring_back"] = (stale is not None and stale.gone) or "bring_back" in request.POST
            if stale and stale.seen is not None and not stale.gone:
                form = context["adminform"].form
                formsets = [inline.formset for inline in context["inline_admin_formsets"]]
                context["meanwhile"] = self.changed_meanwhile(request, row, stale.seen, form, formsets)
                take_theirs(context, [one.name for one in context["meanwhile"] if one.untouched])
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    def remembering(self, request: HttpRequest, keys: Iterable[Any]) -> AbstractContextManager[Any]:
        """Return what surrounds a change of these rows. The base remembers nothing."""
        return nullcontext()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        problems: tuple[Problem, ...] = getattr(request, _REFUSED, ())
        return _told_in(form, problems) if problems else form

    def dress(self, rows: list[Any], request: HttpRequest) -> None:
        """Put on the rows of one page what their columns need. The base needs nothing."""


def _told_in(form: Any, problems: tuple[Problem, ...]) -> Any:
    """The same form, which knows what a service found wrong with it: beside the field where it has one."""

    class Told(form):  # type: ignore[misc]  # Django makes the form's class anew for each request
        def clean(self) -> Any:
            data = super().clean()
            for problem in problems:
                own = problem.field in self.fields
                self.add_error(problem.field if own else None, str(problem.message if own else problem))
            return data

    return Told


class ReadOnly:
    """Nobody adds, changes or deletes these rows by hand."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def pressed(request: HttpRequest, button: str) -> bool:
    """Whether somebody pressed this button.

    A form whose preview is drawn again after a change names the button too, if it was pressed just now: htmx
    sends what the browser would.
    """
    return button in request.POST and "HX-Request" not in request.headers

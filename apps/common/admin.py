"""The base of every admin page: Unfold's, typed, with one query per fact for a whole list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest

from apps.common.collisions import again_after_collision
from apps.common.errors import NotAllowed, Problem, Refused

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
    Tabular = admin.TabularInline[Any, Any]
    Stacked = admin.StackedInline[Any, Any]
else:
    from unfold.admin import ModelAdmin as _ModelAdmin
    from unfold.admin import StackedInline as Stacked
    from unfold.admin import TabularInline as Tabular

_REFUSED = "_shotfarm_refused"

__all__ = ["Page", "ReadOnly", "Stacked", "Tabular", "pressed", "say_problems"]


class DressedList(ChangeList):
    """A list whose rows get what their columns show in a constant number of queries."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = self.dressed(list(self.result_list), request)

    def dressed(self, rows: list[Any], request: HttpRequest) -> list[Any]:
        """The rows of this page with what their columns show."""
        self.model_admin.dress(rows, request)  # type: ignore[attr-defined]
        return rows


class Page(_ModelAdmin):
    """A model's pages."""

    list_per_page = 50
    list_fullwidth = True
    list_filter_sheet = False
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    warn_unsaved_form = True
    save_on_top = False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return DressedList

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Show what a service refuses after the form was valid (somebody took the code meanwhile).

        What was typed stands there again, with what is wrong beside it. A save that met another transaction
        is done again at once.
        """
        view = again_after_collision(super().changeform_view)
        try:
            return view(request, *args, **kwargs)
        except Refused as refused:
            setattr(request, _REFUSED, refused.problems)
        except NotAllowed as refused:
            setattr(request, _REFUSED, (Problem("", "", str(refused)),))
        return view(request, *args, **kwargs)

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


def say_problems(request: HttpRequest, refused: Refused, *, at_most: int = 5) -> None:
    """Tell the person each thing that is wrong, the first few in full."""
    for problem in refused.problems[:at_most]:
        messages.error(request, str(problem))
    if len(refused.problems) > at_most:
        messages.error(request, f"… + {len(refused.problems) - at_most}")

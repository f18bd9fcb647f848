"""The list of shots as people like to look at it: which columns, rows or a gallery, and in which order."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from django.contrib.admin.utils import label_for_field
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from apps.accounts.lists import Choice, choice_of, remember_choice
from apps.common.collisions import again_after_collision
from apps.common.errors import Conflict, NotAllowed, Refused
from apps.common.ids import uuid_in
from apps.productions.bulk import reorder_shots
from apps.productions.models import Sequence
from apps.projects.admin_scope import ScopedAdmin, ScopedList, back_to
from apps.projects.reach import person_of, reach_of
from apps.projects.roles import Act
from apps.projects.selectors import scoped

NAME: Final = "shots"
"""What the list is called where a person's choices are kept."""
OF_SEQUENCE: Final = "sequence__id__exact"
ALWAYS: Final = frozenset({"action_checkbox", "picture", "name"})
"""Columns that nobody hides."""
HIDDEN: Final = frozenset({"weather", "note"})
"""Columns that whoever has not chosen does not see."""
IN_ORDER: Final = ("sequence__order", "order")


def in_gallery(request: HttpRequest) -> bool:
    """Tell whether the person looks at shots as pictures."""
    return choice_of(person_of(request), NAME).gallery


class ShotList(ScopedList):
    """Shots of one page, and how the person looks at them."""

    model_admin: Any

    def get_results(self, request: HttpRequest) -> None:
        self.request = request
        super().get_results(request)

    @cached_property
    def choice(self) -> Choice:
        """What the person has chosen for this list."""
        return choice_of(person_of(self.request), NAME, hidden=HIDDEN)

    @property
    def gallery(self) -> bool:
        """Whether they look at pictures."""
        return self.choice.gallery

    @property
    def hidden(self) -> str:
        """The names of hidden columns, for the style sheet."""
        return " ".join(sorted(self.choice.hidden))

    @property
    def columns(self) -> list[tuple[str, str, bool]]:
        """The columns that may be hidden: name, title, whether it is shown."""
        names = [str(name) for name in self.list_display if name not in ALWAYS]
        titles = [str(label_for_field(name, self.model, self.model_admin)) for name in names]
        return [
            (name, capfirst(title), name not in self.choice.hidden)
            for name, title in zip(names, titles, strict=True)
        ]

    @cached_property
    def sequence(self) -> UUID | None:
        """The one sequence to which the list is narrowed."""
        return uuid_in(str(self.params.get(OF_SEQUENCE, "")))

    @cached_property
    def in_order(self) -> bool:
        """Whether the rows stand in the order of the film."""
        ordering = [str(one) for one in self.get_ordering(self.request, self.root_queryset)]
        return tuple(ordering[: len(IN_ORDER)]) == IN_ORDER or ordering[:1] == ["order"]

    @cached_property
    def may_order(self) -> bool:
        """Whether the person may put these rows in another order, here and now."""
        if self.sequence is None or not self.in_order or not self.result_list:
            return False
        return reach_of(self.request).may(Act.PLAN, self.result_list[0].project_id)

    @property
    def why_no_order(self) -> str:
        """What it takes to put shots in another order; "" where it can be done, or never by this person."""
        if not self.model_admin.has_plan_all_permission(self.request) or not self.result_list:
            return ""
        if self.sequence is None:
            return _("To put shots in another order, narrow the list to one sequence.")
        return "" if self.in_order else _("To put shots in another order, sort the list by order.")


class LooksAtShots(ScopedAdmin):
    """Columns and gallery are remembered per person; rows of one sequence are put in another order."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ShotList

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("look/", view(self.look_view), name="productions_shot_look"),
            path("reorder/", view(self.reorder_view), name="productions_shot_reorder"),
        ]
        return own + super().get_urls()

    def look_view(self, request: HttpRequest) -> HttpResponse:
        """Remember how the person looks at the list: columns, rows or gallery."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        told = request.POST
        if told.get("view") in {"list", "gallery"}:
            remember_choice(person_of(request), NAME, gallery=told["view"] == "gallery")
        if "columns" in told:
            known = {str(name) for name in self.get_list_display(request)} - ALWAYS
            hidden = known - set(told.getlist("shown"))
            remember_choice(person_of(request), NAME, hidden=hidden)
        return HttpResponseRedirect(back_to(request, reverse("admin:productions_shot_changelist")))

    def reorder_view(self, request: HttpRequest) -> HttpResponse:
        """Put the shots of a page in the order they were dragged to; say in words why not."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        key = uuid_in(request.POST.get("sequence", ""))
        sequences = scoped(Sequence.objects.select_related("project"), request.user, path="project")
        sequence = sequences.filter(pk=key).first() if key is not None else None
        if sequence is None:
            raise Http404
        keys, before = (
            [found for one in request.POST.getlist(name) if (found := uuid_in(one))]
            for name in ("shots", "before")
        )
        try:
            again_after_collision(reorder_shots)(sequence, keys, user=person_of(request), before=before)
        except Refused as refused:
            said = [str(problem.message) for problem in refused.problems[:5]]
            return self._ordered(request, said, 409 if isinstance(refused, Conflict) else 400)
        except NotAllowed as refused:
            return self._ordered(request, [str(refused)], 403)
        return self._ordered(
            request, [], 200, orders=sequence.shots.filter(pk__in=keys).values_list("pk", "order")
        )

    def _ordered(
        self, request: HttpRequest, said: list[str], status: int, orders: Iterable[tuple[UUID, int]] = ()
    ) -> HttpResponse:
        context = {"said": said, "orders": orders}
        return render(request, "admin/productions/shot/ordered.html", context, status=status)

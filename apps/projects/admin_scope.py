"""Admin pages that show each person their projects only, and let them do what their role allows.

A role is the whole permission: Django's model permissions count only on pages of the whole farm
(:class:`FarmAdmin`), where they let somebody edit what is shared by all projects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from apps.common.admin import DressedList, Tabular, say_problems
from apps.common.collisions import again_after_collision
from apps.common.errors import NotAllowed, Problem, Refused
from apps.ledger.documents import document_of, is_tracked
from apps.ledger.models import Activity
from apps.ledger.pages import Remembered
from apps.ledger.services.removing import in_use, users_of
from apps.projects.admin_choices import ScopedChoices
from apps.projects.models import Project
from apps.projects.picker import PROJECT_OF_PAGE, project_of
from apps.projects.reach import person_of, reach_of, sees_farm
from apps.projects.roles import Act
from apps.projects.selectors import key_at, projects_for


def back_to(request: HttpRequest, otherwise: str) -> str:
    """Return the page a button's form names in ``next``, if it is one of ours."""
    wanted = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return wanted
    return otherwise


class ScopedList(DressedList):
    """A list that knows, before its rows are dressed, what the person may do to each."""

    def dressed(self, rows: list[Any], request: HttpRequest) -> list[Any]:
        self.model_admin.learn(request, rows)  # type: ignore[attr-defined]  # ScopedAdmin
        return super().dressed(rows, request)


class ScopedAdmin(ScopedChoices, Remembered):
    """Rows of the person's projects; what their role allows there.

    ``project_path`` leads from the row to its project ("shot__project"); ``shot_path`` to its shot ("pk"
    where it is one) and ``stage_path`` to its stage, where it is of any: rights may end there. A page whose
    ``view_act`` is Act.WATCH is the client's, too: its get_queryset leaves to each what was shared with them.
    """

    project_path = "project"
    view_act = Act.VIEW
    shot_path = ""
    stage_path = ""
    add_act = Act.PLAN
    change_act = Act.PLAN
    delete_act = Act.MANAGE

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.filter(**{f"{self.project_path}__in": projects_for(request.user, self.view_act)})

    def of_film(self, rows: QuerySet[Any], film: Project) -> QuerySet[Any]:
        """Narrow rows of this page to those of a film."""
        return rows.filter(**{self.project_path: film})

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            setattr(request, PROJECT_OF_PAGE, self.project_of(row))
        return row

    def project_of(self, row: Any) -> UUID | None:
        """Return the id of the row's project, None while the row has none."""
        return key_at(row, self.project_path)

    def shot_of(self, row: Any) -> UUID | None:
        """Return the id of the row's shot, None where it is of none."""
        return key_at(row, self.shot_path) if self.shot_path else None

    def stage_of(self, row: Any) -> str:
        """Return the row's stage, "" where it is of none."""
        return attrgetter(self.stage_path.replace("__", "."))(row) if self.stage_path else ""

    def may(self, request: HttpRequest, act: Act, row: Any = None) -> bool:
        """Tell whether the person may do this to this row (or, without one, to any row at all)."""
        reach = reach_of(request)
        if row is None:
            return reach.anywhere(act)
        return reach.may(act, self.project_of(row), shot=self.shot_of(row), stage=self.stage_of(row))

    def may_here(self, request: HttpRequest, act: Act, *, wholly: bool = False) -> bool:
        """Tell whether the person may do this to some row (to every row) of the project that a list is about,
        or of any project where it is about all of them."""
        project, reach = project_of(request), reach_of(request)
        key = project.pk if project else None
        return reach.anywhere(act, wholly=True, project=key) if wholly else reach.somewhere(act, project=key)

    def learn(self, request: HttpRequest, rows: Iterable[Any]) -> None:
        """Ask once for a whole page which of its shots are assigned to the person."""
        reach = reach_of(request)
        if self.shot_path and reach.depends_on_shots:
            reach.learn(map(self.shot_of, rows))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ScopedList

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.may(request, self.view_act)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        reach = reach_of(request)
        if obj is None:
            return reach.anywhere(self.view_act)
        return reach.may(self.view_act, self.project_of(obj), shared=True)  # else the list would not have it

    def has_add_permission(self, request: HttpRequest) -> bool:
        return reach_of(request).anywhere(self.add_act, wholly=True)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, self.change_act, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, self.delete_act, obj)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self._require_free(request, [obj])
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        self._require_free(request, list(queryset))
        super().delete_queryset(request, queryset)

    def _require_free(self, request: HttpRequest, rows: list[Any]) -> None:
        """Raise Refused for what is locked, or of which something was made; over HTTP the same is refused."""
        if not is_tracked(self.model):
            return
        document = document_of(self.model)
        document.permit(rows, person_of(request))
        needed = users_of(document, [row.pk for row in rows])
        if needed:
            named = [(row, needed[row.pk]) for row in rows if row.pk in needed]
            raise Refused(*(Problem("", str(row), in_use(told), code="in_use") for row, told in named))

    def may_see_deletion(self, request: HttpRequest, gone: Activity) -> bool:
        if gone.project is None or not self.has_change_permission(request):
            return False
        return projects_for(request.user, self.view_act).filter(pk=gone.project).exists()

    # For actions' ``permissions=``: a list offers what the person may do to some of its rows.

    def has_edit_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """May change some of them."""
        return self.may_here(request, self.change_act)

    def has_plan_all_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """May plan the whole film: assign."""
        return self.may_here(request, Act.PLAN, wholly=True)

    def has_review_all_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """May review all of the film: make playlists."""
        return self.may_here(request, Act.REVIEW, wholly=True)

    def has_render_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """May submit, cancel, requeue."""
        return self.may_here(request, Act.RENDER) if obj is None else self.may(request, Act.RENDER, obj)

    def has_review_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """May approve, ask for a retake, reject."""
        return self.may_here(request, Act.REVIEW) if obj is None else self.may(request, Act.REVIEW, obj)

    def perform(
        self, request: HttpRequest, object_id: str, act: Act, deed: Callable[[Any], str | None]
    ) -> HttpResponse:
        """Answer a button: check method, row and role, do it, say the sentence it returns, go back.

        What the deed refuses (Refused, NotAllowed) is said on the page it came from; one that met another
        transaction is done again.
        """
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        if not self.may(request, act, row):
            raise PermissionDenied
        try:
            said = again_after_collision(deed)(row)
        except Refused as refused:
            say_problems(request, refused)
        except NotAllowed as refused:
            messages.error(request, str(refused))
        else:
            if said:
                messages.success(request, said)
        return HttpResponseRedirect(back_to(request, self.address_of(row)))

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if context.get("errors") and any(request.FILES.values()):
            messages.warning(request, _("Choose the files again: a browser does not send them twice."))
        return super().render_change_form(request, context, *args, **kwargs)

    def address_of(self, row: Any) -> str:
        """Return the address of a row's page."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # A row never moves to another project: its shots, jobs and files would stay behind.
        fixed = ("project",) if obj is not None and self.project_path == "project" else ()
        return (*super().get_readonly_fields(request, obj), *fixed)


class ScopedInline(ScopedChoices, Tabular):
    """Rows that belong to the row of the page: allowed is what is allowed there."""

    extra = 0
    hide_title = True
    listed_once = True
    act = Act.PLAN

    def _may(self, request: HttpRequest, act: Act, parent: Any) -> bool:
        page = self.admin_site.get_model_admin(self.parent_model)
        return isinstance(page, ScopedAdmin) and page.may(request, act, parent)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, Act.VIEW, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, self.act, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, self.act, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, self.act, obj)


class FarmAdmin(Remembered):
    """Rows of the whole farm: members and operators read them, Django's permissions let somebody edit."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return sees_farm(request) or super().has_view_permission(request, obj)

"""Projects and their members."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.accounts.admin import UserAdmin
from apps.accounts.models import User
from apps.common.admin import ReadOnly, Tabular
from apps.common.counting import count_of
from apps.common.errors import Refused
from apps.common.show import NOTHING, badge, link, spoken
from apps.projects.admin_history import ActivityAdmin, BatchAdmin
from apps.projects.admin_members import MemberFormSet, MembershipInline, acts_in_words, who_may_what
from apps.projects.admin_picker import choices_view, choose_view
from apps.projects.admin_scope import ScopedAdmin
from apps.projects.models import Membership, Project
from apps.projects.reach import person_of
from apps.projects.roles import Act, Role
from apps.projects.services import open_project
from workflows.rates import fps_text

__all__ = ["ActivityAdmin", "BatchAdmin", "MemberAdmin", "ProjectAdmin"]

admin.site.unregister(User)


class ProjectForm(forms.ModelForm[Project]):
    """The frame rate is written as people write it: 24, 23.976 or 24000/1001."""

    fps = forms.CharField(
        label=_("frames per second"), max_length=60, initial="24", widget=UnfoldAdminTextInputWidget()
    )

    class Meta:
        help_texts: ClassVar[Mapping[str, Any]] = {
            "archived": _(
                "The project is not offered any more where one is chosen, and its client links are closed. "
                "Its plan can still be changed, and rendered."
            )
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "fps" in self.fields and not self.instance._state.adding:
            self.initial["fps"] = fps_text(self.instance.frame_rate)

    def clean_fps(self) -> str:
        told: str = self.cleaned_data["fps"]
        try:
            self.instance.fps = told
        except Refused as refused:
            raise ValidationError([str(problem.message) for problem in refused.problems]) from refused
        return told


@admin.register(Project)
class ProjectAdmin(ScopedAdmin):
    """Who works on a film. Whoever may open projects becomes admin of theirs; a project's admin runs it."""

    project_path = "pk"
    change_act = Act.MANAGE
    form = ProjectForm
    inlines = (MembershipInline,)
    list_display: tuple[str, ...] = (
        "code",
        "title",
        "my_role",
        "shot_count",
        "size",
        "rate",
        "weight",
        "condition",
    )
    search_fields = ("code", "name", "name_ko")
    fieldsets = (
        (None, {"fields": ("code", ("name", "name_ko"), "description")}),
        (_("Time"), {"fields": (("fps", "start_timecode"), ("frame_start", "handles"))}),
        (_("Picture and prompts"), {"fields": (("width", "height"), ("prompt_language", "period_year"))}),
        (_("Farm"), {"fields": (("weight", "archived"),)}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("projects.add_project")

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj is not None else ()  # the first member is whoever opens it

    def save_model(self, request: HttpRequest, obj: Project, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
        else:
            open_project(obj, user=person_of(request))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        if isinstance(formset, MemberFormSet):
            formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
            formset.write(person_of(request))
        else:
            super().save_formset(request, form, formset, change)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("choices/", view(choices_view), name="projects_project_choices"),
            path("choose/", view(choose_view), name="projects_project_choose"),
            path(
                "<path:object_id>/rights/",
                view(require_safe(self.rights_view)),
                name="projects_project_rights",
            ),
        ]
        return own + super().get_urls()

    def rights_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Who belongs to the project, and who may do what: to read, for everybody in it."""
        project = self.get_object(request, object_id)
        if project is None:
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "title": _("%(project)s: members and rights") % {"project": project.code},
            "project": project,
            "members": who_may_what(project),
            "acts": acts_in_words(),
            "may_manage": self.may(request, Act.MANAGE, project),
        }
        return TemplateResponse(request, "admin/projects/project/rights.html", context)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        outside = User.objects.filter(memberships__project=form.instance, is_staff=False)
        for name in outside.order_by("username").values_list("username", flat=True):
            messages.warning(
                request,
                _(
                    "%(user)s is a member but may not sign in to these pages; "
                    "whoever runs the farm switches that on at the user's page."
                )
                % {"user": name},
            )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("code",) if obj is not None else ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = rows.annotate(_shots=count_of(Project, "shots"))
        return counted

    def dress(self, rows: list[Any], request: HttpRequest) -> None:
        roles = dict(
            Membership.objects.filter(
                user=person_of(request), project__in=[row.pk for row in rows]
            ).values_list("project_id", "role")
        )
        for row in rows:
            row.role_of_reader = roles.get(row.pk, "")

    @admin.display(description=_("name"), ordering="name")
    def title(self, project: Project) -> str:
        return spoken(project, "name")

    @admin.display(description=_("my role"))
    def my_role(self, project: Any) -> SafeString:
        return badge(Role(project.role_of_reader).label, "teal") if project.role_of_reader else NOTHING

    @admin.display(description=_("shots"), ordering="_shots")
    def shot_count(self, project: Any) -> SafeString:
        address = f"{reverse('admin:productions_shot_changelist')}?project__id__exact={project.pk}"
        return link(address, project._shots)

    @admin.display(description=_("fps"), ordering="fps_num")
    def rate(self, project: Project) -> str:
        return f"{project.fps:.6g}"

    @admin.display(description=_("size"))
    def size(self, project: Project) -> str:
        return f"{project.width} × {project.height}"

    @admin.display(description=_("state"))
    def condition(self, project: Project) -> SafeString:
        if project.archived:
            return badge(_("archived"), "grey")
        return (
            badge(_("paused"), "amber") if project.paused else badge(pgettext("project", "active"), "green")
        )


class RolesInline(ReadOnly, Tabular):
    """The projects of a user; roles are given on the project's page, where its last admin is kept."""

    model = Membership
    extra = 0
    verbose_name_plural = _("roles (given on the project's page)")
    fields = ("film", "role")
    readonly_fields = ("film", "role")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("accounts.view_user")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("project")

    @admin.display(description=_("project"))
    def film(self, membership: Membership) -> SafeString:
        address = reverse("admin:projects_project_change", args=[membership.project_id])
        return link(address, f"{membership.project.code} {spoken(membership.project, 'name')}")


@admin.register(User)
class MemberAdmin(UserAdmin):
    """The user page with the person's roles."""

    inlines = (RolesInline,)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj is not None else ()

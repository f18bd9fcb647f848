"""Projects and their members."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.common.show import NOTHING, badge, link, spoken
from apps.projects.admin_scope import ScopedAdmin, ScopedInline, person_of
from apps.projects.models import Membership, Project
from apps.projects.roles import Act, Role


class MembershipInline(ScopedInline):
    model = Membership
    act = Act.MANAGE
    verbose_name_plural = _("members")
    fields = ("user", "role")


@admin.register(Project)
class ProjectAdmin(ScopedAdmin):
    """Who works on a film. A superuser makes projects; a project's admin runs it."""

    project_path = "pk"
    change_act = Act.MANAGE
    inlines = (MembershipInline,)
    list_display = ("code", "title", "my_role", "shot_count", "size", "fps", "weight", "condition")
    search_fields = ("code", "name", "name_ko")
    fieldsets = (
        (None, {"fields": (("code", "fps"), ("name", "name_ko"), "description")}),
        (_("Picture and prompts"), {"fields": (("width", "height"), "prompt_language")}),
        (_("Farm"), {"fields": (("weight", "paused", "archived"),)}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(getattr(request.user, "is_superuser", False))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("code",) if obj is not None else ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.annotate(_shots=Count("shots"))

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

    @admin.display(description=_("size"))
    def size(self, project: Project) -> str:
        return f"{project.width} × {project.height}"

    @admin.display(description=_("state"))
    def condition(self, project: Project) -> SafeString:
        if project.archived:
            return badge(_("archived"), "grey")
        return badge(_("paused"), "amber") if project.paused else badge(_("active"), "green")

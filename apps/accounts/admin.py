"""Users. Only those with Django's user permissions (superusers, as a rule) see this page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from knox.models import AuthToken
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from apps.accounts.models import User
from apps.common.admin import Page

admin.site.unregister(Group)  # roles are memberships, project by project
# Tokens are made and withdrawn through the API: a page could only show hashes.
admin.site.unregister(AuthToken)


@admin.register(User)
class UserAdmin(DjangoUserAdmin[User], Page):
    """Staff may sign in here; what they see and do is their roles in projects."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    ordering = ("username",)
    list_display = (
        "username",
        "first_name",
        "last_name",
        "email",
        "language",
        "is_staff",
        "is_superuser",
        "is_active",
    )
    list_filter = ("is_staff", "is_superuser", "is_active")
    filter_horizontal = ("user_permissions",)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": (("first_name", "last_name"), ("email", "language"))}),
        (_("Rights"), {"fields": (("is_active", "is_staff", "is_superuser"),)}),
        (
            _("Rights over the whole farm"),
            {
                "classes": ("collapse",),
                "description": _(
                    "Only for what all projects share, such as steering nodes or opening projects. "
                    "What somebody does in a project is their role there."
                ),
                "fields": ("user_permissions",),
            },
        ),
        (_("Dates"), {"fields": (("last_login", "date_joined"),)}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("username", "email", "language", "password1", "password2", "is_staff"),
            },
        ),
    )
    readonly_fields = ("last_login", "date_joined")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"is_staff": True}  # else the new user could not sign in, and nothing would say why

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        if "is_staff" in form.base_fields:
            signs_in = form.base_fields["is_staff"]
            signs_in.label = _("May sign in to these pages")
            signs_in.help_text = _(
                "Without it there is only the API. What they see here is their roles: "
                "add them to a project on the project's page."
            )
        if not getattr(request.user, "is_superuser", False):
            # Whoever may edit users must not make themselves more than they are.
            for name in ("is_superuser", "user_permissions"):
                if name in form.base_fields:
                    form.base_fields[name].disabled = True
        return form

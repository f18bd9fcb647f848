"""Users. Only those with Django's user permissions (superusers, as a rule) see this page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from knox.models import AuthToken
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from apps.accounts.models import User
from apps.accounts.throttle import seconds_to_wait
from apps.accounts.tokens import revoke_all_tokens
from apps.common.admin import Page

admin.site.unregister(Group)  # roles are memberships, project by project
# Tokens are made and withdrawn through the API: a page could only show hashes.
admin.site.unregister(AuthToken)


if TYPE_CHECKING:
    from django.contrib.admin.forms import AdminAuthenticationForm as AuthenticationForm
else:
    from unfold.forms import AuthenticationForm


class SignInForm(AuthenticationForm):
    """Counts tries before it looks at a password."""

    def clean(self) -> dict[str, Any]:
        if seconds := seconds_to_wait(self.request):
            raise ValidationError(
                _("Too many tries from your address. Try again in %(seconds)d s."),
                code="throttled",
                params={"seconds": seconds},
            )
        return super().clean()


admin.site.login_form = SignInForm


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
    actions = ("withdraw_tokens",)

    @admin.action(description=_("Withdraw all API tokens"), permissions=["change"])
    def withdraw_tokens(self, request: HttpRequest, users: QuerySet[User]) -> None:
        for user in users:
            revoke_all_tokens(user, request=request)
        messages.success(request, gettext("%(count)d users have no API token now.") % {"count": len(users)})

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

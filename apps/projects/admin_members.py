"""The members on a project's page: the form its admins fill in, and the table everybody in it reads."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from apps.accounts.models import User
from apps.projects.admin_scope import ScopedInline
from apps.projects.members import add_member, change_member, members_of, remove_member
from apps.projects.models import Membership, Project
from apps.projects.roles import ACTS, Act, Role, Standing
from apps.projects.selectors import in_words
from apps.projects.stages import Stage


class MemberForm(forms.ModelForm[Membership]):
    """A role, and for supervisors the departments they sign off."""

    departments = forms.MultipleChoiceField(
        label=_("departments"),
        choices=Stage.choices,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        model = Membership
        fields = ("user", "role", "departments")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "user" in self.fields and self.instance._state.adding is False:
            self.fields["user"].disabled = True  # somebody else is another member

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("departments") and data.get("role") != Role.SUPERVISOR:
            if "role" in self.changed_data and "departments" not in self.changed_data:
                data["departments"] = []  # they go with the role
            else:
                self.add_error("departments", _("Only supervisors have departments."))
        return data


class MemberFormSet(BaseInlineFormSet[Any, Any, forms.ModelForm[Any]]):
    """A project keeps an admin."""

    def clean(self) -> None:
        super().clean()
        told = [getattr(form, "cleaned_data", {}) for form in self.forms]
        had_admin = any(form.initial.get("role") == Role.ADMIN for form in self.initial_forms)
        if had_admin and not any(row.get("role") == Role.ADMIN and not row.get("DELETE") for row in told):
            raise ValidationError(_("A project needs an admin: make somebody else admin first."))

    def write(self, user: User) -> None:
        """Do what was filled in, through the services; new admins first, so that old ones may go."""
        gone = list(self.deleted_forms)
        kept = [form for form in self.forms if form.has_changed() and form not in gone and form.cleaned_data]
        for form in sorted(kept, key=lambda form: form.cleaned_data["role"] != Role.ADMIN):
            asked = form.cleaned_data
            if form.instance._state.adding:
                add_member(
                    project=self.instance,
                    member=asked["user"],
                    role=asked["role"],
                    departments=asked["departments"],
                    user=user,
                )
            else:
                membership = Membership.objects.select_related("project", "user").get(pk=form.instance.pk)
                change_member(
                    membership,
                    user=user,
                    row_version=membership.row_version,  # the page has claimed the project, with its members
                    role=asked["role"],
                    departments=asked["departments"],
                )
        for form in gone:
            if not form.instance._state.adding:
                remove_member(form.instance, user=user, row_version=form.instance.row_version)


class MembershipInline(ScopedInline):
    model = Membership
    form = MemberForm
    formset = MemberFormSet
    act = Act.MANAGE
    verbose_name_plural = _("members")
    fields = ("user", "role", "departments")
    readonly_fields = ("signs_off",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if self.has_change_permission(request, obj):
            return self.fields
        return ("user", "role", "signs_off")

    @admin.display(description=_("departments"))
    def signs_off(self, membership: Membership) -> str:
        """To whoever only reads: the names of the stages."""
        return ", ".join(str(Stage(one).label) for one in membership.departments) or "–"

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "user":
            project = request.resolver_match.kwargs.get("object_id")
            there = Q(pk__in=Membership.objects.filter(project=project).values("user"))
            kwargs["queryset"] = User.objects.filter(Q(is_active=True) | there).order_by("username")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


def who_may_what(project: Project) -> list[dict[str, Any]]:
    """Every member with what they may do to what, in words and in the order of the acts."""
    return [
        {
            "name": membership.user.get_full_name() or membership.user.get_username(),
            "user": membership.user.get_username(),
            "active": membership.user.is_active,
            "role": membership.get_role_display(),
            "rights": [in_words(Standing.of(membership), act) for act in Act],
        }
        for membership in members_of(project)
    ]


def acts_in_words() -> list[str]:
    """The heads of that table."""
    return [str(ACTS[act]) for act in Act]

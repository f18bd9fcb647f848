"""Layouts of folders, version by version, and where each system finds what is published."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.common.admin_forms import become
from apps.common.admin_versions import Meanwhile
from apps.common.errors import Refused
from apps.common.show import NOTHING, moment, spoken
from apps.folders.models import Mount, PathTemplate
from apps.folders.mounts import check_root, path_on
from apps.folders.selectors import layout_version
from apps.folders.services.layouts import check_layout, save_version
from apps.projects.admin_scope import FarmAdmin
from apps.projects.reach import person_of


class LayoutForm(forms.ModelForm[PathTemplate]):
    """A layout's rules; what is wrong is said by line and column."""

    class Meta:
        model = PathTemplate
        fields = ("slug", "name", "name_ko", "text")
        widgets = {
            "text": UnfoldAdminTextareaWidget(attrs={"rows": 28, "class": "sf-code", "spellcheck": "false"})
        }

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        if self.instance._state.adding and PathTemplate.objects.filter(slug=slug).exists():
            raise ValidationError(_("There is a layout of this name: open it, and save its next version."))
        return slug

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        try:
            check_layout(text)
        except Refused as refused:
            raise ValidationError([str(problem.message) for problem in refused.problems]) from refused
        return text


@admin.register(PathTemplate)
class PathTemplateAdmin(FarmAdmin):
    """What is used never changes: saving makes the next version, and projects go on holding theirs."""

    form = LayoutForm
    list_display = ("version", "title", "held", "since", "saved_by")
    list_filter = ("slug",)
    search_fields = ("slug", "name", "name_ko")
    ordering = ("slug", "-number")
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = rows.annotate(_held=Count("projects"))
        return counted

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ()
        return ("slug",) if self.has_change_permission(request, obj) else ("slug", "rules")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        reads = obj is not None and not self.has_change_permission(request, obj)
        return ("slug", "name", "name_ko", "rules" if reads else "text")

    def save_model(self, request: HttpRequest, obj: PathTemplate, form: Any, change: bool) -> None:
        # Who has claimed one version knows the newest: what makes another one touches them all.
        newest = layout_version(obj.slug).row_version if change else None
        said = {"name": obj.name, "name_ko": obj.name_ko, "text": obj.text}
        become(obj, save_version(slug=obj.slug, user=person_of(request), row_version=newest, **said))

    def changed_meanwhile(
        self, request: HttpRequest, row: PathTemplate, seen: int, form: Any, formsets: Sequence[Any] = ()
    ) -> list[Meanwhile]:
        """Show what the newest version says otherwise than the one that was opened, line by line."""
        newest = layout_version(row.slug)
        opened = PathTemplate.objects.get(pk=row.pk)  # as it is, not as it was typed
        was, now = ([one.name, one.name_ko, *one.text.splitlines()] for one in (opened, newest))
        typed = [line for name in ("name", "name_ko", "text") for line in form[name].value().splitlines()]
        return [
            Meanwhile(
                field=str(newest),
                was=_only(was, now),
                now=_only(now, was),
                typed=_only(typed, was),
                who=newest.saved_by,
                at=newest.created_at,
                name="text",
            )
        ]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # somewhere files lie by it

    @admin.display(description=gettext_lazy("layout"), ordering="slug")
    def version(self, template: PathTemplate) -> str:
        return str(template)

    @admin.display(description=gettext_lazy("name"), ordering="name")
    def title(self, template: PathTemplate) -> str:
        return spoken(template, "name")

    @admin.display(description=gettext_lazy("rules"))
    def rules(self, template: PathTemplate) -> SafeString:
        return format_html('<pre class="sf-code">{}</pre>', template.text)

    @admin.display(description=gettext_lazy("projects"), ordering="_held")
    def held(self, template: Any) -> int:
        return int(template._held)

    @admin.display(description=gettext_lazy("in use since"), ordering="used_at")
    def since(self, template: PathTemplate) -> SafeString | str:
        return moment(template.used_at) if template.used_at else NOTHING


def _only(lines: Iterable[str], others: Collection[str]) -> str:
    return "\n".join(line for line in lines if line not in others)


class MountForm(forms.ModelForm[Mount]):
    """Where a system finds the root."""

    class Meta:
        model = Mount
        fields = ("system", "root")

    def clean(self) -> dict[str, Any]:
        told = super().clean() or self.cleaned_data
        if "system" in told and "root" in told:
            try:
                check_root(told["system"], told["root"])
            except Refused as refused:
                self.add_error("root", str(refused.problems[0].message))
        return told


@admin.register(Mount)
class MountAdmin(FarmAdmin):
    """The studio's mounts: what a path begins with on each system."""

    form = MountForm
    list_display = ("system", "root", "example")
    ordering = ("system",)
    actions = None

    @admin.display(description=gettext_lazy("example"))
    def example(self, mount: Mount) -> SafeString:
        return format_html("<code>{}</code>", path_on(mount.system, mount.root, "FROST/scenes/SQ010"))

"""Material on the pages of shots, sequences and projects: looked at, added, renamed, taken away."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.common.admin import say_problems
from apps.common.admin_versions import key_in
from apps.common.errors import Problem, Refused
from apps.ledger.models import Activity
from apps.ledger.selectors import history_of
from apps.materials.models import Material, MaterialKind
from apps.materials.selectors import Owner, of_owner, usable_by
from apps.materials.services import add_material, change_material
from apps.productions.admin_outline import SequenceAdmin
from apps.productions.models import Sequence, Shot
from apps.projects.admin_scope import ScopedAdmin, back_to
from apps.projects.reach import person_of
from apps.projects.roles import Act
from apps.renders.admin.chains import ShowsChains
from apps.renders.services.material import TAKEN_AWAY, remove_material

_OWNER: Final = "_shotfarm_material_of"
"""Where a request keeps the page of what a file belonged to that it takes away."""


class HoldsMaterial(ScopedAdmin):
    """The page of something that material belongs to."""

    def get_urls(self) -> list[URLPattern]:
        view, name = self.admin_site.admin_view, f"{self.opts.app_label}_{self.opts.model_name}"
        own = path("<path:object_id>/material/", view(self.material_view), name=f"{name}_material")
        return [own, *super().get_urls()]

    def material_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take in the files that were chosen; what is wrong with one stops no other."""

        def deed(owner: Owner) -> str | None:
            files = request.FILES.getlist("files")
            if not files:
                messages.error(request, _("Choose one or more files first."))
                return None
            created = 0
            for file in files:
                try:
                    kind = request.POST.get("kind", "")
                    created += add_material(owner, file, kind=kind, user=person_of(request)).created
                except Refused as refused:
                    say_problems(request, refused)
            if not created:
                return None
            told = ngettext("%(count)d file was added.", "%(count)d files were added.", created)
            return told % {"count": created}

        return self.perform(request, object_id, Act.PLAN, deed)

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        owner = context.get("original")
        if owner is not None:
            context |= self._material_of(request, owner)
        return super().render_change_form(request, context, *args, **kwargs)

    def _material_of(self, request: HttpRequest, owner: Owner) -> dict[str, Any]:
        own = list(of_owner(owner))
        above = (
            [one for one in usable_by([owner])[owner.pk] if not one.shot_id]
            if isinstance(owner, Shot)
            else []
        )
        return {
            "materials": own,
            "materials_above": above,
            "material_kinds": MaterialKind.choices,
            "material_page": f"admin:{self.opts.app_label}_{self.opts.model_name}",
            "may_change_material": self.may(request, Act.PLAN, owner),
        }


class MaterialForm(forms.ModelForm[Material]):
    """What a service would refuse is said beside its field."""

    class Meta:
        model = Material
        fields = ("name", "kind")


@admin.register(Material)
class MaterialAdmin(ScopedAdmin):
    """One file: its name and kind. The tile on the page of what it belongs to leads here, its form too."""

    form = MaterialForm
    list_display = ("name", "kind", "owner", "state")
    list_filter = ("kind", "state")
    list_select_related = ("project", "sequence", "shot__sequence")
    search_fields = ("name",)
    ordering = ("-created_at", "-pk")
    actions = None
    shot_path = "shot"
    delete_act = Act.PLAN
    change_form_outer_after_template = "admin/materials/material/file.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).filter(removed_at=None)
        return rows.select_related("project", "sequence", "shot__sequence")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False  # reached from what it belongs to

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # files are brought on the page of what they belong to

    def save_model(self, request: HttpRequest, obj: Material, form: Any, change: bool) -> None:
        said = {name: form.cleaned_data[name] for name in form.changed_data}
        change_material(obj, user=person_of(request), **said)

    def delete_model(self, request: HttpRequest, obj: Material) -> None:
        setattr(request, _OWNER, _page_of(obj))
        remove_material(obj, user=person_of(request))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The file of what jobs were ordered with stays for them: nothing else goes, and nothing keeps it."""
        return [str(row) for row in objs], {self.opts.verbose_name: len(objs)}, set(), []

    def _deletion_of(self, request: HttpRequest, object_id: str | None) -> Activity | None:
        """Also what is kept for the jobs that were ordered with it is gone for whoever has its form open."""
        gone = super()._deletion_of(request, object_id)
        key = key_in(Material, object_id) if request.method == "POST" and object_id else None
        if gone is not None or key is None:
            return gone
        newest = history_of(Material, key).first()
        taken = newest is not None and newest.verb == TAKEN_AWAY and self.may_see_deletion(request, newest)
        return newest if taken else None

    def _as_if_it_stood(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        raise Refused(Problem("file", "", _("its file is not there any more: add it again"), code="gone"))

    def response_change(self, request: HttpRequest, obj: Material) -> HttpResponse:
        super().response_change(request, obj)  # says that it is saved
        return HttpResponseRedirect(back_to(request, _page_of(obj)))

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: Any) -> HttpResponse:
        messages.success(request, _("“%(name)s” was taken away.") % {"name": obj_display})
        return HttpResponseRedirect(getattr(request, _OWNER))

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        material = self.get_queryset(request).get(pk=context["original"].pk)  # as it is, not as it was typed
        context |= {"material": material, "owner": owner_of(material), "owner_page": _page_of(material)}
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=gettext_lazy("of"))
    def owner(self, material: Material) -> str:
        return str(owner_of(material))


def owner_of(material: Material) -> Owner:
    """What a file belongs to: a shot, a sequence, or the whole film."""
    return material.shot or material.sequence or material.project


def _page_of(material: Material) -> str:
    owner = owner_of(material)
    name = f"admin:{owner._meta.app_label}_{owner._meta.model_name}_change"
    return reverse(name, args=[owner.pk]) + "#material"


admin.site.unregister(Sequence)


@admin.register(Sequence)
class MaterialSequenceAdmin(ShowsChains, HoldsMaterial, SequenceAdmin):
    """A sequence with the material that all its shots can use, and what continues what."""

    change_form_outer_before_template = "admin/productions/sequence/material.html"

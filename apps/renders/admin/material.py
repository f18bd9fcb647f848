"""Material on the pages of shots, sequences and projects: looked at, added, renamed, taken away."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.common.admin import say_problems
from apps.common.errors import Refused
from apps.materials.models import MaterialKind
from apps.materials.selectors import Owner, of_owner, usable_by
from apps.materials.services import add_material, change_material
from apps.productions.admin_outline import SequenceAdmin
from apps.productions.models import Sequence, Shot
from apps.projects.admin_scope import ScopedAdmin
from apps.projects.reach import person_of
from apps.projects.roles import Act
from apps.renders.admin.chains import ShowsChains
from apps.renders.services.material import remove_material


class HoldsMaterial(ScopedAdmin):
    """The page of something that material belongs to."""

    def get_urls(self) -> list[URLPattern]:
        view, name = self.admin_site.admin_view, f"{self.opts.app_label}_{self.opts.model_name}"
        own = [
            path("<path:object_id>/material/", view(self.material_view), name=f"{name}_material"),
            path(
                "<path:object_id>/material/<uuid:material_id>/",
                view(self.one_material_view),
                name=f"{name}_one_material",
            ),
        ]
        return own + super().get_urls()

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

    def one_material_view(self, request: HttpRequest, object_id: str, material_id: UUID) -> HttpResponse:
        """Answer Save and Take away of one file."""

        def deed(owner: Owner) -> str:
            material = of_owner(owner).filter(pk=material_id).first()
            if material is None:
                raise Http404
            if request.POST.get("remove") == "1":
                remove_material(material, user=person_of(request))
                return _("“%(name)s” was taken away.") % {"name": material.name}
            name, kind = request.POST.get("name"), request.POST.get("kind")
            changed = change_material(material, name=name, kind=kind, user=person_of(request))
            return _("Saved: %(name)s, %(kind)s.") % {
                "name": changed.name,
                "kind": changed.get_kind_display(),
            }

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


admin.site.unregister(Sequence)


@admin.register(Sequence)
class MaterialSequenceAdmin(ShowsChains, HoldsMaterial, SequenceAdmin):
    """A sequence with the material that all its shots can use, and what continues what."""

    change_form_outer_before_template = "admin/productions/sequence/material.html"

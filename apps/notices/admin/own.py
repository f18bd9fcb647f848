"""Pages of rows that belong to a person: whoever is not theirs finds nothing there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db.models import Field
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse

from apps.common.admin import Page, say_problems
from apps.common.collisions import again_after_collision
from apps.common.errors import NotAllowed, Refused
from apps.projects.admin_scope import back_to


class OwnRows(Page):
    """Everybody on staff has this page; ``get_queryset`` says whose rows are on it."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.admin_site.has_permission(request)  # the login page asks, too

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.admin_site.has_permission(request)

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget  # rows chosen from have pages of their own: no little buttons
        return field

    def press(self, request: HttpRequest, object_id: str, deed: Callable[[Any], str]) -> HttpResponse:
        """Answer a button: check method and row, do it, say what it returns, if anything, go back."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        try:
            if said := again_after_collision(deed)(row):
                messages.success(request, said)
        except Refused as refused:
            say_problems(request, refused)
        except NotAllowed as refused:
            messages.error(request, str(refused))
        page = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])
        return HttpResponseRedirect(back_to(request, page))

"""The page of a take with what makes a job of it: rendering it again exactly."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.common.errors import NotAllowed, Refused
from apps.projects.reach import person_of
from apps.projects.roles import Act
from apps.renders.services.again import render_again
from apps.review.admin import TakeAdmin
from apps.review.models import Take

admin.site.unregister(Take)


@admin.register(Take)
class RenderedTakeAdmin(TakeAdmin):
    """Whoever may render may render a take again."""

    actions = (*TakeAdmin.actions, "render_again")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.again_view)
        return [path("<path:object_id>/again/", view, name="review_take_again"), *super().get_urls()]

    def again_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer Render again exactly; a repeated press of the same form makes no second job."""

        def deed(take: Take) -> str:
            key = request.POST.get("key") or uuid4().hex
            made = render_again(take, user=person_of(request), idempotency_key=key)
            if not made.created:
                return _("This was submitted already: batch %(batch)s.") % {"batch": made.batch.code}
            return _("Batch %(batch)s is on its way.") % {"batch": made.batch.code}

        return self.perform(request, object_id, Act.RENDER, deed)

    @admin.action(description=gettext_lazy("Render again exactly"), permissions=["render"])
    def render_again(self, request: HttpRequest, takes: QuerySet[Take]) -> None:
        done = 0
        for take in takes:
            if not self.may(request, Act.RENDER, take):
                continue
            try:
                render_again(take, user=person_of(request), idempotency_key=uuid4().hex)
            except (Refused, NotAllowed) as refused:
                messages.error(request, f"{take}: {refused}")
            else:
                done += 1
        messages.success(request, _("%(done)d takes render again.") % {"done": done})

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        take = context["original"]
        context["again_key"] = uuid4().hex if self.may(request, Act.RENDER, take) else ""
        return super().render_change_form(request, context, *args, **kwargs)

"""The page of a take with its published files."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.common.errors import NotAllowed, Refused
from apps.folders.services.wanting import publish_take
from apps.projects.reach import person_of
from apps.projects.roles import Act
from apps.renders.admin.takes import RenderedTakeAdmin
from apps.review.models import Take

admin.site.unregister(Take)


@admin.register(Take)
class PublishedTakeAdmin(RenderedTakeAdmin):
    """Whoever plans the project may publish a take."""

    actions = (*RenderedTakeAdmin.actions, "publish")

    def has_plan_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """May publish (for the action's ``permissions=``)."""
        return self.may(request, Act.PLAN, obj)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.publish_view)
        return [path("<path:object_id>/publish/", view, name="review_take_publish"), *super().get_urls()]

    def publish_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer Publish; a second press changes nothing."""

        def deed(take: Take) -> str:
            files = publish_take(take, user=person_of(request))
            return _("Published at: %s") % ", ".join(file.path for file in files)

        return self.perform(request, object_id, Act.PLAN, deed)

    @admin.action(description=gettext_lazy("Publish"), permissions=["plan"])
    def publish(self, request: HttpRequest, takes: QuerySet[Take]) -> None:
        done = left = 0
        for take in takes.select_related("project", "shot__sequence__episode", "shot__project"):
            if not self.may(request, Act.PLAN, take):
                left += 1
                continue
            try:
                publish_take(take, user=person_of(request))
            except (Refused, NotAllowed) as refused:
                messages.error(request, f"{take}: {refused}")
            else:
                done += 1
        told = ngettext("%(done)d take is published.", "%(done)d takes are published.", done)
        messages.success(request, told % {"done": done})
        if left:
            told = ngettext(
                "%(count)d take is not yours to publish.", "%(count)d takes are not yours to publish.", left
            )
            messages.warning(request, told % {"count": left})

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context["may_publish"] = self.may(request, Act.PLAN, context["original"])
        return super().render_change_form(request, context, *args, **kwargs)

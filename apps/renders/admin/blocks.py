"""Blocked pairs: what failed where, until when it is kept apart, and the button that clears it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.common.admin import ReadOnly
from apps.common.show import NOTHING, badge, clamped, link, moment, state_badge
from apps.nodes.services import STEER
from apps.nodes.words import reason_in_words
from apps.projects.admin_scope import FarmAdmin, back_to
from apps.projects.reach import person_of
from apps.renders.models import NodeBlock
from apps.renders.services.breaker import clear_block
from apps.renders.states import BlockState


@admin.register(NodeBlock)
class NodeBlockAdmin(ReadOnly, FarmAdmin):
    """Counted by the coordinator; operators clear them (permission nodes.change_node)."""

    list_display = ("pair", "condition", "failures", "ends", "why")
    list_display_links = None
    list_filter = ("state", "template", "node__pool")
    list_select_related = ("node", "template")
    search_fields = ("node__name", "template__slug", "reason")
    ordering = ("-until", "node__name")
    actions = ("clear",)
    fields = ("node", "template", "state", "failures", "until", "why")
    readonly_fields = ("why",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[NodeBlock]:
        rows: QuerySet[NodeBlock] = super().get_queryset(request)
        return rows.defer("node__classes", "node__models_by_folder", "node__software", "node__baseline")

    def has_steer_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """May steer nodes (for actions' ``permissions=``)."""
        return request.user.has_perm(STEER)

    @admin.action(description=gettext_lazy("Clear block"), permissions=["steer"])
    def clear(self, request: HttpRequest, blocks: QuerySet[NodeBlock]) -> None:
        """Give these nodes their templates again."""
        cleared = sum(clear_block(block, user=person_of(request)) for block in blocks)
        told = ngettext("%(count)d block cleared.", "%(count)d blocks cleared.", cleared)
        messages.success(request, told % {"count": cleared})

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                "<path:object_id>/clear/",
                self.admin_site.admin_view(self.clear_view),
                name="renders_nodeblock_clear",
            )
        ]
        return own + super().get_urls()

    def clear_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer “Clear block”."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm(STEER):
            raise PermissionDenied
        block = get_object_or_404(NodeBlock.objects.select_related("node", "template"), pk=object_id)
        clear_block(block, user=person_of(request))
        messages.success(
            request,
            _("%(node)s is given %(template)s again.")
            % {"node": block.node.name, "template": block.template.slug},
        )
        return HttpResponseRedirect(back_to(request, reverse("admin:renders_nodeblock_changelist")))

    @admin.display(description=gettext_lazy("pair"), ordering="node__name")
    def pair(self, block: NodeBlock) -> SafeString:
        page = reverse("admin:nodes_node_change", args=[block.node_id])
        return format_html("{} × {}", link(page, block.node.name), block.template.slug)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def condition(self, block: NodeBlock) -> SafeString:
        if block.state == BlockState.BLOCKED:  # "blocked" is a quiet word for a job, and none for a node
            return badge(block.get_state_display(), "red")
        return state_badge(block.state, block.get_state_display())

    @admin.display(description=gettext_lazy("blocked until"), ordering="until")
    def ends(self, block: NodeBlock) -> str:
        return moment(block.until) if block.until else NOTHING

    @admin.display(description=gettext_lazy("reason"))
    def why(self, block: NodeBlock) -> SafeString:
        return clamped(reason_in_words(block.reason))

"""GPU nodes: what they say of themselves, and what we want of them.

apps.renders registers a richer page over this one, with the attempts that run there.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.common.admin import ReadOnly
from apps.common.errors import NotAllowed
from apps.common.show import NOTHING, seconds_text, simulated_badge, state_badge, tier_text
from apps.nodes.gpus import gpu_line
from apps.nodes.models import Node
from apps.nodes.services import STEER, set_desired
from apps.nodes.states import Desired
from apps.projects.admin_scope import FarmAdmin, back_to
from apps.projects.reach import person_of


@admin.register(Node)
class NodeAdmin(ReadOnly, FarmAdmin):
    """Nodes register themselves; people steer them (permission nodes.change_node)."""

    list_display = ("title", "condition", "wish", "tier", "gpu_facts", "comfyui_version", "heard")
    list_display_links = ("title",)
    list_filter = ("observed", "desired", "tier_gb", "simulated")
    search_fields = ("name", "gpus__name")
    change_form_template = "admin/nodes/node/page.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        nodes = super().get_queryset(request).prefetch_related("gpus")
        return (
            nodes.defer("classes", "models_by_folder") if "object_id" not in self._kwargs(request) else nodes
        )

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                "<path:object_id>/desired/",
                self.admin_site.admin_view(self.steer_view),
                name="nodes_node_desired",
            )
        ]
        return own + super().get_urls()

    def steer_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer a drain, pause or activate button."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm(STEER):
            raise PermissionDenied
        node = get_object_or_404(Node, pk=object_id)
        desired = request.POST.get("desired", "")
        if desired not in Desired.values:
            messages.error(
                request,
                _("“%(desired)s” is not a wish; choose %(offered)s.")
                % {"desired": desired, "offered": ", ".join(Desired.values)},
            )
        else:
            try:
                set_desired(node, desired, user=person_of(request))
            except NotAllowed as refused:
                messages.error(request, str(refused))
            else:
                messages.success(
                    request,
                    _("%(node)s is to be %(desired)s; it hears so with its next report.")
                    % {"node": node.name, "desired": Desired(desired).label},
                )
        return HttpResponseRedirect(back_to(request, reverse("admin:nodes_node_change", args=[node.pk])))

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        node = context["original"]
        context["wishes"] = (
            [wish for wish in Desired if wish != node.desired] if request.user.has_perm(STEER) else []
        )
        context["models_count"] = sum(len(names) for names in node.models_by_folder.values())
        return super().render_change_form(request, context, *args, **kwargs)

    @staticmethod
    def _kwargs(request: HttpRequest) -> dict[str, Any]:
        return request.resolver_match.kwargs if request.resolver_match else {}

    @admin.display(description=gettext_lazy("node"), ordering="name")
    def title(self, node: Node) -> SafeString:
        return format_html("{} {}", node.name, simulated_badge() if node.simulated else "")

    @admin.display(description=gettext_lazy("state"), ordering="observed")
    def condition(self, node: Node) -> SafeString:
        shown = state_badge(node.observed, node.get_observed_display())
        return format_html('{}<div class="sf-why">{}</div>', shown, node.reason) if node.reason else shown

    @admin.display(description=gettext_lazy("wanted"), ordering="desired")
    def wish(self, node: Node) -> SafeString:
        return state_badge(node.desired, node.get_desired_display())

    @admin.display(description=gettext_lazy("tier"), ordering="tier_gb")
    def tier(self, node: Node) -> str:
        return tier_text(node.tier_gb)

    @admin.display(description=gettext_lazy("GPUs"))
    def gpu_facts(self, node: Node) -> SafeString:
        lines = format_html_join("", "{}", ((gpu_line(gpu),) for gpu in node.gpus.all()))
        return lines or NOTHING

    @admin.display(description=gettext_lazy("heard"), ordering="reported_at")
    def heard(self, node: Node) -> str:
        if node.reported_at is None:
            return _("never")
        passed = (timezone.now() - node.reported_at).total_seconds()
        # A node reports every few seconds: within the hour, minutes would hide a silence.
        time = seconds_text(max(1, round(passed))) if passed < 3600 else timesince(node.reported_at)
        return _("%(time)s ago") % {"time": time}

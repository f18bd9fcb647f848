"""The node page with what runs there, what is kept from it, and what happened to it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from apps.common.admin import say_problems
from apps.common.errors import Refused
from apps.common.models import StateEvent
from apps.nodes.admin import NodeAdmin
from apps.nodes.admin.nodes import Deed
from apps.nodes.models import Node
from apps.nodes.stock import conflict_drift, conflicts_lately
from apps.nodes.words import drift_sentences
from apps.projects.reach import person_of, reach_of
from apps.projects.roles import Act
from apps.projects.selectors import scoped
from apps.renders.admin.requeueing import requeue_node
from apps.renders.models import Attempt, NodeBlock, Proof
from apps.renders.proofs import NOTHING, Standing, standings
from apps.renders.services.proving import cancel_proof, prove
from apps.renders.services.removal import REMOVE, remove_node
from apps.renders.states import PROOF_OPEN
from apps.renders.stock import templates_named
from apps.workflows.models import WorkflowTemplate

admin.site.unregister(Node)

SHOWN_ATTEMPTS = 30
SHOWN_EVENTS = 30


@admin.register(Node)
class WorkingNodeAdmin(NodeAdmin):
    """Attempts of other people's projects are counted, not shown."""

    def get_urls(self) -> list[URLPattern]:
        address = "<path:object_id>/requeue/"
        view = self.admin_site.admin_view(self.requeue_view)
        deeds: dict[str, Deed] = {"prove": _prove, "unprove": _call_off}
        buttons = [
            path(
                f"<path:object_id>/{name}/",
                self.admin_site.admin_view(self._button(deed)),
                name=f"nodes_node_{name}",
            )
            for name, deed in deeds.items()
        ]
        return [path(address, view, name="nodes_node_requeue"), *buttons, *super().get_urls()]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(REMOVE)

    def get_actions(self, request: HttpRequest) -> Any:
        """One by one: each is asked whether anything stands in the way."""
        actions = dict(super().get_actions(request))
        actions.pop("delete_selected", None)
        return actions

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Its GPUs and blocks, which nobody misses, are not counted up."""
        return [str(node) for node in objs], {self.opts.verbose_name: len(objs)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Node) -> None:
        remove_node(obj, user=person_of(request))

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Delete, or say what stands in the way."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except Refused as refused:
            say_problems(request, refused)
            return HttpResponseRedirect(reverse("admin:nodes_node_change", args=[object_id]))

    def requeue_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask about, and answer, “Requeue what failed here”."""
        return requeue_node(self, request, object_id)

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        node = context["original"]
        here = Attempt.objects.filter(node=node)
        mine = scoped(here, request.user, path="job__project").defer("report")
        mine = mine.select_related("job__shot__sequence", "job__template_version__template").order_by(
            "-created_at"
        )
        running = mine.filter(holds_slot=True)
        context["running"] = sorted(running, key=lambda attempt: attempt.executing_at is None)
        context["hidden_running"] = here.filter(holds_slot=True).count() - len(context["running"])
        context["empty"] = not context["running"] and not context["hidden_running"]
        context["past"] = mine.filter(holds_slot=False)[:SHOWN_ATTEMPTS]
        context["clocked"] = next(
            (a.clock_ahead_s for a in here.filter(clock_ahead_s__isnull=False).order_by("-created_at")[:1]),
            None,
        )
        blocks = NodeBlock.objects.filter(node=node, failures__gt=0).select_related("template")
        context["blocks"] = blocks.order_by("template__slug")
        context["golden"] = _golden(node)
        context["conflicts"] = drift_sentences(conflict_drift(node.name, conflicts_lately()))
        context["events"] = StateEvent.objects.filter(story=node.pk).order_by("-id")[:SHOWN_EVENTS]
        context["may_remove"] = request.user.has_perm(REMOVE)
        context["may_requeue"] = reach_of(request).anywhere(Act.RENDER)
        return super().render_change_form(request, context, *args, **kwargs)


def _prove(request: HttpRequest, node: Node) -> str:
    (template,) = templates_named(request.POST.get("template", "") or "-")
    prove(template, node, user=person_of(request))
    facts = {"node": node.name, "template": template.slug}
    return _("%(node)s renders %(template)s once it has nothing else to do.") % facts


def _call_off(request: HttpRequest, node: Node) -> str:
    """Call the open golden render of a template off."""
    slug = request.POST.get("template", "")
    for proof in Proof.objects.filter(node=node, version__template__slug=slug, state__in=PROOF_OPEN):
        cancel_proof(proof, user=person_of(request))
    return _("The golden render is called off.")


def _golden(node: Node) -> list[tuple[WorkflowTemplate, Standing]]:
    """How each offered template stands on this node."""
    templates = templates_named()
    known = standings([node], [one.current for one in templates if one.current is not None])
    return [(one, known.get((one.current_id, node.pk), NOTHING)) for one in templates if one.current_id]

"""The template page with its golden renders: how it stands on each node, and a button that asks nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.common.admin import say_problems
from apps.common.collisions import again_after_collision
from apps.common.errors import Problem, Refused
from apps.nodes.models import Node
from apps.nodes.services import STEER
from apps.projects.reach import person_of, sees_farm
from apps.renders.proofs import NOTHING, Standing, standings
from apps.renders.services.proving import MOST_NAMED, prove_on, what_it_lacks
from apps.renders.stock import Matrix, downloads, matrix, needs_of, stocked_nodes
from apps.workflows.admin import WorkflowTemplateAdmin
from apps.workflows.models import WorkflowTemplate, WorkflowTemplateVersion
from apps.workflows.services import template_of
from workflows.downloads import TOOLS, as_text
from workflows.errors import WorkflowError
from workflows.manifest import Manifest

admin.site.unregister(WorkflowTemplate)

MOST_ROWS: Final = 200
"""Nodes told one by one; all that can are asked all the same."""


@dataclass(frozen=True)
class Line:
    """A node: how the template stands there, and what keeps it from being asked, in words."""

    node: Node
    standing: Standing
    obstacle: str = ""


@admin.register(WorkflowTemplate)
class ProvenTemplateAdmin(WorkflowTemplateAdmin):
    """Whoever steers nodes may ask them for golden renders; everybody else reads how it stands."""

    change_form_outer_after_template = "admin/workflows/workflowtemplate/golden.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.prove_view)
        name = "workflows_workflowtemplate_prove"
        return [path("<path:object_id>/prove/", view, name=name), *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        template: WorkflowTemplate = context["original"]
        if template.current is not None and sees_farm(request):
            asked = request.GET.get("tool", "")
            context |= _golden(template, template.current, asked if asked in TOOLS else TOOLS[0])
            context["may_steer"] = request.user.has_perm(STEER)
        return super().render_change_form(request, context, *args, **kwargs)

    def prove_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer Prove: on the chosen nodes (``node``, names), or with ``all`` on every node that can."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm(STEER) or not self.has_view_permission(request):
            raise PermissionDenied
        template: WorkflowTemplate | None = self.get_object(request, object_id)
        if template is None:
            raise Http404
        try:
            again_after_collision(_ask)(request, template)
        except Refused as refused:
            say_problems(request, refused)
        return HttpResponseRedirect(_page(template))


def _ask(request: HttpRequest, template: WorkflowTemplate) -> None:
    everyone = stocked_nodes()
    if "all" in request.POST and template.current is not None:
        nodes = [node for node in everyone if what_it_lacks(template.current, node) is None]
    else:
        names = set(request.POST.getlist("node"))
        nodes = [node for node in everyone if node.name in names]
    if not nodes:
        raise Refused(Problem("node", "", _("choose a node that can do it; none was chosen, or none can")))
    asked = prove_on(template, nodes, user=person_of(request))
    told = ngettext(
        "%(count)d node renders %(template)s once it has nothing else to do.",
        "%(count)d nodes render %(template)s, each once it has nothing else to do.",
        len(asked.proofs),
    )
    if asked.proofs:
        messages.success(request, told % {"count": len(asked.proofs), "template": template.slug})
    if asked.problems:
        raise Refused(*asked.problems[:MOST_NAMED])


def _golden(template: WorkflowTemplate, version: WorkflowTemplateVersion, tool: str) -> dict[str, Any]:
    nodes = stocked_nodes()
    known = standings(nodes, [version])
    lines = [
        Line(node, known.get((version.pk, node.pk), NOTHING), _obstacle(version, node)) for node in nodes
    ]
    shown = sorted(lines, key=lambda line: (bool(line.obstacle), line.node.name))[:MOST_ROWS]
    manifest = _manifest(version)
    found = matrix(nodes, needs_of([template])).only_missing()
    files = downloads(found)
    title = _("Model files of %(what)s missing on %(nodes)s") % {
        "what": template.slug,
        "nodes": ", ".join(_lacking(found)) or "–",
    }
    return {
        "golden_version": version,
        "golden": shown,
        "golden_hidden": len(lines) - len(shown),
        "able": sum(not line.obstacle for line in lines),
        "packages": manifest.packs if manifest else (),
        "service": manifest.remote.service if manifest and manifest.remote else "",
        "files": files,
        "tool": tool,
        "tools": TOOLS,
        "script": as_text(files, tool, title=title) if files else "",
        "list_query": urlencode({"tool": tool, "template": template.slug}),
    }


def _lacking(found: Matrix) -> list[str]:
    """The nodes that lack any of these files."""
    return sorted({name for row in found.rows for name in row.missing_on})


def _obstacle(version: WorkflowTemplateVersion, node: Node) -> str:
    problem = what_it_lacks(version, node)
    return str(problem.message) if problem else ""


def _manifest(version: WorkflowTemplateVersion) -> Manifest | None:
    """The version's manifest; None if nobody can read it any more, which its own page says."""
    try:
        return template_of(version).manifest
    except WorkflowError:
        return None


def _page(template: WorkflowTemplate) -> str:
    return reverse("admin:workflows_workflowtemplate_change", args=[template.pk]) + "#golden"

"""The page of model files: files × nodes, what templates need, and lines that fetch what is missing."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.nodes.services import STEER
from apps.projects.reach import sees_farm
from apps.renders.proofs import NOTHING, standings
from apps.renders.stock import Matrix, downloads, matrix, needs_of, stocked_nodes, templates_named
from apps.workflows.models import WorkflowTemplate
from workflows.downloads import TOOLS, as_text

MOST_NODES: Final = 24
"""Columns of the page; a node is found by its name. Lists and tools know no bound."""

MOST_ROWS: Final = 400


@require_safe
def models_page(request: HttpRequest) -> HttpResponse:
    """Which model file lies on which node."""
    asked = _asked(request)
    found: Matrix = asked["found"]
    script = ""
    if files := downloads(found):
        script = as_text(files, asked["tool"], title=_title(found, asked["template"]))
    shown = asked["template"]
    columns = [(node, _told_once(found, place)) for place, node in enumerate(found.nodes)]
    context = {
        **admin.site.each_context(request),
        **asked,
        "title": _("Model files"),
        "columns": columns,
        "told_above": {node.pk for node, because in columns if because},
        "rows": found.rows[:MOST_ROWS],
        "hidden_rows": max(0, len(found.rows) - MOST_ROWS),
        "script": script,
        "files": files,
        "tools": TOOLS,
        "proofs": _proofs(found, shown) if shown else [],
        "may_steer": request.user.has_perm(STEER),
    }
    return TemplateResponse(request, "desk/models.html", context)


@require_safe
def models_list(request: HttpRequest) -> HttpResponse:
    """The lines that fetch what is missing, as a text file."""
    asked = _asked(request, every_node=True)
    text = as_text(downloads(asked["found"]), asked["tool"], title=_title(asked["found"], asked["template"]))
    suffix = "txt" if asked["tool"] == "aria2" else "sh"
    answer = HttpResponse(text, content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="models.{suffix}"'
    return answer


def _asked(request: HttpRequest, *, every_node: bool = False) -> dict[str, Any]:
    """What the address asks for; what nobody knows counts as nothing."""
    if not sees_farm(request):
        raise PermissionDenied
    words = {name: request.GET.get(name, "")[:120] for name in ("template", "node", "text", "tool", "show")}
    templates = templates_named()
    template = next((one for one in templates if one.slug == words["template"]), None)
    everyone = stocked_nodes()
    nodes = [node for node in everyone if words["node"] in ("", node.name)]
    nodes = [node for node in nodes if words["text"].lower() in node.name.lower()]
    shown = nodes if every_node else nodes[:MOST_NODES]
    everything = words["show"] == "all" and template is None
    found = matrix(shown, needs_of([template] if template else templates), everything=everything)
    return {
        "found": found.only_missing() if words["show"] == "missing" else found,
        "template": template,
        "templates": templates,
        "everyone": everyone,
        "nodes": shown,
        "hidden_nodes": len(nodes) - len(shown),
        "asked": words,
        "tool": words["tool"] if words["tool"] in TOOLS else TOOLS[0],
    }


def _told_once(found: Matrix, place: int) -> str:
    """Why none of a node's hashes is known, if it is the same for all: it stands in the node's heading."""
    reasons = {row.cells[place].because for row in found.rows} - {""}
    return reasons.pop() if len(reasons) == 1 else ""


def _proofs(found: Matrix, template: WorkflowTemplate) -> list[tuple[Any, Any]]:
    """How the template stands on each node shown."""
    version = template.current
    if version is None:
        return []
    known = standings(found.nodes, [version])
    return [(node, known.get((version.pk, node.pk), NOTHING)) for node in found.nodes]


def _title(found: Matrix, template: WorkflowTemplate | None) -> str:
    facts = {
        "what": template.slug if template else _("all offered templates"),
        "nodes": ", ".join(node.name for node in found.nodes) or "–",
    }
    return _("Model files of %(what)s missing on %(nodes)s") % facts

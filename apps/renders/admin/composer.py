"""A project's order of segments: a form with an example beside it that is written anew as it changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from apps.common.admin import pressed
from apps.common.errors import NotAllowed, Problem, Refused
from apps.productions.models import Shot
from apps.projects.admin_scope import ScopedAdmin
from apps.projects.models import Project
from apps.projects.reach import person_of
from apps.projects.roles import Act
from apps.prompts.models import Spoken
from apps.prompts.order import ALWAYS, FAMILIES, JOINS, ORDERS, Order, Piece, read_order
from apps.prompts.selectors import House
from apps.prompts.services import set_order
from apps.renders.services.prompting import PromptShown, show_prompts, version_for

LISTS: Final = ("positive", "person", "negative")
WITH_OTHERS: Final = "others"
"""Where a family of presets stands that has no place of its own."""
TEMPLATE: Final = "admin/projects/project/composer.html"


@dataclass(frozen=True)
class Row:
    """A piece as the form shows it. ``state``: in, out, or (a family) others."""

    piece: Piece
    place: int
    state: str
    fixed: bool
    family: bool


class OrdersPrompts(ScopedAdmin):
    """The page of a project's order of segments."""

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                "<path:object_id>/composer/",
                self.admin_site.admin_view(self.composer_view),
                name="projects_project_composer",
            )
        ]
        return own + super().get_urls()

    def composer_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the order; show it as changed, with the example; or keep it."""
        project = self.get_object(request, object_id)
        if project is None:
            raise Http404
        may_change = self.may(request, Act.MANAGE, project)
        if not self.has_view_permission(request, project) or (request.method == "POST" and not may_change):
            raise PermissionDenied
        problems: tuple[Problem, ...] = ()
        order = read_order(project.composer)
        if request.method == "POST":
            try:
                order = _order_in(request.POST)
                if pressed(request, "keep"):
                    version = request.POST.get("row_version", "")
                    set_order(
                        project,
                        order.as_json(),
                        user=person_of(request),
                        row_version=int(version) if version.isdecimal() and len(version) < 9 else -1,
                    )
                    messages.success(request, _("Prompts of this project are written in this order now."))
                    return HttpResponseRedirect(reverse("admin:projects_project_composer", args=[project.pk]))
            except Refused as refused:
                problems = refused.problems
            except NotAllowed as refused:
                raise PermissionDenied(str(refused)) from refused
        return self._show_order(request, project, order, problems, may_change=may_change)

    def _show_order(
        self,
        request: HttpRequest,
        project: Project,
        order: Order,
        problems: tuple[Problem, ...],
        *,
        may_change: bool,
    ) -> HttpResponse:
        asked = request.POST if request.method == "POST" else request.GET
        language = asked.get("language", "")
        language = language if language in ("en", "ko") else project.prompt_language
        project.refresh_from_db(fields=["row_version"])
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Order of prompts in %s") % project.code,
            "project": project,
            "order": order,
            "lists": [(name, _rows(order, name)) for name in LISTS],
            "joins": list(JOINS),
            "orders": list(ORDERS),
            "problems": problems,
            "may_change": may_change,
            "language": language,
            "examples": _examples(project, order, language),
        }
        return TemplateResponse(request, TEMPLATE, context)


def _examples(project: Project, order: Order, language: str) -> list[PromptShown]:
    """A shot with as much to say as can be found quickly, as a picture and as a video."""
    rows = Shot.objects.filter(project=project).select_related("project", "sequence")
    shot = (
        rows.filter(casting__isnull=False).order_by("order", "pk").first() or rows.order_by("order").first()
    )
    if shot is None:
        return []
    houses = {project.pk: House(language, order)}
    shown: list[PromptShown] = []
    for channel in Spoken.values:
        try:
            version = version_for(shot, channel=channel)
            shown += show_prompts(version, [shot], language=language, houses=houses, by_hand=False).values()
        except Refused:
            continue  # nothing is offered for this channel, or the shot says nothing yet
    return shown


def _rows(order: Order, name: str) -> list[Row]:
    pieces: tuple[Piece, ...] = getattr(order, name)
    rows = [
        Row(piece, place, "in" if piece.on else "out", piece.segment in ALWAYS, piece.segment in FAMILIES)
        for place, piece in enumerate(pieces, start=1)
    ]
    if name != "positive":
        return rows
    placed = {piece.segment for piece in pieces}
    unplaced = (family for family in FAMILIES if family not in placed)
    return rows + [
        Row(Piece(family), len(pieces) + more, WITH_OTHERS, fixed=False, family=True)
        for more, family in enumerate(unplaced, start=1)
    ]


def _order_in(told: Mapping[str, Any]) -> Order:
    """Read the form: a ready-made order if one was chosen just now, else the rows, a row moved if asked.

    Raises Refused with every problem.
    """
    if ready := str(told.get("ready", "")):
        return read_order({"base": ready})
    base = str(told.get("base", "shotfarm"))
    lists = {name: _pieces_in(told, name) for name in LISTS}
    if move := str(told.get("up", "")) or str(told.get("down", "")):
        name, _colon, segment = move.partition(":")
        if name in lists:
            lists[name] = _moved(lists[name], segment, -1 if told.get("up") else 1)
    document = {name: [piece.as_json() for piece in pieces] for name, pieces in lists.items() if pieces}
    return read_order({"base": base, "people": str(told.get("people", "sentence")), **document})


def _pieces_in(told: Mapping[str, Any], name: str) -> list[Piece]:
    """The rows of one list by their places; a family that stands with the others has none."""
    known = dict.fromkeys(
        key.split("-")[1] for key in told if key.startswith(f"{name}-") and key.endswith("-place")
    )
    rows: list[tuple[float, int, Piece]] = []
    for index, segment in enumerate(known):
        state = str(told.get(f"{name}-{segment}-state", "in"))
        if state == WITH_OTHERS:
            continue
        join = str(told.get(f"{name}-{segment}-join", "comma"))
        piece = Piece(segment, on=state != "out" or segment in ALWAYS, join=join)
        rows.append((_number(told.get(f"{name}-{segment}-place")), index, piece))
    return [piece for _place, _index, piece in sorted(rows, key=lambda row: row[:2])]


def _number(told: Any) -> float:
    try:
        return float(told)
    except (TypeError, ValueError):
        return float("inf")


def _moved(pieces: list[Piece], segment: str, step: int) -> list[Piece]:
    places = [place for place, piece in enumerate(pieces) if piece.segment == segment]
    if not places or not 0 <= places[0] + step < len(pieces):
        return pieces
    moved = list(pieces)
    place = places[0]
    moved[place], moved[place + step] = moved[place + step], moved[place]
    return moved

"""Home and farm: pages that read everything and own nothing."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.common.clock import database_now
from apps.common.show import TO_DO
from apps.desk import selectors
from apps.nodes.services import STEER
from apps.nodes.states import Desired
from apps.projects.reach import reach_of, sees_farm
from apps.projects.roles import Act
from apps.projects.selectors import projects_for
from apps.renders.holding import holds, uses
from apps.renders.models import FarmClock, Hold
from apps.renders.services.holds import PERMISSION as HOLD
from apps.renders.waiting import WaitLine, wait_summary

HOME_GAP = 2
"""Seconds between two looks of the same page, whatever happens meanwhile."""
PAGE_NODES = 200
"""Rows of the farm page."""
FEW_NODES, FEW_SECONDS, MANY_SECONDS = 60, 2, 5
"""A page of a few may be drawn again more often."""
MOST_WAITS = 12


def home_facts(request: HttpRequest) -> dict[str, Any]:
    """Everything the home fragment shows. Someone without a project sees that, and no farm."""
    reach = reach_of(request)
    if not reach.anywhere(Act.VIEW):
        watcher = reach.anywhere(Act.WATCH)
        return {
            "member": False,
            "watcher": watcher,
            "sees_farm": sees_farm(request),
            "gap": HOME_GAP,
        }
    nodes = selectors.farm_nodes()
    going_on = selectors.open_count(request.user)
    paused = holds()
    return {
        "member": True,
        "cards": selectors.project_cards(request.user, reach),
        "running": selectors.running_jobs(request.user),
        "troubles": selectors.troubles(request.user),
        "takes": selectors.newest_takes(request.user),
        "tiers": selectors.tier_lines(nodes, paused),
        "farm_hold": paused.get(Hold.FARM),
        "nodes": selectors.node_summary(nodes),
        "going_on": going_on,
        "gap": HOME_GAP,
    }


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's hook: what the admin's index shows."""
    return {**context, **home_facts(request), "title": _("Home")}


@require_safe
def home_fragment(request: HttpRequest) -> HttpResponse:
    """The home page's inside, again."""
    return TemplateResponse(request, "desk/home.html", home_facts(request))


def _farm_facts(request: HttpRequest) -> dict[str, Any]:
    if not sees_farm(request):
        raise PermissionDenied
    nodes = selectors.farm_nodes()
    asked = selectors.Shown(*(request.GET.get(name, "")[:120] for name in ("pool", "state", "text")))
    shown = [node for node in nodes if asked.takes(node)]
    pages = range(1, max(1, -(-len(shown) // PAGE_NODES)) + 1)
    wanted = request.GET.get("page", "")[:6]
    page = min(max(1, int(wanted)), pages[-1]) if wanted.isdecimal() else 1
    paused, clock = holds(), FarmClock.objects.filter(pk=1).first()
    return {
        "cards": selectors.node_cards(shown[(page - 1) * PAGE_NODES : page * PAGE_NODES], request.user),
        "pages": pages,
        "page": page,
        "count": len(nodes),
        "shown": len(shown),
        "asked": asked,
        "pools": selectors.pool_choices(nodes),
        "states": selectors.state_choices(nodes),
        "query": request.GET.urlencode(),
        "gap": FEW_SECONDS if len(shown) <= FEW_NODES else MANY_SECONDS,
        "tiers": selectors.lines_with_waits(nodes, paused),
        "with_waits": True,
        "farm_hold": paused.get(Hold.FARM),
        "limits": uses(),
        "may_hold": request.user.has_perm(HOLD),
        "nodes": selectors.node_summary(nodes),
        "waits": _waits(request)[:MOST_WAITS],
        "clock": clock,
        "led": clock is not None and bool(clock.led_by(database_now())),
        "may_steer": request.user.has_perm(STEER),
        "wishes": [(str(wish), str(TO_DO[wish])) for wish in Desired],
    }


def _waits(request: HttpRequest) -> list[WaitLine]:
    """Operators see what all jobs wait for; others what those of their projects do."""
    return wait_summary(None if request.user.has_perm(STEER) else projects_for(request.user))


@require_safe
def farm_page(request: HttpRequest) -> HttpResponse:
    """All nodes and GPUs, what they do, and what waits for which tier."""
    facts = _farm_facts(request)
    context = {**admin.site.each_context(request), **facts, "title": _("Farm")}
    return TemplateResponse(request, "desk/farm.html", context)


@require_safe
def farm_fragment(request: HttpRequest) -> HttpResponse:
    """The farm page's inside, again."""
    return TemplateResponse(request, "desk/farm_inside.html", _farm_facts(request))

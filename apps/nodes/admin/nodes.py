"""GPU nodes: what they say of themselves, what is concluded of them, and what we want of them.

apps.renders registers a richer page over this one, with the attempts that run there.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
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
from django.utils.translation import gettext_lazy, ngettext

from apps.common.admin import ReadOnly, say_problems
from apps.common.admin_versions import required_version
from apps.common.clock import database_now
from apps.common.collisions import again_after_collision
from apps.common.errors import NotAllowed, Problem, Refused, Stale
from apps.common.saying import say_stale
from apps.common.show import (
    NOTHING,
    chips,
    moment,
    seconds_text,
    simulated_badge,
    state_badge,
    tier_text,
)
from apps.nodes import services
from apps.nodes.admin.typed import keep_typed, typed_on
from apps.nodes.gpus import gpu_line
from apps.nodes.models import Node, Pool, Schedule
from apps.nodes.services import STEER
from apps.nodes.standing import badges, reasons
from apps.nodes.states import Desired
from apps.nodes.tags import tags_in
from apps.nodes.words import drift_sentences
from apps.projects.admin_scope import FarmAdmin, back_to
from apps.projects.reach import person_of

Deed = Callable[[HttpRequest, Node], str]
LONGEST_HOURS: Final = 7 * 24


@admin.register(Node)
class NodeAdmin(ReadOnly, FarmAdmin):
    """Nodes register themselves; people steer them (permission nodes.change_node)."""

    list_display = ("title", "condition", "wish", "tier", "place", "gpu_facts", "comfyui_version", "heard")
    list_display_links = ("title",)
    list_filter = (
        "observed",
        "desired",
        "health",
        "software_state",
        "pool",
        "schedule",
        "tier_gb",
        "simulated",
    )
    list_select_related = ("pool", "schedule")
    search_fields = ("name", "gpus__name", "tags", "pool__name")
    actions = ("activate_nodes", "drain_nodes", "pause_nodes")
    change_form_template = "admin/nodes/node/page.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        nodes = super().get_queryset(request).select_related("pool", "schedule").prefetch_related("gpus")
        long = ("classes", "models_by_folder", "software", "baseline")
        return nodes.defer(*long) if "object_id" not in self._kwargs(request) else nodes

    def get_urls(self) -> list[URLPattern]:
        deeds: dict[str, Deed] = {
            "desired": self._steer,
            "note": self._note,
            "place": self._place,
            "hours": self._hours,
            "bound": self._bound,
            "well": self._well,
            "software": self._software,
        }
        own = [
            path(
                f"<path:object_id>/{name}/",
                self.admin_site.admin_view(self._button(deed)),
                name=f"nodes_node_{name}",
            )
            for name, deed in deeds.items()
        ]
        return own + super().get_urls()

    def has_steer_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """May steer nodes (for actions' ``permissions=``)."""
        return request.user.has_perm(STEER)

    def may_restore(self, request: HttpRequest, row: Any) -> bool:
        return request.user.has_perm(STEER)  # there is no form of it, and it has a history all the same

    @admin.action(description=gettext_lazy("Activate"), permissions=["steer"])
    def activate_nodes(self, request: HttpRequest, nodes: QuerySet[Node]) -> None:
        self._steer_many(request, nodes, Desired.ACTIVE)

    @admin.action(description=gettext_lazy("Drain"), permissions=["steer"])
    def drain_nodes(self, request: HttpRequest, nodes: QuerySet[Node]) -> None:
        self._steer_many(request, nodes, Desired.DRAINING)

    @admin.action(description=gettext_lazy("Pause"), permissions=["steer"])
    def pause_nodes(self, request: HttpRequest, nodes: QuerySet[Node]) -> None:
        self._steer_many(request, nodes, Desired.PAUSED)

    @staticmethod
    def _steer_many(request: HttpRequest, nodes: QuerySet[Node], desired: Desired) -> None:
        wish = again_after_collision(services.set_desired)
        moved = sum(wish(node, desired, user=person_of(request)) for node in nodes)
        told = ngettext(
            "%(count)d node is to be %(desired)s; it hears so with its next report.",
            "%(count)d nodes are to be %(desired)s; they hear so with their next reports.",
            moved,
        )
        messages.success(request, told % {"count": moved, "desired": desired.label})

    def _button(self, deed: Deed) -> Callable[..., HttpResponse]:
        """Answer a button: check method and permission, do it, say the sentence it returns, go back."""

        def view(request: HttpRequest, object_id: str) -> HttpResponse:
            if request.method != "POST":
                return HttpResponseNotAllowed(["POST"])
            if not request.user.has_perm(STEER):
                raise PermissionDenied
            node = get_object_or_404(Node.objects.defer("classes", "models_by_folder"), pk=object_id)
            try:
                messages.success(request, again_after_collision(deed)(request, node))
            except Stale:
                say_stale(request)  # the page shows what, and what was typed beside it
                keep_typed(request, node)
            except Refused as refused:
                say_problems(request, refused)
                keep_typed(request, node)
            except NotAllowed as refused:
                messages.error(request, str(refused))
            return HttpResponseRedirect(back_to(request, reverse("admin:nodes_node_change", args=[node.pk])))

        return view

    @staticmethod
    def _steer(request: HttpRequest, node: Node) -> str:
        desired = request.POST.get("desired", "")
        if desired not in Desired.values:
            told = _("not a wish; choose one of %(offered)s") % {"offered": ", ".join(Desired.values)}
            raise Refused(Problem("desired", desired, told))
        reason = request.POST.get("reason", "").strip()
        services.set_desired(node, desired, user=person_of(request), reason=reason)
        return _("%(node)s is to be %(desired)s; it hears so with its next report.") % {
            "node": node.name,
            "desired": Desired(desired).label,
        }

    @staticmethod
    def _note(request: HttpRequest, node: Node) -> str:
        user = person_of(request)
        with services.at_version(node, required_version(request), "note", user=user):
            services.set_note(node, request.POST.get("note", ""), user=user)
        return _("The note on %(node)s is written.") % {"node": node.name}

    @staticmethod
    def _place(request: HttpRequest, node: Node) -> str:
        place: services.Place = {
            "pool": _named(Pool, "pool", request),
            "schedule": _named(Schedule, "schedule", request),
            "tags": tags_in(request.POST.get("tags", "")),
        }
        user = person_of(request)
        with services.at_version(node, required_version(request), *place, user=user):
            services.assign(node, user=user, **place)
        return _("%(node)s has its place.") % {"node": node.name}

    @staticmethod
    def _hours(request: HttpRequest, node: Node) -> str:
        asked = request.POST.get("hours", "").strip()
        if not asked:
            services.work_until(node, None, user=person_of(request))
            return _("%(node)s works as its schedule says.") % {"node": node.name}
        if not asked.isdecimal() or not 1 <= int(asked) <= LONGEST_HOURS:
            told = _("write hours from 1 to %d, or nothing") % LONGEST_HOURS
            raise Refused(Problem("hours", asked, told))
        until = database_now() + timedelta(hours=int(asked))
        services.work_until(node, until, user=person_of(request))
        return _("%(node)s works until %(until)s.") % {"node": node.name, "until": moment(until)}

    @staticmethod
    def _bound(request: HttpRequest, node: Node) -> str:
        asked = request.POST.get("prove_minutes", "").strip()
        low, high = settings.MIN_PROVE_MINUTES, settings.MAX_PROVE_MINUTES
        if asked and not (asked.isascii() and asked.isdecimal() and len(asked) < 9):
            told = _("write minutes from %(low)d to %(high)d, or nothing") % {"low": low, "high": high}
            raise Refused(Problem("prove_minutes", asked, told))
        user = person_of(request)
        with services.at_version(node, required_version(request), "prove_minutes", user=user):
            services.bound_golden_renders(node, int(asked) if asked else None, user=user)
        return _("Golden renders on %(node)s are given up as you say.") % {"node": node.name}

    @staticmethod
    def _well(request: HttpRequest, node: Node) -> str:
        services.say_well(node, user=person_of(request))
        return _("%(node)s is given work again.") % {"node": node.name}

    @staticmethod
    def _software(request: HttpRequest, node: Node) -> str:
        services.accept_software(node, user=person_of(request))
        return _("What runs on %(node)s is what should run there.") % {"node": node.name}

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        node: Node = context["original"]
        may = request.user.has_perm(STEER)
        typed = typed_on(request, node)
        context |= {
            "may_steer": may,
            "wishes": [wish for wish in Desired if wish != node.desired] if may else [],
            "pools": Pool.objects.all() if may else (),
            "schedules": Schedule.objects.all() if may else (),
            "tags": tags_in(node.tags),
            "typed": typed.fields,
            "meanwhile": typed.meanwhile,
            "reasons": reasons(node, database_now()),
            "drift": drift_sentences(node.drift),
            "prove_minutes": settings.PROVE_MINUTES,
            "models_count": sum(len(names) for names in node.models_by_folder.values()),
        }
        return super().render_change_form(request, context, *args, **kwargs)

    @staticmethod
    def _kwargs(request: HttpRequest) -> dict[str, Any]:
        return request.resolver_match.kwargs if request.resolver_match else {}

    @admin.display(description=gettext_lazy("node"), ordering="name")
    def title(self, node: Node) -> SafeString:
        return format_html("{} {}", node.name, simulated_badge() if node.simulated else "")

    @admin.display(description=gettext_lazy("state"), ordering="observed")
    def condition(self, node: Node) -> SafeString:
        told = format_html_join(
            "", '<div class="sf-why">{}</div>', ((one,) for one in reasons(node, timezone.now()))
        )
        return format_html("{}{}", badges(node), told)

    @admin.display(description=gettext_lazy("wanted"), ordering="desired")
    def wish(self, node: Node) -> SafeString:
        return state_badge(node.desired, node.get_desired_display())

    @admin.display(description=gettext_lazy("tier"), ordering="tier_gb")
    def tier(self, node: Node) -> str:
        return tier_text(node.tier_gb)

    @admin.display(description=gettext_lazy("pool and tags"), ordering="pool")
    def place(self, node: Node) -> SafeString:
        pool = node.pool.name if node.pool else ""
        return format_html("{} {}", pool, chips(tags_in(node.tags))) if pool or node.tags else NOTHING

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


def _named(model: type[Any], field: str, request: HttpRequest) -> Any:
    """The row a form names; None for nothing. Raises Refused for one that is not there."""
    name = request.POST.get(field, "")
    if not name:
        return None
    row = model.objects.filter(name=name).first()
    if row is None:
        known = ", ".join(model.objects.values_list("name", flat=True)) or "–"
        raise Refused(Problem(field, name, _("there is none of this name; known are %s") % known))
    return row

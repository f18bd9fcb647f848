"""Memory needs: what is declared, what was learned, and on what evidence."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.common.admin import ReadOnly
from apps.common.models import StateEvent
from apps.common.show import NOTHING, badge, gb_text, seconds_text, tier_text
from apps.projects.admin_filters import MyProjects
from apps.projects.admin_scope import FarmAdmin, back_to
from apps.projects.reach import person_of
from apps.renders.memory import ENOUGH, Sample, applying_to
from apps.renders.models import Need, NeedTier
from apps.renders.services.needs import EDIT, NEED, forget, shape_of, told_of


@admin.register(Need)
class NeedAdmin(ReadOnly, FarmAdmin):
    """Nobody edits a need: it is learned. An operator may make the farm forget (renders.change_need)."""

    list_display = ("shape", "declared", "now", "tries", "told")
    list_display_links = ("shape",)
    list_select_related = ("template_version__template",)
    list_filter = (("template_version__template", MyProjects), "precision", "learned", "tier_gb")
    search_fields = ("template_version__template__slug", "precision")
    ordering = (
        "template_version__template__slug",
        "-template_version__number",
        "precision",
        "width",
        "frames",
    )
    actions = ("forget_them",)
    change_form_template = "admin/renders/need/page.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("template_version__graph", "template_version__manifest")

    def dress(self, rows: list[Any], request: HttpRequest) -> None:
        by_need: dict[Any, list[NeedTier]] = {}
        for told in NeedTier.objects.filter(need__in=rows).order_by("tier_gb"):
            by_need.setdefault(told.need_id, []).append(told)
        for row in rows:
            row.told_tiers = by_need.get(row.pk, [])

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.forget_view)
        return [
            path("<path:object_id>/forget/", view, name="renders_need_forget"),
            *super().get_urls(),
        ]

    def has_forget_permission(self, request: HttpRequest) -> bool:
        """May make the farm forget (for the action's ``permissions=``)."""
        return bool(request.user.has_perm(EDIT))

    def forget_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer Forget."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_forget_permission(request):
            raise PermissionDenied
        need = self.get_object(request, object_id)
        if need is None:
            raise Http404
        forget(Need.objects.filter(pk=need.pk), user=person_of(request))
        messages.success(request, _("What was learned of %(need)s is forgotten.") % {"need": need})
        return HttpResponseRedirect(back_to(request, reverse("admin:renders_need_change", args=[need.pk])))

    @admin.action(description=gettext_lazy("Forget what was learned"), permissions=["forget"])
    def forget_them(self, request: HttpRequest, needs: QuerySet[Need]) -> None:
        done = forget(Need.objects.filter(pk__in=needs.values("pk")), user=person_of(request))
        said = ngettext("%(count)d need is as declared.", "%(count)d needs are as declared.", done)
        messages.success(request, said % {"count": done})

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        need: Need = context["original"]
        applying = applying_to(shape_of(need), told_of(need))
        tiers = list(need.tiers.order_by("tier_gb"))
        for row in tiers:
            row.spread = _sample(row).spread  # type: ignore[attr-defined]
        context |= {
            "tiers": tiers,
            "by_others": [
                (tier, applying.successes.get(tier, 0), applying.ooms.get(tier, 0))
                for tier in sorted(applying.successes.keys() | applying.ooms.keys())
            ],
            "enough": ENOUGH,
            "declared": _declaration(need),
            "too_small": any(row.ooms and row.tier_gb == need.declared_tier_gb for row in tiers),
            "may_forget": self.has_forget_permission(request),
            "asks": request.GET.get("forget") == "ask",
            "story": StateEvent.objects.filter(machine=NEED.name, subject=need.pk).order_by("-id")[:20],
        }
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=gettext_lazy("what"), ordering="template_version__template__slug")
    def shape(self, need: Need) -> SafeString:
        frames = f" × {need.frames}" if need.frames > 1 else ""
        size = f"{need.width} × {need.height}{frames}"
        return format_html("{} {}<br><small>{}</small>", need.template_version, need.precision, size)

    @admin.display(description=gettext_lazy("declared"), ordering="declared_gb")
    def declared(self, need: Need) -> str:
        return f"{need.declared_gb:g} GB → {tier_text(need.declared_tier_gb)}"

    @admin.display(description=gettext_lazy("goes to"), ordering="tier_gb")
    def now(self, need: Need) -> SafeString:
        learned = badge(_("learned"), "green") if need.learned else ""
        return format_html("{} {}", tier_text(need.tier_gb), learned)

    @admin.display(description=gettext_lazy("would try"), ordering="explore_gb")
    def tries(self, need: Need) -> str:
        return NOTHING if need.explore_gb is None else tier_text(need.explore_gb)

    @admin.display(description=gettext_lazy("on cards of"))
    def told(self, need: Any) -> SafeString:
        lines = [(_line(row),) for row in need.told_tiers]
        return format_html_join("", "<div>{}</div>", lines) or format_html("{}", NOTHING)


def _line(row: NeedTier) -> str:
    sample = _sample(row)
    parts = [
        tier_text(row.tier_gb),
        ngettext("%(count)d render", "%(count)d renders", row.successes) % {"count": row.successes},
    ]
    if row.ooms:
        parts.append(_("%(count)d out of memory") % {"count": row.ooms})
    if sample.count:
        parts.append(f"{seconds_text(sample.mean)} ± {seconds_text(sample.spread)}")
    if row.peak_mib:
        parts.append(_("peak %(memory)s") % {"memory": gb_text(row.peak_mib)})
    return " · ".join(parts)


def _sample(row: NeedTier) -> Sample:
    return Sample(row.successes, row.seconds_mean, row.seconds_m2)


def _declaration(need: Need) -> dict[str, Any] | None:
    """The manifest's row this need was read from; None where a person asked for another figure."""
    rows: list[dict[str, Any]] = need.template_version.manifest.get("vram", [])
    pixels = need.width * need.height
    return next(
        (
            row
            for row in rows
            if (row["precision"], row["gb"]) == (need.precision, need.declared_gb)
            and row["max_pixels"] >= pixels
            and row.get("max_frames", 1) >= need.frames
        ),
        None,
    )

"""The shot pages with what was rendered: thumbnails, newest jobs, takes, and the Render action."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.common.admin import say_problems
from apps.common.errors import NotAllowed, Refused
from apps.common.show import NOTHING, badge, no_picture, thumbnail
from apps.productions.admin import ShotAdmin
from apps.productions.admin_list import in_gallery
from apps.productions.models import Shot
from apps.projects.reach import person_of
from apps.projects.roles import Act
from apps.renders import cells
from apps.renders.admin.material import HoldsMaterial
from apps.renders.admin.press_render import may_render, page_for, render_view
from apps.renders.admin.prompts import ShowsPrompts
from apps.renders.admin.recommendations import advice_shown
from apps.renders.models import Job
from apps.renders.services.recommending import decide, recommend
from apps.renders.stage_boxes import boxes, boxes_of
from apps.renders.workflow_cells import workflow_cell, workflows_of
from apps.review.gallery import by_stage, media_url, newest_clip, newest_of, newest_thumbnail
from apps.review.models import Playlist
from apps.review.stale import is_stale, stale_shots, standing_stale, why_stale
from apps.sheets.admin_shots import ExportsShots

admin.site.unregister(Shot)


class StaleFilter(admin.SimpleListFilter):
    """Shots for which a take stands that is made of what does not go on any more."""

    title = gettext_lazy("stale")
    parameter_name = "stale"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", gettext_lazy("stale"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Shot]) -> QuerySet[Shot]:
        return stale_shots(queryset) if self.value() == "1" else queryset


@admin.register(Shot)
class RenderedShotAdmin(HoldsMaterial, ShowsPrompts, ExportsShots, ShotAdmin):
    """Select shots, press Render."""

    list_display = (
        *("picture", "name", "rank", "what", "cast", "place", "weather", "used_presets", "workflow"),
        *("length", "condition", "stages", "people", "newest_job", "note"),
    )
    list_display_links = ("picture", "name")
    list_filter_sheet = True  # the width is for the columns
    list_after_template = "admin/productions/shot/follow.html"
    change_form_outer_before_template = "admin/productions/shot/strip.html"
    list_filter = (*ShotAdmin.list_filter, StaleFilter)
    actions = ("render_shots", "recommend_for", "playlist_of", *ShotAdmin.actions, "export_shots")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        newest = Job.objects.filter(shot=OuterRef("pk")).order_by("-created_at").values("pk")[:1]
        rows: QuerySet[Any] = super().get_queryset(request)
        told: dict[str, Any] = {"_thumb": newest_thumbnail(), "_job": Subquery(newest), "_stale": is_stale()}
        if in_gallery(request):
            told["_clip"] = newest_clip()
        counted: QuerySet[Any] = rows.annotate(**told)
        return counted

    def dress(self, rows: list[Any], request: HttpRequest) -> None:
        super().dress(rows, request)
        last = Job.objects.filter(pk__in=[row._job for row in rows if row._job])
        jobs = {job.pk: job for job in cells.dress(last.select_related("template_version__template"))}
        keys = [row.pk for row in rows]
        found, workflows = boxes_of(keys), workflows_of(keys)
        reader = person_of(request)
        for row in rows:
            row.newest = jobs.get(row._job)
            row.stage_boxes = boxes(row.pk, found)
            row.workflow = workflow_cell(workflows.get(row.pk), row.newest)
            row.thumb_url = media_url(row._thumb, reader) if row._thumb else ""
            clip = getattr(row, "_clip", None)
            row.clip_url = media_url(clip, reader) if clip else ""

    def pictures_of(self, shots: Sequence[Shot], request: HttpRequest) -> Mapping[UUID, str]:
        keys = [shot.pk for shot in shots]
        found = Shot.objects.filter(pk__in=keys).annotate(_thumb=newest_thumbnail()).exclude(_thumb=None)
        reader = person_of(request)
        return {key: media_url(thumb, reader) for key, thumb in found.values_list("pk", "_thumb")}

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("render/", view(self.render_page), name="productions_shot_render"),
            path(
                "<path:object_id>/recommendation/",
                view(self.recommendation_view),
                name="productions_shot_recommendation",
            ),
            path("<path:object_id>/render/", view(self.render_one), name="productions_shot_render_one"),
        ]
        return own + super().get_urls()

    @admin.action(description=gettext_lazy("Render…"), permissions=["render"])
    def render_shots(self, request: HttpRequest, shots: QuerySet[Shot]) -> HttpResponse:
        return page_for(self, request, list(shots.values_list("pk", flat=True)))

    @admin.action(description=gettext_lazy("Recommend a workflow"), permissions=["edit"])
    def recommend_for(self, request: HttpRequest, shots: QuerySet[Shot]) -> None:
        """Work out and keep what is recommended for the selected shots, and say what came of it."""
        rows = list(shots.prefetch_related(None).select_related("project", "sequence"))
        try:
            advice = recommend(rows, user=person_of(request))
        except Refused as refused:
            say_problems(request, refused)
            return
        except NotAllowed as refused:
            messages.error(request, str(refused))
            return
        counted = Counter(one.template or _("nothing") for one in advice.values())
        told = ", ".join(f"{count} × {template}" for template, count in counted.most_common())
        messages.success(request, _("Recommended: %(told)s.") % {"told": told})

    @admin.action(description=gettext_lazy("Playlist…"), permissions=["review_all"])
    def playlist_of(self, request: HttpRequest, shots: QuerySet[Shot]) -> HttpResponse:
        """Ask which takes of the selected shots make a playlist."""
        page: Any = self.admin_site.get_model_admin(Playlist)
        answer: HttpResponse = page.ask_of_shots(request, shots.prefetch_related(None))
        return answer

    def recommendation_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer accept, override and withdraw."""

        def deed(shot: Shot) -> str:
            row = decide(
                shot,
                user=person_of(request),
                template=request.POST.get("template", "").strip(),
                withdraw=request.POST.get("withdraw") == "1",
            )
            if not row.decision:
                return _("The decision is taken back.")
            return _("%(shot)s will be rendered with %(template)s.") % {
                "shot": shot.full_code,
                "template": row.chosen,
            }

        return self.perform(request, object_id, Act.PLAN, deed)

    def render_page(self, request: HttpRequest) -> HttpResponse:
        """Show the form again with a preview or errors, or submit it."""
        if request.method != "POST":
            return HttpResponseRedirect(reverse("admin:productions_shot_changelist"))
        return render_view(self, request)

    def render_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Open the form for one shot."""
        return page_for(self, request, [object_id])

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        shot = context.get("original")
        if shot is not None:
            jobs = Job.objects.filter(shot=shot).select_related("template_version__template", "batch")
            context["stale_takes"] = [
                (take, why_stale(take))
                for take in standing_stale().filter(shot=shot).select_related("shot__sequence")
            ]
            takes = newest_of(shot.pk, at_most=36)
            context["shot_takes"] = by_stage(takes)
            context["newest_take"] = takes[0] if takes else None
            context["shot_jobs"] = cells.dress(jobs.order_by("-created_at")[:20])
            # as it is kept: this one may hold what was typed and refused
            context["recommended"] = advice_shown(Shot.objects.select_related("project").get(pk=shot.pk))
            context["may_decide"] = self.may(request, Act.PLAN, shot)
            context["may_render"] = may_render(self, request, [shot]) and shot.status.renderable
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=gettext_lazy("status"), ordering="status__order")
    def condition(self, shot: Any) -> SafeString:
        shown = super().condition(shot)
        return format_html("{}{}", shown, badge(_("stale"), "amber")) if shot._stale else shown

    @admin.display(description="")
    def picture(self, shot: Any) -> SafeString:
        shown = thumbnail(shot.thumb_url, shot.full_code) if shot.thumb_url else no_picture()
        if not shot.clip_url:
            return shown
        return format_html('<span class="sf-clip" data-clip="{}">{}</span>', shot.clip_url, shown)

    @admin.display(description=gettext_lazy("workflow"))
    def workflow(self, shot: Any) -> SafeString:
        drawn: SafeString = shot.workflow
        return drawn

    @admin.display(description=gettext_lazy("stages"))
    def stages(self, shot: Any) -> SafeString:
        drawn: SafeString = shot.stage_boxes
        return drawn

    @admin.display(description=gettext_lazy("newest job"))
    def newest_job(self, shot: Any) -> SafeString:
        return cells.cell("state", shot.newest) if shot.newest else NOTHING

"""Takes: what came back, to look at and decide about."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.common.admin import ReadOnly
from apps.common.errors import NotAllowed, Refused
from apps.common.show import (
    link,
    moment,
    no_picture,
    seconds_text,
    simulated_badge,
    spoken,
    state_badge,
    thumbnail,
)
from apps.projects.admin_scope import MyProjects, ScopedAdmin
from apps.projects.reach import person_of
from apps.projects.roles import Act
from apps.review.conforming import lengths_of
from apps.review.gallery import media_url, newest_of, with_files
from apps.review.models import Take
from apps.review.services import review_take
from apps.review.stale import why_stale
from apps.review.states import REVIEW, Review
from apps.workflows.models import Kind

VERDICTS = (Review.APPROVED, Review.RETAKE, Review.REJECTED)


class KindFilter(admin.SimpleListFilter):
    """Keyframe, clip or slate, in the reader's language: the row keeps the plain word."""

    title = gettext_lazy("kind")
    parameter_name = "kind__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Kind.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Take]) -> QuerySet[Take]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(Take)
class TakeAdmin(ReadOnly, ScopedAdmin):
    """A gallery of what came back. Deciding takes the right to review."""

    list_display = (
        "picture",
        "name",
        "what",
        "media_now",
        "verdict",
        "template",
        "seed",
        "node",
        "took",
        "made",
    )
    list_display_links = ("picture", "name")
    list_select_related = ("shot__sequence", "shot__project")
    list_filter = (
        ("project", MyProjects),
        ("shot__sequence", MyProjects),
        "review_state",
        "media_state",
        KindFilter,
        "template",
        "simulated",
    )
    search_fields = ("shot__code", "shot__sequence__code", "template", "node")
    ordering = ("-created_at",)
    list_filter_sheet = True  # the width is for the columns
    actions: tuple[str, ...] = ("approve", "ask_retake", "reject")
    change_form_template = "admin/review/take/page.html"
    shot_path = "shot"
    stage_path = "stage"

    def dress(self, rows: list[Any], request: HttpRequest) -> None:
        with_files(rows)
        for row in rows:
            row.thumb_url = media_url(row.thumb.pk, person_of(request)) if row.thumb else ""

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                "<path:object_id>/review/",
                self.admin_site.admin_view(self.review_view),
                name="review_take_review",
            )
        ]
        return own + super().get_urls()

    def review_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer approve, retake and reject."""

        def deed(take: Take) -> str | None:
            to = request.POST.get("to", "")
            if to not in VERDICTS:
                messages.error(request, _("“%(to)s” is no verdict.") % {"to": to})
                return None
            decided = review_take(
                take, to=to, user=person_of(request), note=request.POST.get("note", "").strip()
            )
            if not decided:
                return _("Somebody else was quicker; see the verdict now.")
            return _("%(take)s: %(verdict)s.") % {"take": take, "verdict": Review(to).label}

        return self.perform(request, object_id, Act.REVIEW, deed)

    @admin.action(description=gettext_lazy("Approve"), permissions=["review"])
    def approve(self, request: HttpRequest, takes: QuerySet[Take]) -> None:
        self._review_all(request, takes, Review.APPROVED)

    @admin.action(description=gettext_lazy("Ask for a retake"), permissions=["review"])
    def ask_retake(self, request: HttpRequest, takes: QuerySet[Take]) -> None:
        self._review_all(request, takes, Review.RETAKE)

    @admin.action(description=gettext_lazy("Reject"), permissions=["review"])
    def reject(self, request: HttpRequest, takes: QuerySet[Take]) -> None:
        self._review_all(request, takes, Review.REJECTED)

    def _review_all(self, request: HttpRequest, takes: QuerySet[Take], to: Review) -> None:
        done = 0
        for take in takes:
            if to not in REVIEW.moves[take.review_state] or not self.may(request, Act.REVIEW, take):
                continue
            try:
                done += review_take(take, to=to, user=person_of(request))
            except (Refused, NotAllowed) as refused:
                messages.error(request, f"{take}: {refused}")
        messages.success(request, _("%(done)d takes: %(verdict)s.") % {"done": done, "verdict": to.label})

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        take = context["original"]
        with_files([take])
        may = self.may(request, Act.REVIEW, take)
        context["verdicts"] = [to for to in VERDICTS if to in REVIEW.moves[take.review_state]] if may else []
        context["stale"] = why_stale(take)
        context["lengths"] = lengths_of(take, take.original) if take.original else None
        context["siblings"] = [other for other in newest_of(take.shot_id, at_most=24) if other.pk != take.pk]
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="")
    def picture(self, take: Any) -> SafeString:
        return thumbnail(take.thumb_url, str(take)) if take.thumb_url else no_picture()

    @admin.display(description=gettext_lazy("take"), ordering="shot__code")
    def name(self, take: Take) -> SafeString:
        mark = simulated_badge() if take.simulated else ""
        return format_html(
            "{}<br><small>{} {} {}</small>", take.shot.full_code, Kind(take.kind).label, take.number, mark
        )

    @admin.display(description=gettext_lazy("shot"))
    def what(self, take: Take) -> SafeString:
        address = reverse("admin:productions_shot_change", args=[take.shot_id])
        return link(address, spoken(take.shot, "description") or take.shot.full_code)

    @admin.display(description=gettext_lazy("media"), ordering="media_state")
    def media_now(self, take: Take) -> SafeString:
        return state_badge(take.media_state, take.get_media_state_display())

    @admin.display(description=gettext_lazy("review"), ordering="review_state")
    def verdict(self, take: Take) -> SafeString:
        return state_badge(take.review_state, take.get_review_state_display())

    @admin.display(description=gettext_lazy("made"), ordering="created_at")
    def made(self, take: Take) -> str:
        return moment(take.created_at)

    @admin.display(description=gettext_lazy("render time"), ordering="render_seconds")
    def took(self, take: Take) -> str:
        return seconds_text(take.render_seconds)

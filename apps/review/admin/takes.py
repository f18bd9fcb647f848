"""Takes: what came back, to look at and decide about."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.common.admin import ReadOnly, say_problems
from apps.common.errors import NotAllowed, Refused
from apps.common.searching import SearchesByWords, pointing_at
from apps.common.show import (
    NOTHING,
    badge,
    link,
    moment,
    no_picture,
    seconds_text,
    simulated_badge,
    spoken,
    state_badge,
    thumbnail,
)
from apps.nodes.models import Node
from apps.productions.finding import shots_named
from apps.projects.admin_filters import MyProjects
from apps.projects.reach import person_of, reach_of
from apps.projects.roles import Act
from apps.projects.stages import Stage
from apps.review.admin.looking import compare_address, compare_page, context_page
from apps.review.admin.verdicts import VERDICTS, JudgesTakes
from apps.review.conforming import lengths_of
from apps.review.gallery import media_url, newest_of, with_files
from apps.review.models import Playlist, Take
from apps.review.models.playlists import MOST_ITEMS
from apps.review.numbering import number_of
from apps.review.selectors import IN_ORDER, notes_for, open_note_counts
from apps.review.services import select_take, unselect_take
from apps.review.services.playlists import create_playlist
from apps.review.stale import why_stale
from apps.review.states import REVIEW
from apps.workflows.models import Kind, WorkflowTemplate


class KindFilter(admin.SimpleListFilter):
    """Keyframe, clip or slate, in the reader's language: the row keeps the plain word."""

    title = gettext_lazy("kind")
    parameter_name = "kind__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Kind.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Take]) -> QuerySet[Take]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class TemplateFilter(admin.SimpleListFilter):
    """By template, of those there are: half a million takes are not asked which they have."""

    title = gettext_lazy("template")
    parameter_name = "template"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        if not reach_of(request).anywhere(Act.VIEW):
            return []  # clients are not told what it is made with
        slugs = WorkflowTemplate.objects.order_by("slug").values_list("slug", flat=True)
        return [(slug, slug) for slug in slugs]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Take]) -> QuerySet[Take]:
        asked = self.value()
        return queryset.filter(template__startswith=f"{asked} ") if asked else queryset


def new_playlist(request: HttpRequest, takes: list[Take]) -> Playlist | None:
    """Make a playlist of takes of one project; say why not, and return None."""
    if len({take.project_id for take in takes}) != 1:
        messages.error(request, _("Select takes of one project to make a playlist."))
        return None
    codes = list(dict.fromkeys(take.shot.sequence.code for take in takes))
    name = f"{', '.join(codes[:3])}{' …' if len(codes) > 3 else ''} {moment(timezone.now())}"
    try:
        return create_playlist(project=takes[0].project, user=person_of(request), name=name, takes=takes)
    except Refused as refused:
        say_problems(request, refused)
    except NotAllowed as refused:
        messages.error(request, str(refused))
    return None


@admin.register(Take)
class TakeAdmin(SearchesByWords, ReadOnly, JudgesTakes):
    """A gallery of what came back. Deciding takes the right to review."""

    list_display = (
        "picture",
        "name",
        "what",
        "media_now",
        "verdict",
        "said",
        "template",
        "seed",
        "node",
        "took",
        "made",
    )
    list_display_links = ("picture", "name")
    list_filter = (
        ("project", MyProjects),
        ("shot__sequence", MyProjects),
        "stage",
        "selected",
        "review_state",
        "media_state",
        KindFilter,
        TemplateFilter,
        "simulated",
    )
    search_fields = ("shot__code", "shot__sequence__code", "template", "node")
    ordering = ("-created_at",)
    list_filter_sheet = True  # the width is for the columns
    actions: tuple[str, ...] = ("compare", "approve", "ask_retake", "reject", "make_playlist")
    change_form_template = "admin/review/take/page.html"
    shot_path = "shot"
    stage_path = "stage"

    def holding(self, word: str) -> Q:
        """A take's shot; the template it was made with ("v3": its version); the node that made it."""
        found = pointing_at("shot", shots_named(word))
        for slug in WorkflowTemplate.objects.filter(slug__icontains=word).values_list("slug", flat=True):
            found |= Q(template__startswith=f"{slug} ")
        if re.fullmatch(r"v\d+", word):
            found |= Q(template__endswith=f" {word}")
        nodes = list(Node.objects.filter(name__icontains=word).values_list("name", flat=True))
        return found | Q(node__in=nodes) if nodes else found

    def dress(self, rows: list[Any], request: HttpRequest) -> None:
        with_files(rows)
        notes = open_note_counts([row.pk for row in rows])
        for row in rows:
            row.open_notes = notes.get(row.pk, 0)
            row.thumb_url = media_url(row.thumb.pk, person_of(request)) if row.thumb else ""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("compare/", view(self.compare_view), name="review_take_compare"),
            path("<path:object_id>/context/", view(self.context_view), name="review_take_context"),
            path("<path:object_id>/select/", view(self.select_view), name="review_take_select"),
        ]
        return own + super().get_urls()

    def select_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer Select, and taking it back."""

        def deed(take: Take) -> str:
            back = request.POST.get("selected") == "0"
            done = (unselect_take if back else select_take)(take, person_of(request))
            if not done:
                return _("%(take)s stays as it was.") % {"take": take}
            words = _("%(take)s is selected no longer.") if back else _("%(take)s is selected.")
            return words % {"take": take}

        return self.perform(request, object_id, Act.REVIEW, deed)

    def compare_view(self, request: HttpRequest) -> HttpResponse:
        """Show takes side by side."""
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        return compare_page(self, request)

    def context_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show a take between the shots before and after."""
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        take = self.get_object(request, object_id)
        if take is None:
            raise Http404
        return context_page(self, request, take)

    @admin.action(description=gettext_lazy("Compare"))
    def compare(self, request: HttpRequest, takes: QuerySet[Take]) -> HttpResponse:
        keys = list(takes.order_by("created_at").values_list("pk", flat=True)[:2])
        if (count := takes.count()) > len(keys):
            told = _("Two takes are compared at a time: these are the oldest of the %(count)d selected.")
            messages.warning(request, told % {"count": count})
        return HttpResponseRedirect(compare_address(keys))

    @admin.action(description=gettext_lazy("New playlist"), permissions=["review_all"])
    def make_playlist(self, request: HttpRequest, takes: QuerySet[Take]) -> HttpResponse | None:
        """Make a playlist of what is selected, in the order of the film, and open it."""
        rows = list(takes.select_related(*self.list_select_related).order_by(*IN_ORDER)[: MOST_ITEMS + 1])
        made = new_playlist(request, rows)
        return HttpResponseRedirect(reverse("admin:review_playlist_change", args=[made.pk])) if made else None

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        take = context["original"]
        with_files([take])
        may = self.may(request, Act.REVIEW, take)
        context["verdicts"] = [to for to in VERDICTS if to in REVIEW.moves[take.review_state]] if may else []
        context["may_select"] = may
        context["notes"] = notes = list(notes_for(request.user, take.notes.filter(reply_to=None))[:50])
        for note in notes:
            note.number = number_of(take, note.frame)  # type: ignore[attr-defined]  # carried to the page
        context["open_notes"] = sum(note.resolved_at is None for note in notes)
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
        star = badge(_("selected"), "amber") if take.selected else ""
        told = (take.shot.full_code, Stage(take.stage).label, take.number, star, mark)
        return format_html("{}<br><small>{} {} {} {}</small>", *told)

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

    @admin.display(description=gettext_lazy("open notes"))
    def said(self, take: Any) -> SafeString | str:
        return str(take.open_notes) if take.open_notes else NOTHING

    @admin.display(description=gettext_lazy("made"), ordering="created_at")
    def made(self, take: Take) -> str:
        return moment(take.created_at)

    @admin.display(description=gettext_lazy("render time"), ordering="render_seconds")
    def took(self, take: Take) -> str:
        return seconds_text(take.render_seconds)

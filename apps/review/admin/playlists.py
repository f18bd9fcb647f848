"""Playlists: listed, made, looked at, put in order, shared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.common.admin import say_problems
from apps.common.admin_forms import become
from apps.common.admin_versions import required_version
from apps.common.errors import Problem, Refused
from apps.common.show import NOTHING, badge, moment
from apps.productions.models import Shot
from apps.projects.admin_filters import MyProjects
from apps.projects.reach import person_of, reach_of
from apps.projects.roles import Act
from apps.projects.selectors import projects_for
from apps.projects.stages import Stage
from apps.review.admin.of_shots import WHICH, MakesOfShots
from apps.review.links import address_of
from apps.review.models import ClientLink, Playlist, ReviewNote, Take
from apps.review.models.playlists import MOST_ITEMS
from apps.review.noted import notes_csv
from apps.review.playing import Opening, viewer_for
from apps.review.selectors import looked_at, open_note_counts, playlists_for, takes_of_shots
from apps.review.services.dailies import make_dailies
from apps.review.services.playlists import (
    add_takes,
    create_playlist,
    delete_playlist,
    duplicate,
    update_playlist,
)
from apps.review.services.sharing import USUAL_DAYS, create_link, revoke_link


@admin.register(Playlist)
class PlaylistAdmin(MakesOfShots):
    """Takes to look at together. Making, ordering and sharing take the right to review."""

    view_act = Act.WATCH
    add_act = Act.REVIEW
    change_act = Act.REVIEW
    delete_act = Act.REVIEW
    list_display = ("title", "project", "what", "take_count", "open_notes", "seen_by", "made")
    list_select_related = ("project",)
    list_filter = (("project", MyProjects), "kind", "for_clients")
    search_fields = ("name", "description")
    ordering = ("-created_at",)
    fields = ("project", "name", "description", "for_clients")
    change_form_template = "admin/review/playlist/page.html"
    list_before_template = "admin/review/playlist/dailies.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Playlist]:
        return playlists_for(request.user, super().get_queryset(request))

    def dress(self, rows: list[Any], request: HttpRequest) -> None:
        keys = [row.pk for row in rows]
        counts = dict(
            Playlist.objects.filter(pk__in=keys).order_by().values_list("pk").annotate(count=Count("items"))
        )
        open_links = ClientLink.objects.filter(playlist=OuterRef("pk"), revoked_at=None, expires_at__gt=Now())
        shared = set(Playlist.objects.filter(Exists(open_links), pk__in=keys).values_list("pk", flat=True))
        notes = dict(
            ReviewNote.objects.filter(take__places__playlist__in=keys, resolved_at=None, reply_to=None)
            .order_by()
            .values_list("take__places__playlist")
            .filter(take__places__playlist__in=keys)
            .annotate(count=Count("pk", distinct=True))
        )
        for row in rows:
            row.take_total = counts.get(row.pk, 0)
            row.shared = row.pk in shared
            row.note_total = notes.get(row.pk, 0)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("dailies/", view(self.dailies_view), name="review_playlist_dailies"),
            path("<path:object_id>/do/", view(self.do_view), name="review_playlist_do"),
            path("<path:object_id>/notes/", view(self.notes_view), name="review_playlist_notes"),
        ]
        return own + super().get_urls()

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        able = list(projects_for(request.user, Act.REVIEW).filter(archived=False).order_by("code")[:50])
        return super().changelist_view(request, {**(extra_context or {}), "dailies_of": able})

    def save_model(self, request: HttpRequest, obj: Playlist, form: Any, change: bool) -> None:
        told = {name: getattr(obj, name) for name in ("name", "description", "for_clients")}
        if change:
            update_playlist(obj, user=person_of(request), row_version=None, **told)
        else:
            become(obj, create_playlist(project=obj.project, user=person_of(request), **told))

    def delete_model(self, request: HttpRequest, obj: Playlist) -> None:
        delete_playlist(obj, user=person_of(request), row_version=obj.row_version)

    def dailies_view(self, request: HttpRequest) -> HttpResponse:
        """Make today's dailies of a project, or add to them, and open them."""
        back = HttpResponseRedirect(reverse("admin:review_playlist_changelist"))
        if request.method != "POST":
            return back
        project = projects_for(request.user).filter(code=request.POST.get("project", "")).first()
        if project is None:
            raise Http404
        if not reach_of(request).may(Act.REVIEW, project.pk):
            raise PermissionDenied
        try:
            made, new = make_dailies(project, user=person_of(request))
        except Refused as refused:
            say_problems(request, refused)
            return back
        words = ngettext("%(count)d new take in the dailies.", "%(count)d new takes in the dailies.", new)
        messages.success(request, words % {"count": new})
        return HttpResponseRedirect(self.address_of(made))

    def notes_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Send what was said as a table."""
        playlist = self.get_object(request, object_id)
        if playlist is None:
            raise Http404
        return notes_csv(playlist, person_of(request))

    def do_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer the buttons of a playlist's page."""
        made: list[Playlist] = []

        def deed(playlist: Playlist) -> str | None:
            deeds: dict[str, Callable[[], str | None]] = {
                "change": lambda: self._change(request, playlist),
                "add": lambda: self._add(request, playlist),
                "duplicate": lambda: self._duplicate(request, playlist, made),
                "share": lambda: self._share(request, playlist),
                "revoke": lambda: self._revoke(request, playlist),
            }
            todo = deeds.get(request.POST.get("do", ""))
            if todo is None:
                told = _("choose one of: %s") % ", ".join(deeds)
                raise Refused(Problem("do", request.POST.get("do", ""), told))
            return todo()

        answer = self.perform(request, object_id, Act.REVIEW, deed)
        return HttpResponseRedirect(self.address_of(made[0])) if made else answer

    def _change(self, request: HttpRequest, playlist: Playlist) -> str:
        update_playlist(
            playlist,
            user=person_of(request),
            row_version=required_version(request),
            name=request.POST.get("name", ""),
            description=request.POST.get("description", "").strip()[:2000],
            for_clients=request.POST.get("for_clients") == "1",
        )
        return _("Saved.")

    def _add(self, request: HttpRequest, playlist: Playlist) -> str:
        stage, which = request.POST.get("stage", ""), request.POST.get("which", "latest")
        if stage not in Stage.values:
            raise Refused(Problem("stage", stage, _("choose one of: %s") % ", ".join(Stage.values)))
        said = request.POST.get("shots", "").replace(",", " ").split()
        if len(said) > MOST_ITEMS:
            told = _("write at most %(most)d codes at a time") % {"most": MOST_ITEMS}
            raise Refused(Problem("shots", str(len(said)), told, code="too_many"))
        if not said:
            raise Refused(
                Problem("shots", "", _("write codes of sequences or shots, such as SQ010 SQ020_SH0040"))
            )
        found = Q()
        for code in said:
            sequence, _line, shot = code.partition("_")
            found |= Q(sequence__code=sequence, code=shot) if shot else Q(sequence__code=sequence)
        shots = Shot.objects.filter(found, project=playlist.project_id).values_list("pk", flat=True)
        takes = list(takes_of_shots(shots, stage=stage, which=which))
        new = add_takes(playlist, takes, user=person_of(request))
        return _("%(new)d takes added, %(there)d were there already.") % {
            "new": new,
            "there": len(takes) - new,
        }

    def _duplicate(self, request: HttpRequest, playlist: Playlist, made: list[Playlist]) -> str:
        made.append(duplicate(playlist, user=person_of(request)))
        return _("This is the copy.")

    def _share(self, request: HttpRequest, playlist: Playlist) -> str:
        days = request.POST.get("days", "")
        create_link(
            playlist,
            user=person_of(request),
            label=request.POST.get("label", ""),
            days=int(days) if days.isdigit() else 0,
            password=request.POST.get("password", ""),
            may_comment=request.POST.get("may_comment") == "1",
        )
        return _("The link is made: copy its address below.")

    def _revoke(self, request: HttpRequest, playlist: Playlist) -> str:
        said = request.POST.get("link", "")
        link = next((one for one in playlist.links.all() if str(one.pk) == said), None)
        if link is None:
            raise Refused(Problem("link", said, _("this playlist has no such link")))
        revoke_link(link, user=person_of(request))
        return _("The link leads nowhere any more.")

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        playlist = context.get("original")
        if playlist is not None:
            self._dress_page(request, context, playlist)
        return super().render_change_form(request, context, *args, **kwargs)

    def _dress_page(self, request: HttpRequest, context: Any, playlist: Playlist) -> None:
        places = playlist.items.values_list("take", flat=True)
        rows = {take.pk: take for take in looked_at(Take.objects.filter(pk__in=places))}
        takes: list[Any] = [rows[pk] for pk in places if pk in rows]
        may = self.may(request, Act.REVIEW, playlist)
        notes = open_note_counts([take.pk for take in takes])
        for take in takes:
            take.open_notes = notes.get(take.pk, 0)
            take.stage_label = Stage(take.stage).label
        told = playlist.links.select_related("made_by").prefetch_related("guests")
        links: list[Any] = list(told) if may else []
        for link in links:
            link.url = request.build_absolute_uri(address_of(link))
        context |= {
            "takes": takes,
            "viewer": viewer_for(
                takes, reader=person_of(request), opening=Opening(reel=True), playlist=playlist
            ),
            "may_review": may,
            "links": links,
            "stages": Stage.choices,
            "which": WHICH,
            "usual_days": USUAL_DAYS,
            "title": playlist.name,
        }

    @admin.display(description=gettext_lazy("playlist"), ordering="name")
    def title(self, playlist: Playlist) -> str:
        return playlist.name

    @admin.display(description=gettext_lazy("kind"), ordering="kind")
    def what(self, playlist: Playlist) -> SafeString:
        return badge(playlist.get_kind_display(), "teal" if playlist.day else "grey")

    @admin.display(description=gettext_lazy("takes"))
    def take_count(self, playlist: Any) -> int:
        total: int = playlist.take_total
        return total

    @admin.display(description=gettext_lazy("open notes"))
    def open_notes(self, playlist: Any) -> SafeString | str:
        return str(playlist.note_total) if playlist.note_total else NOTHING

    @admin.display(description=gettext_lazy("seen by"))
    def seen_by(self, playlist: Any) -> SafeString:
        if playlist.shared:
            return badge(_("by a link"), "amber")
        return badge(_("clients"), "green") if playlist.for_clients else NOTHING

    @admin.display(description=gettext_lazy("made"), ordering="created_at")
    def made(self, playlist: Playlist) -> str:
        return moment(playlist.created_at)

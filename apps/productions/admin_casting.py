"""The casting grid: who is in which shot of a sequence, an episode or a selection, on one page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.common.ids import uuid_in
from apps.productions.breakdown import CAST_OF, columns, rows_of
from apps.productions.models import Episode, Shot
from apps.productions.models import Sequence as ShotSequence
from apps.projects.admin_choices import label_of
from apps.projects.admin_scope import ScopedAdmin
from apps.projects.models import Project
from apps.projects.picker import FILTER, PROJECT_OF_PAGE
from apps.projects.reach import person_of
from apps.projects.roles import Act
from apps.projects.selectors import projects_for

AT_ONCE: Final = 250
"""Shots on one page."""
MOST_SELECTED: Final = 200
"""Shots whose keys an address holds."""

_NONE: Final = UUID(int=0)


class CastsShots(ScopedAdmin):
    """Whoever plans shots casts many of them on one page; whoever reads them sees it."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.casting_page)
        return [path("casting/", view, name="productions_shot_casting"), *super().get_urls()]

    def pictures_of(self, shots: Sequence[Shot], request: HttpRequest) -> Mapping[UUID, str]:
        """The address of each shot's picture, where it has any."""
        return {}

    @admin.action(description=gettext_lazy("Casting…"), permissions=["view"])
    def cast_shots(self, request: HttpRequest, shots: QuerySet[Shot]) -> HttpResponse | None:
        """Open the grid of the selected shots."""
        found = shots.order_by().prefetch_related(None).values_list("pk", "project", "sequence")
        keys = list(found[: MOST_SELECTED + 1])
        sequences = {sequence for _key, _project, sequence in keys}
        if len({project for _key, project, _sequence in keys}) > 1:
            messages.error(request, _("Select shots of one project, then cast them."))
            return None
        if len(keys) > MOST_SELECTED and len(sequences) > 1:
            told = _("Select at most %(most)d shots, or open the casting of a sequence.")
            messages.error(request, told % {"most": MOST_SELECTED})
            return None
        asked = {"shots": ",".join(key.hex for key, _project, _sequence in keys)}
        if len(keys) > MOST_SELECTED:
            asked = {"sequence": str(*sequences)}
            told = _("More than %(most)d shots are selected: this is the casting of their whole sequence.")
            messages.info(request, told % {"most": MOST_SELECTED})
        return HttpResponseRedirect(f"{reverse('admin:productions_shot_casting')}?{urlencode(asked)}")

    def casting_page(self, request: HttpRequest) -> HttpResponse:
        """Show the grid; what is written there goes over HTTP (api:shots-casting)."""
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = _Asked(request)
        project = asked.project
        if project is None:
            told = _("Casting is done by sequence: choose a project above, or Casting beside one.")
            messages.info(request, told)
            return HttpResponseRedirect(reverse("admin:productions_sequence_changelist"))
        setattr(request, PROJECT_OF_PAGE, project.pk)
        if len(asked.keys) > MOST_SELECTED:
            told = _("The address names %(count)d shots: the first %(most)d of them are shown.")
            messages.warning(request, told % {"count": len(asked.keys), "most": MOST_SELECTED})
        page = asked.page
        found = list(asked.shots[page * AT_ONCE : (page + 1) * AT_ONCE + 1])
        shots, more = found[:AT_ONCE], len(found) > AT_ONCE
        context = {
            **self.admin_site.each_context(request),
            "title": _("Casting: %(what)s") % {"what": asked.title},
            "project": project,
            "asked": asked,
            "told": json.dumps(self._told(request, project, shots)),
            "words": json.dumps(_words()),
            "count": len(shots),
            "before": asked.address(page - 1) if page else "",
            "after": asked.address(page + 1) if more else "",
        }
        return TemplateResponse(request, "admin/productions/shot/casting.html", context)

    def _told(self, request: HttpRequest, project: Project, shots: Sequence[Shot]) -> dict[str, Any]:
        """All that the grid is told."""
        self.learn(request, shots)
        pictures = self.pictures_of(shots, request)
        rows = rows_of(shots)
        for shot, row in zip(shots, rows, strict=True):
            row["may"] = not shot.locked_by and self.may(request, Act.PLAN, shot)
            row["picture"] = pictures.get(shot.pk, "")
            row["url"] = reverse("admin:productions_shot_change", args=[shot.pk])
        return {
            "project": project.code,
            "characters": columns(project, [shot.pk for shot in shots], reader=person_of(request)),
            "shots": rows,
            "save": reverse("api:shots-casting"),
            "undo": reverse("api:bulk-change-preview", args=[_NONE]),
        }


class _Asked:
    """Which shots the address names: of a sequence, an episode, a selection, or a film's first sequence."""

    def __init__(self, request: HttpRequest) -> None:
        self.projects = projects_for(request.user)
        self.sequence: ShotSequence | None = None
        self.episode: Episode | None = None
        self.keys = [key for key in map(uuid_in, request.GET.get("shots", "").split(",")) if key]
        number = request.GET.get("p", "")
        self.page = int(number) if number.isascii() and number.isdecimal() and len(number) < 5 else 0
        self.project: Project | None = self._find(request)
        self.shots = self._rows()

    def _rows(self) -> QuerySet[Shot]:
        rows = Shot.objects.filter(project=self.project) if self.project else Shot.objects.none()
        if self.keys:
            rows = rows.filter(pk__in=self.keys[:MOST_SELECTED])
        elif self.episode is not None:
            rows = rows.filter(sequence__episode=self.episode)
        else:
            rows = rows.filter(sequence=self.sequence)
        rows = rows.select_related("sequence", "project").prefetch_related(*CAST_OF)
        return rows.order_by("sequence__order", "sequence__code", "order", "code", "pk")

    def _find(self, request: HttpRequest) -> Project | None:
        """The project of what is named. Raises Http404 for what is not there, or not the person's."""
        if self.keys:
            first = Shot.objects.filter(pk__in=self.keys, project__in=self.projects).select_related("project")
            shot: Shot = _there(first.order_by("pk").first())
            return shot.project
        if "episode" in request.GET:
            rows = Episode.objects.filter(pk=_key(request, "episode"), project__in=self.projects)
            self.episode = _there(rows.select_related("project").first())
            return self.episode.project
        if "sequence" in request.GET:
            found = ShotSequence.objects.filter(pk=_key(request, "sequence"))
            self.sequence = _there(found.filter(project__in=self.projects).select_related("project").first())
            return self.sequence.project
        project = self.projects.filter(pk=_key(request, FILTER)).first()
        if project is not None:
            self.sequence = ShotSequence.objects.filter(project=project).order_by("order", "code").first()
        return project

    @property
    def title(self) -> str:
        """What is shown."""
        if self.keys:
            return _("selected shots")
        shown = self.episode or self.sequence
        return label_of(shown) if shown is not None else "–"

    @property
    def choices(self) -> list[tuple[str, str, bool]]:
        """What of this project may be turned to: address, words, whether it is shown."""
        there = []
        for name, model in (("episode", Episode), ("sequence", ShotSequence)):
            rows = model.objects.filter(project=self.project).order_by("order", "code")
            shown = getattr(self, name)
            there += [(f"?{name}={row.pk}", label_of(row), row == shown) for row in rows]
        return there

    def address(self, page: int) -> str:
        """The address of another page of it."""
        asked = {"p": str(page)} if page else {}
        if self.keys:
            asked["shots"] = ",".join(key.hex for key in self.keys)
        elif self.episode is not None:
            asked["episode"] = str(self.episode.pk)
        elif self.sequence is not None:
            asked["sequence"] = str(self.sequence.pk)
        return f"?{urlencode(asked)}"


def _key(request: HttpRequest, name: str) -> UUID:
    return uuid_in(request.GET.get(name, "")) or _NONE


def _there(row: Any) -> Any:
    if row is None:
        raise Http404
    return row


def _words() -> dict[str, str]:
    """What the grid says, in the reader's language."""
    return {
        "shot": _("shot"),
        "default": _("default costume"),
        "several": _("several"),
        "noCostume": _("no costume"),
        "archived": _("archived"),
        "lockedBy": _("%(user)s locked this shot; unlock it to change its plan"),
        "notYours": _("You may not plan this shot."),
        "save": _("Save"),
        "saved": _("Saved shots: %(count)s."),
        "same": _("Nothing was changed."),
        "undo": _("Undo"),
        "undone": _("Taken back."),
        "stale": _("Somebody changed these casts after you opened them, so nothing is saved yet."),
        "theirs": _("there now"),
        "mine": _("typed here"),
        "keep": _("Keep mine"),
        "take": _("Take theirs"),
        "nobody": _("nobody"),
        "refused": _("Not so: nothing has been changed"),
        "copied": _("Copied: the cast of %(shot)s."),
        "nothingCopied": _("Copy the cast of a shot first."),
        "chosen": _("Chosen cells: %(count)s, cast: %(cast)s"),
        "unsaved": _("Shots changed, not saved yet: %(count)s"),
        "mixed": _("Choose cells of one character to change costumes."),
    }

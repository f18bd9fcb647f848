"""A playlist of the takes of shots that were selected in their list."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.common.errors import Refused
from apps.productions.models import Shot
from apps.projects.admin_scope import ScopedAdmin
from apps.projects.models import Project
from apps.projects.reach import person_of, reach_of
from apps.projects.roles import Act
from apps.projects.stages import Stage
from apps.review.selectors import takes_of_shots
from apps.review.services.playlists import create_playlist

WHICH = (("latest", gettext_lazy("the newest take")), ("selected", gettext_lazy("the selected take")))


class OfShots(forms.Form):
    """Which takes of the selected shots a playlist is made of."""

    shots = forms.CharField(widget=forms.HiddenInput)
    name = forms.CharField(label=gettext_lazy("name"), max_length=120)
    stage = forms.ChoiceField(label=gettext_lazy("stage"), choices=Stage.choices, initial=Stage.CLIP)
    which = forms.ChoiceField(label=gettext_lazy("takes"), choices=WHICH)


MOST_SHOTS: Final = 2_000
"""Shots whose takes may be asked for at a time; how many takes a playlist holds, its service says."""


def _sent_back(request: HttpRequest, shots: list[Shot]) -> HttpResponse:
    """Say why these shots make no playlist; nothing is done then."""
    told = _("Select shots of one project to make a playlist.")
    if len(shots) > MOST_SHOTS:
        told = _("Select at most %(most)d shots at a time; nothing was done.") % {"most": MOST_SHOTS}
    messages.error(request, told)
    return HttpResponseRedirect(reverse("admin:productions_shot_changelist"))


class MakesOfShots(ScopedAdmin):
    """Whoever reviews a whole film makes playlists of selected shots."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.of_shots_view)
        return [path("of-shots/", view, name="review_playlist_of_shots"), *super().get_urls()]

    def of_shots_view(self, request: HttpRequest) -> HttpResponse:
        """Make a playlist of the takes of shots that were selected in a list."""
        if request.method != "POST":
            return HttpResponseRedirect(reverse("admin:productions_shot_changelist"))
        form = OfShots(request.POST)
        keys = [key for key in request.POST.get("shots", "").split(",") if key]
        shots = self._shots(request, keys[: MOST_SHOTS + 1])
        project = self._only_project(shots)
        if project is None:
            return _sent_back(request, shots)
        if not reach_of(request).may(Act.REVIEW, project.pk):
            raise PermissionDenied
        if not form.is_valid():
            return self._ask_of_shots(request, form, shots)
        told = form.cleaned_data
        takes = list(takes_of_shots([shot.pk for shot in shots], stage=told["stage"], which=told["which"]))
        if not takes:
            form.add_error("stage", _("None of these shots has such a take."))
            return self._ask_of_shots(request, form, shots)
        try:
            made = create_playlist(project=project, user=person_of(request), name=told["name"], takes=takes)
        except Refused as refused:
            for problem in refused.problems:
                form.add_error(None, str(problem))
            return self._ask_of_shots(request, form, shots)
        return HttpResponseRedirect(self.address_of(made))

    def ask_of_shots(self, request: HttpRequest, shots: QuerySet[Shot]) -> HttpResponse:
        """Open the form for shots that were selected."""
        rows = list(shots.select_related("sequence", "project")[: MOST_SHOTS + 1])
        if self._only_project(rows) is None:
            return _sent_back(request, rows)
        codes = list(dict.fromkeys(shot.sequence.code for shot in rows))
        form = OfShots(
            initial={"shots": ",".join(str(shot.pk) for shot in rows), "name": ", ".join(codes)[:100]}
        )
        return self._ask_of_shots(request, form, rows)

    def _ask_of_shots(self, request: HttpRequest, form: OfShots, shots: list[Shot]) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": ngettext("A playlist of %(count)d shot", "A playlist of %(count)d shots", len(shots))
            % {"count": len(shots)},
            "form": form,
            "shots": shots,
        }
        return TemplateResponse(request, "admin/review/playlist/of_shots.html", context)

    def _shots(self, request: HttpRequest, keys: list[str]) -> list[Shot]:
        page: Any = self.admin_site.get_model_admin(Shot)
        try:
            return list(
                Shot.objects.filter(pk__in=page.get_queryset(request).filter(pk__in=keys).values("pk"))
                .select_related("sequence", "project")
                .order_by("sequence__order", "order", "code")
            )
        except (ValueError, forms.ValidationError):
            return []

    @staticmethod
    def _only_project(shots: list[Shot]) -> Project | None:
        """The project of these shots; None where they are of several, of none, or more than are taken."""
        projects = {shot.project_id: shot.project for shot in shots}
        return next(iter(projects.values())) if len(projects) == 1 and len(shots) <= MOST_SHOTS else None

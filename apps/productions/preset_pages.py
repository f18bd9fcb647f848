"""The page that gives presets or a look to shots: what each shot gains and loses first, then the press."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.common.admin import pressed
from apps.common.admin_forms import name_choices
from apps.common.errors import NotAllowed, Problem, Refused
from apps.common.ids import uuid_in
from apps.common.show import spoken
from apps.presets.models import CinematicPreset, Look
from apps.presets.picker import PickedPresets
from apps.presets.selectors import looks_for
from apps.presets.words import shown_in, terms_in_words
from apps.productions.admin_done import say_done
from apps.productions.models import Shot
from apps.productions.preset_apply import (
    MOST_SHOTS,
    ApplyPlan,
    Mode,
    apply_presets,
    plan_presets,
    presets_of_look,
)
from apps.projects.admin_scope import ScopedAdmin
from apps.projects.reach import person_of
from apps.projects.roles import Act

TEMPLATE: Final = "admin/productions/shot/presets.html"
SHOWN: Final = 100
"""Shots whose change is told in full; the others are counted."""


class GiveForm(forms.Form):
    """Which presets, and what becomes of those that are there."""

    shots = forms.CharField(widget=forms.HiddenInput())
    token = forms.CharField(widget=forms.HiddenInput(), required=False)
    look = forms.ModelChoiceField(
        Look.objects.none(),
        required=False,
        label=gettext_lazy("look"),
        empty_label=gettext_lazy("none, the presets below"),
        widget=UnfoldAdminSelectWidget(),
    )
    mode = forms.ChoiceField(
        choices=Mode.choices, initial=Mode.ADD, label=gettext_lazy("how"), widget=UnfoldAdminSelectWidget()
    )
    reason = forms.CharField(
        required=False,
        max_length=300,
        label=gettext_lazy("why preset rules are set aside"),
        widget=UnfoldAdminTextInputWidget(),
    )
    picked = PickedPresets()

    def __init__(self, *args: Any, project: UUID, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        look, picked = self.fields["look"], self.fields["picked"]
        if isinstance(look, forms.ModelChoiceField) and isinstance(picked, PickedPresets):
            look.queryset = looks_for(project)
            name_choices(look, _look_label)
            picked.about(project, [])

    def presets(self) -> list[CinematicPreset]:
        """The look's presets, then those picked beside it."""
        look: Look | None = self.cleaned_data["look"]
        given = presets_of_look(look) if look else []
        return given + [preset for preset in self.cleaned_data["picked"] if preset not in given]


def open_page(page: ScopedAdmin, request: HttpRequest, ids: Iterable[object]) -> HttpResponse:
    """Show the form for the selected shots; say so where they are too many."""
    keys = list(ids)
    if len(keys) > MOST_SHOTS:
        messages.error(request, _("at most %d shots at a time") % MOST_SHOTS)
        return HttpResponseRedirect(reverse("admin:productions_shot_changelist"))
    shots = _shots(page, request, keys)
    if (wrong := _not_together(shots)) is not None:
        messages.error(request, wrong)
        return HttpResponseRedirect(reverse("admin:productions_shot_changelist"))
    _require_all(page, request, shots)
    first = {"shots": ",".join(str(shot.pk) for shot in shots)}
    return _show(page, request, GiveForm(initial=first, project=shots[0].project_id), shots)


def presets_view(page: ScopedAdmin, request: HttpRequest) -> HttpResponse:
    """Preview, or do it and go back to the shots."""
    if request.method != "POST":
        return HttpResponseRedirect(reverse("admin:productions_shot_changelist"))
    shots = _shots(page, request, request.POST.get("shots", "").split(","))
    if (wrong := _not_together(shots)) is not None:
        messages.error(request, wrong)
        return HttpResponseRedirect(reverse("admin:productions_shot_changelist"))
    _require_all(page, request, shots)
    form = GiveForm(request.POST, project=shots[0].project_id)
    if not form.is_valid():
        return _show(page, request, form, shots)
    asked: dict[str, Any] = {
        "mode": form.cleaned_data["mode"],
        "user": person_of(request),
        "reason": form.cleaned_data["reason"],
    }
    try:
        if pressed(request, "apply"):
            done = apply_presets(shots, form.presets(), token=form.cleaned_data["token"], **asked)
            say_done(request, done.changed, [done.batch] if done.batch else [])
            return HttpResponseRedirect(reverse("admin:productions_shot_changelist"))
        plan = plan_presets(shots, form.presets(), **asked)
    except Refused as refused:
        return _show(page, request, form, shots, problems=refused.problems)
    except NotAllowed as refused:
        raise PermissionDenied(str(refused)) from refused
    return _show(page, request, form, shots, plan=plan, problems=plan.problems)


def _show(
    page: ScopedAdmin,
    request: HttpRequest,
    form: GiveForm,
    shots: list[Shot],
    *,
    plan: ApplyPlan | None = None,
    problems: Iterable[Problem] = (),
) -> HttpResponse:
    changing = plan.changing if plan else []
    told = changing[:SHOWN]
    words = terms_in_words((one for row in told for one in row.broken), shots[0].project_id)
    context: dict[str, Any] = {
        **page.admin_site.each_context(request),
        "title": ngettext("Presets for %(count)d shot", "Presets for %(count)d shots", len(shots))
        % {"count": len(shots)},
        "form": form,
        "media": form.media,
        "shots": shots,
        "asked": form.is_bound,
        "problems": list(problems)[:SHOWN],
        "token": plan.token if plan else "",
        "changing": len(changing),
        "same": len(shots) - len(changing),
        "more": max(0, len(changing) - SHOWN),
        "rows": [
            {
                "shot": row.shot.full_code,
                "lost": [spoken(preset, "name") for preset in row.lost],
                "gained": [spoken(preset, "name") for preset in row.gained],
                "rules": shown_in(words, row.broken),
            }
            for row in told
        ],
    }
    return TemplateResponse(request, TEMPLATE, context)


def _shots(page: ScopedAdmin, request: HttpRequest, ids: Iterable[object]) -> list[Shot]:
    """The shots of these ids that the person sees, in the film's order."""
    keys = [key for key in map(uuid_in, ids) if key is not None]
    rows = page.get_queryset(request).filter(pk__in=keys).prefetch_related(None)
    rows = rows.select_related("sequence__project", "project", "location")
    return list(rows.order_by("sequence__order", "sequence__code", "order", "code"))


def _require_all(page: ScopedAdmin, request: HttpRequest, shots: list[Shot]) -> None:
    page.learn(request, shots)
    if not all(page.may(request, Act.PLAN, shot) for shot in shots):
        raise PermissionDenied


def _not_together(shots: list[Shot]) -> str | None:
    if not shots:
        return _("None of the selected shots is there any more.")
    if len({shot.project_id for shot in shots}) > 1:
        return _("The selected shots belong to several projects; select shots of one project.")
    return None


def _look_label(look: Look) -> str:
    parts = [spoken(part.preset, "name") for part in look.look_presets.all()]
    return f"{spoken(look, 'name')}: {', '.join(parts)}"

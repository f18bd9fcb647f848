"""Change many shots at once on their list: choose shots, choose what to set, see what it does, do it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from apps.common.admin import pressed
from apps.common.errors import NotAllowed, Refused
from apps.ledger import words
from apps.productions.admin_done import say_done
from apps.productions.assigning import assignable
from apps.productions.bulk import BulkChange, change_shots
from apps.productions.models import MAX_FRAMES, Location, Shot, TimeOfDay, Weather
from apps.projects.admin_choices import label_of
from apps.projects.admin_scope import ScopedAdmin
from apps.projects.models import MOST_HANDLES, Project
from apps.projects.reach import person_of

SHOWN: Final = 200
"""Shots whose changes a preview shows."""


_EMPTY: Final[tuple[Any, ...]] = (None, "", [])


class BulkForm(forms.Form):
    """What may be set for many shots. Only what is ticked is set, so that a field can be emptied as well."""

    location = forms.ModelChoiceField(
        Location.objects.none(),
        label=gettext_lazy("location"),
        required=False,
        empty_label="–",
        to_field_name="code",
        widget=UnfoldAdminSelectWidget(),
    )
    weather = forms.ChoiceField(
        label=gettext_lazy("weather"),
        required=False,
        choices=[("", "–"), *Weather.choices],
        widget=UnfoldAdminSelectWidget(),
    )
    time_of_day = forms.ChoiceField(
        label=gettext_lazy("time of day"),
        required=False,
        choices=[("", "–"), *TimeOfDay.choices],
        widget=UnfoldAdminSelectWidget(),
    )
    frames = forms.IntegerField(
        label=gettext_lazy("frames"),
        required=False,
        min_value=1,
        max_value=MAX_FRAMES,
        widget=UnfoldAdminIntegerFieldWidget(),
    )
    handles = forms.IntegerField(
        label=gettext_lazy("handles (frames)"),
        required=False,
        min_value=0,
        max_value=MOST_HANDLES,
        widget=UnfoldAdminIntegerFieldWidget(),
    )
    seed = forms.IntegerField(
        label=gettext_lazy("seed"), required=False, min_value=0, widget=UnfoldAdminIntegerFieldWidget()
    )
    assignees = forms.MultipleChoiceField(
        label=gettext_lazy("assigned to"), required=False, widget=UnfoldAdminSelectMultipleWidget()
    )
    negative = forms.CharField(
        label=gettext_lazy("negative text"),
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )
    notes = forms.CharField(
        label=gettext_lazy("notes"), required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places: Any = self.fields["location"]
        places.queryset = Location.objects.filter(project=project)
        places.label_from_instance = label_of
        people: Any = self.fields["assignees"]
        people.choices = [(one.username, one.get_full_name() or one.username) for one in assignable(project)]

    @property
    def ticked(self) -> list[str]:
        """The names of what shall be set."""
        sent: Any = self.data
        return [name for name in sent.getlist("set") if name in self.fields]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.ticked:
            self.add_error(None, _("Tick what shall be set."))
        for name in self.fields.keys() - {*self.ticked, *self.errors}:
            if data.get(name) not in _EMPTY and self.ticked:
                self.add_error(name, _("Tick this to set it for all, or empty it."))
        for name in {"frames", "handles"} & set(self.ticked):
            if data.get(name) is None and name not in self.errors:
                self.add_error(name, _("Write a number of frames."))
        return data

    def values(self) -> dict[str, Any]:
        """What is set, as documents write it."""
        data = self.cleaned_data
        told = {name: data[name] for name in self.ticked}
        if "location" in told:
            told["location"] = told["location"].code if told["location"] else None
        return told

    def rows(self) -> list[dict[str, Any]]:
        """Each field with its tick, for the page."""
        ticked = self.ticked if self.is_bound else []
        return [{"field": field, "ticked": field.name in ticked} for field in self]


class ChangesMany(ScopedAdmin):
    """Whoever plans shots changes many of them at once."""

    @admin.action(description=gettext_lazy("Change…"), permissions=["edit"])
    def change_shots(self, request: HttpRequest, shots: QuerySet[Shot]) -> HttpResponse | None:
        """Ask what is set; show what it does; do it as one bulk change, which can be undone."""
        projects = list(Project.objects.filter(pk__in=shots.order_by().values("project"))[:2])
        if len(projects) != 1:
            messages.error(request, _("Select shots of one project, then change them."))
            return None
        asked = any(pressed(request, button) for button in ("preview", "apply"))
        form = BulkForm(request.POST if asked else None, project=projects[0])
        done: BulkChange | None = None
        versions: dict[UUID, int | None] = dict(shots.order_by().values_list("pk", "row_version"))
        if asked and form.is_valid():
            keep, seen = pressed(request, "apply"), request.POST.get("seen", "")
            if keep and seen and seen != _digest(versions):
                told = _("the shots have changed since this was shown; look at it again")
                form.add_error(None, told)
                keep = False
            done = self._change(request, projects[0], versions, form, keep=keep)
            if done is not None and done.batch is not None:
                return HttpResponseRedirect(request.get_full_path())
        count = len(versions)
        context = {
            **self.admin_site.each_context(request),
            "title": ngettext("Change %(count)d shot", "Change %(count)d shots", count) % {"count": count},
            "form": form,
            "done": done,
            "seen": _digest(versions) if done else "",
            "preview": _shown(done) if done else [],
            "hidden": max(0, len(done.changed) - SHOWN) if done else 0,
            "ticked": request.POST.getlist(helpers.ACTION_CHECKBOX_NAME),
            "across": request.POST.get("select_across", "0"),
            "back": request.get_full_path(),
            "action_checkbox_name": helpers.ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/productions/shot/bulk.html", context)

    def _change(
        self,
        request: HttpRequest,
        project: Project,
        versions: Mapping[UUID, int | None],
        form: BulkForm,
        *,
        keep: bool,
    ) -> BulkChange | None:
        try:
            done = change_shots(project, versions, form.values(), user=person_of(request), preview=not keep)
        except Refused as refused:
            for problem in refused.problems[:5]:
                name = problem.field.partition("[")[0]
                form.add_error(name if name in form.fields else None, str(problem.message))
            return None
        except NotAllowed as refused:
            form.add_error(None, str(refused))
            return None
        if keep and done.batch is not None:
            say_done(request, len(done.changed), [done.batch])
        return done


def _digest(versions: Mapping[UUID, int | None]) -> str:
    """Name exactly these shots, as they are now: what is applied is what was shown."""
    rows = sorted((key.hex, version) for key, version in versions.items())
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def _shown(done: BulkChange) -> list[dict[str, Any]]:
    names = words.Names()
    return [
        {
            "label": one.label,
            "fields": [
                (words.field_text("shot", name), words.diff("shot", name, old, new, names))
                for name, (old, new) in one.changes.items()
            ],
        }
        for one in done.changed[:SHOWN]
    ]

"""Edit a shot in its list: one cell is opened, what was typed is saved, the row is drawn anew.

What somebody else changed after the cell was opened is not overwritten: it shows whose change, and keeps what
was typed.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from django import forms
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, QueryDict
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.templatetags.unfold_list import results

from apps.common.admin_versions import VERSION, Meanwhile, version_sent
from apps.common.collisions import again_after_collision
from apps.common.errors import Conflict, NotAllowed, Problem, Refused, Stale
from apps.common.ids import uuid_in
from apps.common.show import spoken
from apps.ledger.services.versions import require_unchanged
from apps.productions.admin_picks import FIELD, PEOPLE, PICKS, PickForm, keys_in, offer_of
from apps.productions.editing import amend_shot
from apps.productions.models import Location, Shot
from apps.productions.services import move_shot_status, statuses_from
from apps.projects.admin_choices import label_of
from apps.projects.admin_scope import ScopedAdmin
from apps.projects.reach import person_of, reach_of
from apps.projects.roles import Act

STATUS: Final = "condition"
"""The cell of the status, which moves by the shot's machine and stays open in a locked shot."""
CELLS: Final[dict[str, tuple[str, ...]]] = {
    "what": ("description", "description_ko"),
    "place": ("location",),
    "weather": ("weather", "time_of_day"),
    "length": ("frames", "handles"),
    "note": ("notes",),
}
"""Column → the fields that its cell edits."""
ALL: Final = (*CELLS, STATUS, *PICKS)
MEANWHILE: Final = gettext_lazy("Somebody else changed this after you opened it, so nothing is saved yet.")
_ONE_ROW: Final = "_shotfarm_one_row"


class CellForm(forms.ModelForm[Shot]):
    """The fields of one cell; what was not sent is left as it is."""

    class Meta:
        model = Shot
        fields = tuple(name for names in CELLS.values() for name in names)
        widgets = {
            name: forms.Textarea(attrs={"rows": 3}) for name in ("description", "description_ko", "notes")
        }

    def __init__(self, *args: Any, names: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in set(self.fields) - set(names):
            del self.fields[name]
        if "location" in self.fields:
            place: Any = self.fields["location"]
            place.queryset = Location.objects.filter(project=self.instance.project_id).order_by("code")
            place.label_from_instance = label_of
        for field in self.fields.values():
            field.widget.attrs["class"] = "sf-field"


class StatusForm(forms.Form):
    """The statuses a shot may be given, its own first."""

    status = forms.ChoiceField(label=gettext_lazy("status"), widget=forms.Select(attrs={"class": "sf-field"}))

    def __init__(self, *args: Any, choices: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        status: Any = self.fields["status"]
        status.choices = choices
        self.initial["status"] = choices[0][0]


def _may_open(shot: Any, cell: str) -> bool:
    """Tell whether the person may change what a cell says; of a shot that ``learn`` has seen."""
    may: bool = shot.may_judge if cell == STATUS else shot.may_assign if cell == PEOPLE else shot.may_plan
    return may


class EditsCells(ScopedAdmin):
    """Cells of the list of shots are edited where they stand."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("<path:object_id>/cell/", view(self.cell_view), name="productions_shot_cell"),
            path("<path:object_id>/choices/", view(self.choices_view), name="productions_shot_choices"),
        ]
        return own + super().get_urls()

    def get_list_filter(self, request: HttpRequest) -> Any:
        return () if hasattr(request, _ONE_ROW) else super().get_list_filter(request)

    def learn(self, request: HttpRequest, rows: Any) -> None:
        rows = list(rows)
        super().learn(request, rows)
        for row in rows:
            row.may_plan = self.may(request, Act.PLAN, row)
            row.may_judge = row.may_plan or self.may(request, Act.REVIEW, row)
            row.may_assign = reach_of(request).may(Act.PLAN, row.project_id)

    def may_move(self, request: HttpRequest, shot: Shot, to: str) -> bool:
        """Tell whether the machine and the person's role allow this step of a status."""
        raise NotImplementedError

    def editable(self, shot: Any, cell: str, shown: object) -> SafeString:
        """Draw a cell of the list that may be opened, where the person may change what it says."""
        if not _may_open(shot, cell) or (shot.locked and cell != STATUS):
            return format_html("{}", shown)
        return format_html('<div class="sf-cellbox" data-cell="{}">{}</div>', cell, shown)

    def cell_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Open a cell (GET), or save what was typed in it (POST): the answer is the row as it is now.

        The row alone is the answer to ``row=1``, for whoever takes what somebody else saved.
        """
        shot, cell = self._asked(request, object_id)
        if request.method != "POST" and "row" in request.GET:
            return self._row(request, shot)
        form = self._form(request, shot, cell)
        if request.method != "POST":
            return self._opened(request, shot, cell, form)
        try:
            if not form.is_valid():
                return self._opened(request, shot, cell, form, status=400)
            again_after_collision(self._save)(request, shot, cell, form)
        except Refused as refused:
            conflict = isinstance(refused, Conflict)
            for problem in refused.problems[:5]:
                told = str(MEANWHILE if problem.code == "stale" else problem.message)
                if cell in PICKS and (about := form.name_of(problem.value)):
                    told = f"{about}: {told}"
                form.add_error(problem.field if problem.field in form.fields else None, told)
            return self._opened(request, shot, cell, form, status=409 if conflict else 400, stale=conflict)
        except NotAllowed as refused:
            form.add_error(None, str(refused))
            return self._opened(request, shot, cell, form, status=403)
        return self._row(request, shot)

    def choices_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer what is typed into a cell of chips: what may be picked, and which rules the chips break."""
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        shot, cell = self._asked(request, object_id, among=PICKS)
        picks, keys = PICKS[cell](shot), keys_in(request.GET.getlist(FIELD))
        context = {"offer": offer_of(picks, request.GET.get("typed", ""), keys)}
        return render(request, "admin/productions/shot/choices.html", context)

    def _asked(self, request: HttpRequest, object_id: str, among: Collection[str] = ALL) -> tuple[Shot, str]:
        """The shot and the cell of it (the first of ``among``, if none is named) that the person may open."""
        rows = self.get_queryset(request).prefetch_related(None).select_related("sequence", "project")
        key = uuid_in(object_id)
        shot: Shot | None = rows.filter(pk=key).first() if key is not None else None
        told = request.POST if request.method == "POST" else request.GET
        cell = str(told.get("cell", next(iter(among))))
        if shot is None or cell not in among:
            raise Http404
        self.learn(request, [shot])
        if not _may_open(shot, cell):
            raise PermissionDenied
        return shot, cell

    def _form(self, request: HttpRequest, shot: Shot, cell: str) -> Any:
        data = request.POST if request.method == "POST" else None
        if cell in PICKS:
            return PickForm(data, shot=shot, cell=cell)
        if cell == STATUS:
            now = shot.shown_status
            offered = [
                (row.pk, spoken(row, "name"))
                for row in statuses_from(shot).values()
                if self.may_move(request, shot, row.state)
            ]
            return StatusForm(data, choices=[(now.pk, spoken(now, "name")), *offered])
        names = CELLS[cell]
        if data is not None:
            names = tuple(name for name in names if name in data)
        return CellForm(data, instance=Shot.objects.select_related("project").get(pk=shot.pk), names=names)

    def _save(self, request: HttpRequest, shot: Shot, cell: str, form: Any) -> None:
        user, seen = person_of(request), version_sent(request)
        if seen is None:
            raise Stale(sent=0, now=shot.row_version)
        if cell != STATUS and not (set(form.fields) & set(request.POST)):
            raise Refused(Problem("", "", _("say what to set"), code="required"))
        if cell in PICKS:
            form.picks.save(form.cleaned_data[FIELD], user=user, row_version=seen)
            return
        if cell in CELLS:
            fields = {name: form.cleaned_data[name] for name in form.fields}
            amend_shot(shot, user=user, row_version=seen, **fields)
            return
        to = form.cleaned_data["status"]
        require_unchanged(shot, seen, "status", "studio_status")
        if to != shot.shown_status.pk and not move_shot_status(shot, to=to, user=user):
            raise Stale(sent=seen, now=shot.row_version)

    def _opened(
        self,
        request: HttpRequest,
        shot: Shot,
        cell: str,
        form: Any,
        *,
        status: int = 200,
        stale: bool = False,
    ) -> HttpResponse:
        now = Shot.objects.filter(pk=shot.pk).values_list(VERSION, flat=True).first()
        seen = version_sent(request) if request.method == "POST" else None
        meanwhile: list[Meanwhile] = []
        if stale and seen is not None:
            typed = form if cell in CELLS else None
            meanwhile = self.changed_meanwhile(request, shot, seen, typed)
        context = {
            "shot": shot,
            "cell": cell,
            "form": form,
            "version": now if stale or seen is None else seen,
            "meanwhile": meanwhile,
            "stale": stale,
        }
        return render(request, "admin/productions/shot/cell.html", context, status=status)

    def _row(self, request: HttpRequest, shot: Shot) -> HttpResponse:
        """Draw one row as its list does."""
        request.GET = QueryDict(f"id__exact={shot.pk}")
        setattr(request, _ONE_ROW, True)
        cl: ChangeList = self.get_changelist_instance(request)
        row = next(iter(results(cl)), None)
        if row is None:
            raise Http404
        context = {
            "cells": row,
            "said": _("%(shot)s is saved.") % {"shot": shot.full_code},
            "history": reverse("admin:productions_shot_history", args=[shot.pk]),
        }
        return render(request, "admin/productions/shot/row.html", context)

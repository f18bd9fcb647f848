"""The form that changes jobs that wait: how urgent, when, where. For one job, a batch or a selection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.common.errors import Refused
from apps.renders.admin.fields import MomentField, WordsField, choice, nodes, pools, set_choices
from apps.renders.models import Job, Priority
from apps.renders.services.steering import Wishes
from apps.renders.states import OPEN

CLEARED: dict[str, Any] = {"start_after": None, "deadline": None, "pool": "", "pinned_to": "", "tags": ()}
DIFFERENT = "different"
"""Stands for the values of jobs that do not agree."""
KEPT: Final = "steer"
"""Where the session keeps what was sent and not accepted, until its page shows it again."""


class SteerForm(forms.Form):
    """Shows what the jobs have in common. Only what a person touches is changed.

    What the page showed travels with it, so that a change somebody else made meanwhile is not taken back.
    Where jobs do not agree, an empty field leaves them so; ``clear`` takes their wishes back.
    """

    priority = forms.ChoiceField(
        label=gettext_lazy("priority"), required=False, widget=UnfoldAdminSelectWidget()
    )
    start_after = MomentField(gettext_lazy("start after"))
    deadline = MomentField(gettext_lazy("deadline"))
    pool = choice(gettext_lazy("pool"))
    pinned_to = choice(gettext_lazy("only on node"))
    tags = WordsField(gettext_lazy("tags"), placeholder=gettext_lazy("words a node must have"))
    clear = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple())
    reason = forms.CharField(
        label=gettext_lazy("reason"), max_length=200, required=False, widget=UnfoldAdminTextInputWidget()
    )

    def __init__(self, jobs: QuerySet[Job], data: Any = None) -> None:
        self.common = _common(jobs.filter(state__in=OPEN))
        initial = {name: None if value == DIFFERENT else value for name, value in self.common.items()}
        self.mixed = [name for name in CLEARED if self.common[name] == DIFFERENT]
        for name in ("priority", "pool", "pinned_to"):
            initial[name] = self.common[name]
        super().__init__(data, initial=initial)
        for name in (*CLEARED, "priority"):
            self.fields[name].show_hidden_initial = True
        self.sent = data or {}
        leave = [(DIFFERENT, _("different: leave them so"))]
        priorities = [(str(value), str(label)) for value, label in Priority.choices]
        set_choices(self.fields["priority"], self._offers("priority", leave) + priorities)
        for name, rows in (("pool", pools()), ("pinned_to", nodes())):
            set_choices(self.fields[name], [*self._offers(name, leave), ("", _("any")), *rows])
        clearable = [(name, str(self.fields[name].label)) for name in self.mixed]
        cast(forms.MultipleChoiceField, self.fields["clear"]).choices = clearable

    def wishes(self) -> Wishes:
        """What is to change."""
        data = self.cleaned_data
        wanted: dict[str, Any] = {
            name: data[name] for name in self.changed_data if name in CLEARED and data[name] != DIFFERENT
        }
        if "priority" in self.changed_data and data["priority"].isdigit():
            wanted["priority"] = int(data["priority"])
        wanted |= {name: CLEARED[name] for name in data["clear"]}
        return cast(Wishes, wanted)

    def _offers(self, name: str, leave: list[tuple[str, str]]) -> list[tuple[str, str]]:
        return leave if DIFFERENT in (self.common[name], self.sent.get(name)) else []


def steer_form(request: HttpRequest, jobs: QuerySet[Job]) -> SteerForm:
    """The form of this page: with what was just typed there and not accepted, else as the jobs are."""
    page, sent = request.session.get(KEPT, ("", ""))
    if page != request.path:
        return SteerForm(jobs)
    del request.session[KEPT]
    return SteerForm(jobs, QueryDict(sent))


def steered(
    request: HttpRequest, page: str, form: SteerForm, change: Callable[[Wishes, str], str | None]
) -> str | None:
    """Answer a press of Change on a page: say what is wrong with the form, or change and say so.

    What is not accepted stands on the page again. Raises Refused.
    """
    if not form.is_valid():
        for name, errors in form.errors.items():
            messages.error(request, f"{form.fields[name].label}: {' '.join(map(str, errors))}")
        _keep(request, page)
        return None
    wishes = form.wishes()
    if not wishes:
        messages.info(request, _("Nothing was changed."))
        return None
    try:
        return change(wishes, form.cleaned_data["reason"])
    except Refused:
        _keep(request, page)
        raise


def _keep(request: HttpRequest, page: str) -> None:
    sent = request.POST.copy()
    sent.pop("csrfmiddlewaretoken", None)
    request.session[KEPT] = (page, sent.urlencode())


_READ: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "priority": ("priority", str),
    "start_after": ("start_after", lambda at: at and at.replace(second=0, microsecond=0)),
    "deadline": ("deadline", lambda at: at and at.replace(second=0, microsecond=0)),
    "pool": ("pool__name", lambda name: name or ""),
    "pinned_to": ("pinned_to__name", lambda name: name or ""),
    "tags": ("tags", lambda tags: tags.replace("\n", ", ")),
}


def _common(jobs: QuerySet[Job]) -> dict[str, Any]:
    """The value of each field that all these jobs share; DIFFERENT where they do not."""
    return {name: _one(jobs, column, read) for name, (column, read) in _READ.items()}


def _one(jobs: QuerySet[Job], column: str, read: Callable[[Any], Any]) -> Any:
    values: Sequence[Any] = list(jobs.order_by(column).values_list(column, flat=True).distinct()[:2])
    if not values:
        return "" if column in ("pool__name", "pinned_to__name", "tags") else None
    return read(values[0]) if len(values) == 1 else DIFFERENT

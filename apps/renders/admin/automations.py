"""Automations, with what one would have done lately."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from apps.common.show import spoken
from apps.productions.admin_statuses import AutomationAdmin
from apps.productions.models import Automation, Deed, ShotStatus
from apps.projects.reach import person_of
from apps.renders.rehearsal import MOST_DAYS, USUAL_DAYS, rehearse

admin.site.unregister(Automation)

MOST_LISTED = 200


class RehearsalForm(forms.Form):
    """How many days to look back."""

    days = forms.IntegerField(
        label=capfirst(gettext_lazy("days")),
        min_value=1,
        max_value=MOST_DAYS,
        initial=USUAL_DAYS,
        widget=UnfoldAdminIntegerFieldWidget(),
    )


@admin.register(Automation)
class RehearsedAutomationAdmin(AutomationAdmin):
    """Below the form: which shots it would have changed, asked for by a button."""

    change_form_outer_after_template = "admin/productions/automation/rehearsal.html"

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row: Automation | None = context.get("original")
        if row is not None:
            asked = RehearsalForm(request.GET) if "days" in request.GET else RehearsalForm()
            context["rehearsal_form"] = asked
            if asked.is_bound and asked.is_valid():
                told = rehearse(row, user=person_of(request), days=asked.cleaned_data["days"])
                names = {one.slug: spoken(one, "name") for one in ShotStatus.objects.all()}
                context["rehearsal"] = told
                context["would"] = [
                    (one, names.get(one.before, one.before), names.get(one.after, one.after))
                    for one in told.would[:MOST_LISTED]
                ]
                context["would_more"] = max(len(told.would) - MOST_LISTED, 0)
                context["deed_label"] = "" if row.deed == Deed.MOVE else row.get_deed_display()
        return super().render_change_form(request, context, *args, **kwargs)

"""Failure rules: edited here, tried out on words somebody pasted, held against what failed lately."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from apps.common.show import badge
from apps.projects.admin_scope import FarmAdmin
from apps.projects.selectors import scoped
from apps.renders.models import Action, Attempt, FailureRule
from apps.renders.services.rules import BadPattern, Rules, compiled, current, words_of
from apps.renders.states import AttemptState
from apps.renders.words import FAILURES, advice_in_words
from apps.workflows.models import WorkflowTemplate
from farm.contracts import ContractError, Failure, FailureClass, from_json

LOOKED_AT: Final = 500
"""Failed attempts, the latest ones, that are held against the rules."""
SHOWN: Final = 30
LONGEST_SHOWN: Final = 300
SPENDS_AN_ATTEMPT: Final = (Action.RETRY, Action.ONCE, Action.FAIL)


def _classes(nothing: Any) -> list[tuple[str, Any]]:
    return [("", nothing), *FAILURES.items()]


class RuleForm(forms.ModelForm[FailureRule]):
    """A rule whose pattern can be searched for."""

    reported_class = forms.ChoiceField(
        label=gettext_lazy("reported as"), required=False, widget=UnfoldAdminSelectWidget()
    )
    failure_class = forms.ChoiceField(
        label=gettext_lazy("becomes"), required=False, widget=UnfoldAdminSelectWidget()
    )

    class Meta:
        model = FailureRule
        fields = (
            "order",
            "name",
            "reported_class",
            "pattern",
            "template",
            "failure_class",
            "action",
            "advice",
            "active",
        )
        help_texts: Any = {
            "order": gettext_lazy("The first rule that fits wins; shipped rules begin at 1000."),
            "pattern": gettext_lazy(
                "RE2, found anywhere in “code exception: message”, whatever the case. Empty: every failure."
            ),
            "template": gettext_lazy("Empty: every template."),
            "advice": gettext_lazy("Told to people with the failure."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, nothing in (("reported_class", _("anything")), ("failure_class", _("as reported"))):
            field = self.fields.get(name)
            if isinstance(field, forms.ChoiceField):
                field.choices = _classes(nothing)
        if self.instance.builtin and "name" in self.fields:
            self.fields["name"].disabled = True  # releases know their rules by name

    def clean_pattern(self) -> str:
        pattern: str = self.cleaned_data["pattern"]
        try:
            compiled(pattern)
        except BadPattern as error:
            raise ValidationError(
                _("“%(pattern)s” is no RE2 pattern: %(why)s") % {"pattern": pattern, "why": error}
            ) from error
        return pattern

    def clean_advice(self) -> str:
        advice: str = self.cleaned_data["advice"]
        return " ".join(advice.split())


class TryForm(forms.Form):
    """A failure somebody has seen, or fears."""

    words = forms.CharField(
        label=gettext_lazy("what ComfyUI or the node said"),
        max_length=20_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 5}),
    )
    reported = forms.ChoiceField(label=gettext_lazy("reported as"), widget=UnfoldAdminSelectWidget())
    template = forms.ModelChoiceField(
        label=gettext_lazy("template"),
        queryset=WorkflowTemplate.objects.order_by("slug"),
        required=False,
        empty_label=pgettext_lazy("template", "any other"),
        widget=UnfoldAdminSelectWidget(),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["reported"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = list(FAILURES.items())
        field.initial = str(FailureClass.UNKNOWN)


@dataclass(frozen=True)
class Tried:
    """What would become of a failure: the rule that wins, the class it gets, and what follows."""

    name: str
    key: UUID | None
    failure_class: str
    action: str
    spends: bool
    advice: str


@dataclass
class Unforeseen:
    """Words that only the last rule catches, how often they came, and the latest job they came from."""

    failure_class: str
    words: str
    job_id: UUID
    code: str
    count: int = 0


@admin.register(FailureRule)
class FailureRuleAdmin(FarmAdmin):
    """Members read the rules; Django's permission renders.change_failurerule lets an operator edit them."""

    form = RuleForm
    list_display = (
        "order",
        "title",
        "speaks_of",
        "pattern",
        "template",
        "outcome",
        "counsel",
        "active",
        "wins",
    )
    list_display_links = ("order", "title")
    list_select_related = ("template",)
    list_filter = ("active", "builtin", "action")
    list_filter_sheet = True  # the width is for the columns
    search_fields = ("name", "pattern", "advice")
    ordering = ("order", "name")
    list_before_template = "admin/renders/failurerule/try_link.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.try_view)
        return [path("try/", view, name="renders_failurerule_try"), *super().get_urls()]

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        if isinstance(obj, FailureRule) and obj.builtin:
            return False  # it would come back with the next release; it can be switched off
        return super().has_delete_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def try_view(self, request: HttpRequest) -> HttpResponse:
        """Which rule wins for words somebody pastes, and what only the last rule caught lately."""
        if not self.has_view_permission(request):
            return HttpResponse(status=403)
        rules = current()
        form = TryForm(request.GET or None)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Try the failure rules"),
            "form": form,
            "tried": _tried(rules, form) if form.is_valid() else None,
            "unforeseen": _unforeseen(rules, request),
            "looked_at": LOOKED_AT,
        }
        return TemplateResponse(request, "admin/renders/failurerule/try.html", context)

    @admin.display(description=gettext_lazy("name"), ordering="name")
    def title(self, rule: FailureRule) -> SafeString:
        shipped = badge(_("shipped"), "grey") if rule.builtin else ""
        edited = badge(_("edited"), "amber") if rule.builtin and rule.row_version else ""
        return format_html("{} {} {}", _(rule.name) if rule.builtin else rule.name, shipped, edited)

    @admin.display(description=gettext_lazy("reported as"), ordering="reported_class")
    def speaks_of(self, rule: FailureRule) -> str:
        return str(FAILURES.get(rule.reported_class, rule.reported_class or _("anything")))

    @admin.display(description=gettext_lazy("then"), ordering="action")
    def outcome(self, rule: FailureRule) -> str:
        becomes = FAILURES.get(rule.failure_class)
        told = rule.get_action_display()
        return f"{becomes}: {told}" if becomes else told

    @admin.display(description=gettext_lazy("advice"), ordering="advice")
    def counsel(self, rule: FailureRule) -> str:
        return advice_in_words(rule.advice) or "–"

    @admin.display(description=gettext_lazy("won"), ordering="matches")
    def wins(self, rule: FailureRule) -> int:
        return rule.matches


def _tried(rules: Rules, form: TryForm) -> Tried:
    asked = form.cleaned_data
    template: WorkflowTemplate | None = asked["template"]
    rule = rules.winner(asked["reported"], asked["words"], template.pk if template else None)
    found = rule.failure_class or asked["reported"]
    return Tried(
        name=_(rule.name) if rule.name else _("no rule"),
        key=rule.key,
        failure_class=found,
        action=str(Action(rule.action).label),
        spends=rule.action in SPENDS_AN_ATTEMPT,
        advice=advice_in_words(rule.advice),
    )


def _unforeseen(rules: Rules, request: HttpRequest) -> list[Unforeseen]:
    """What failed lately that only the last rule catches now, the most frequent first."""
    failed = Attempt.objects.filter(state=AttemptState.FAILED).exclude(report={}).order_by("-pk")
    rows = scoped(failed, request.user, path="job__project").values_list(
        "report__failure", "job_id", "job__code", "job__template_version__template_id"
    )
    counted: dict[tuple[str, str], Unforeseen] = {}
    for told, job_id, code, template_id in rows[:LOOKED_AT]:
        try:
            failure = from_json(Failure, told)
        except ContractError:
            continue  # an older release told it otherwise
        words = words_of(failure)
        if rules.winner(failure.failure_class, words, template_id).catches_all:
            key = (failure.failure_class, words[:LONGEST_SHOWN])
            seen = counted.setdefault(key, Unforeseen(failure.failure_class, key[1], job_id, code))
            seen.count += 1
    return sorted(counted.values(), key=lambda seen: -seen.count)[:SHOWN]

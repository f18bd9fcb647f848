"""Recommendation rules: who reads a shot's text for what; and what a shot's page says of them."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.common.show import badge, chips, spoken
from apps.productions.models import Shot
from apps.projects.admin_scope import FarmAdmin
from apps.renders.recommendation_words import denied_in_words, obstacles_in_words, reasons_in_words
from apps.renders.services.recommending import advice_for
from apps.workflows.keywords import parse_keywords
from apps.workflows.models import RecommendationRule
from apps.workflows.recommending import keywords_of
from apps.workflows.selectors import offered

MOST_KEYWORDS: Final = 200
SHOWN_WORDS: Final = 6
_LISTS: Final = ("keywords", "keywords_ko", "exceptions", "camera_moves")


_FACTS: Final = ("keyframe", "previous_clip", "dialogue")
"""What a rule may ask to be so, or not so."""


class RuleForm(forms.ModelForm[RecommendationRule]):
    """A rule; its lists are kept one word after the other, each once."""

    class Meta:
        model = RecommendationRule
        fields = (
            "name",
            "name_ko",
            "slug",
            "template",
            "recipe",
            "weight",
            "reason",
            "reason_ko",
            *_LISTS[:3],
            "min_characters",
            "max_characters",
            "min_seconds",
            "max_seconds",
            "keyframe",
            "previous_clip",
            "dialogue",
            "camera_moves",
            "active",
        )
        widgets: Any = {name: UnfoldAdminTextareaWidget(attrs={"rows": 3}) for name in _LISTS}
        help_texts: Any = {
            "keywords": gettext_lazy(
                "One a line or between commas. A word stands for all its forms (run: runs, running, ran); "
                "with = before it only for itself. Whole words only."
            ),
            "keywords_ko": gettext_lazy(
                "Verbs as in the dictionary (달리다: 달린다, 달려), nouns bare (폭발: 폭발이, 폭발한다)."
            ),
            "exceptions": gettext_lazy("Texts that are no match; with * at the end, whatever begins so."),
            "camera_moves": gettext_lazy("Names of presets, one of which the shot has."),
            "template": gettext_lazy("A template that is not there makes the rule inert."),
            "weight": gettext_lazy("Weights of all rules that speak for a template are added."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.builtin and "slug" in self.fields:
            self.fields["slug"].disabled = True  # releases know their rules by key
        for name in (name for name in _FACTS if name in self.fields):
            widget: Any = self.fields[name].widget
            widget.choices = [("unknown", _("does not matter")), ("true", _("yes")), ("false", _("no"))]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        for name in _LISTS:
            words = parse_keywords(data.get(name, ""))
            if len(words) > MOST_KEYWORDS:
                self.add_error(name, ValidationError(_("give at most %d words") % MOST_KEYWORDS))
            data[name] = ", ".join(words)
        for low, high in (("min_characters", "max_characters"), ("min_seconds", "max_seconds")):
            least, most = data.get(low), data.get(high)
            if least is not None and most is not None and least > most:
                self.add_error(high, ValidationError(_("this is below the least; no shot would fit")))
        return data


@admin.register(RecommendationRule)
class RecommendationRuleAdmin(FarmAdmin):
    """Who edits a shipped rule keeps it as it is: it follows releases no more."""

    form = RuleForm
    list_display = ("title", "for_template", "weight", "asks_for", "active")
    list_filter = ("active", "builtin", "template")
    search_fields = ("slug", "name", "name_ko", "keywords", "keywords_ko", "template")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and obj.builtin:
            return False  # the next release would bring it back: switch it off
        return super().has_delete_permission(request, obj)

    def dress(self, rows: list[Any], request: HttpRequest) -> None:
        slugs = set(offered().values_list("slug", flat=True))
        for row in rows:
            row.inert = row.template not in slugs

    @admin.display(description=gettext_lazy("name"), ordering="name")
    def title(self, rule: RecommendationRule) -> SafeString:
        shipped = badge(_("shipped"), "grey") if rule.builtin else ""
        edited = badge(_("edited"), "amber") if rule.builtin and rule.row_version else ""
        return format_html("{} {} {}", spoken(rule, "name"), shipped, edited)

    @admin.display(description=gettext_lazy("template"), ordering="template")
    def for_template(self, rule: Any) -> SafeString:
        inert = badge(_("inert: not offered"), "amber") if getattr(rule, "inert", False) else ""
        return format_html("{} {}", rule.template, inert)

    @admin.display(description=gettext_lazy("keywords"))
    def asks_for(self, rule: RecommendationRule) -> SafeString:
        words = keywords_of(rule)
        more = [f"+{len(words) - SHOWN_WORDS}"] if len(words) > SHOWN_WORDS else []
        return chips([*words[:SHOWN_WORDS], *more])


def advice_shown(shot: Shot) -> dict[str, Any]:
    """What a shot's page says of its recommendation."""
    advice = advice_for([shot])[shot.pk]
    return {
        "advice": advice,
        "decided": advice.kept if advice.kept and advice.kept.decision else None,
        "choices": [
            {
                "template": one["template"],
                "score": one["score"],
                "reasons": reasons_in_words(one),
                "obstacles": obstacles_in_words(one),
                "first": one is advice.first,
            }
            for one in advice.choices
        ],
        "denied": denied_in_words(advice.denied),
        "may_accept": bool(advice.template)
        and (advice.outdated or not (advice.kept and advice.kept.chosen == advice.template)),
        "others": sorted(set(offered().values_list("slug", flat=True)) - {advice.template}),
    }

"""Recipes: which there are, whether they can be rendered, and their steps to edit."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.common.admin import Tabular
from apps.common.errors import Problem
from apps.common.show import badge, spoken
from apps.projects.admin_scope import FarmAdmin
from apps.recipes.models import Recipe, RecipeStep
from apps.recipes.services.checking import problems_of, templates_offered
from apps.recipes.services.editing import write_steps
from apps.recipes.spec import Gate, StepSpec


class OtherInputs(forms.CharField):
    """Inputs and the numbers of the steps that fill them, as written: ``last_frame 1, reference 2``."""

    def __init__(self) -> None:
        attrs = {"placeholder": "last_frame 1"}
        super().__init__(
            label=gettext_lazy("other inputs"),
            help_text=gettext_lazy(
                "Which earlier step’s take fills which other input: last_frame 1, reference 2."
            ),
            required=False,
            max_length=200,
            widget=UnfoldAdminTextInputWidget(attrs),
        )

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value  # as it was typed
        return ", ".join(f"{role} {number}" for role, number in value.items())

    def clean(self, value: Any) -> Any:
        """Read it. Raises ValidationError, naming what cannot be read."""
        found: dict[str, int] = {}
        for part in filter(None, (part.strip() for part in super().clean(value).split(","))):
            role, _space, number = part.rpartition(" ")
            if not (role.strip() and number.isascii() and number.isdigit() and len(number) < 4):
                told = _("“%s” is not an input and a step’s number; write last_frame 1, reference 2") % part
                raise forms.ValidationError(told)
            found[role.strip(" =:")] = int(number)
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial) or "", data)


class StepForm(forms.ModelForm[RecipeStep]):
    """One step; templates are chosen from those on offer."""

    template = forms.ChoiceField(label=gettext_lazy("template"), widget=UnfoldAdminSelectWidget())

    also = OtherInputs()

    class Meta:
        model = RecipeStep
        fields = ("position", "template", "role", "also", "takes", "width", "height", "precision", "gate")

    def __init__(self, *args: Any, templates: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["position"].required = False  # without one it is the last
        if not self.instance._state.adding:
            self.initial["position"] = self.instance.position + 1  # people count from 1
        field = self.fields["template"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        mine = self.instance.template
        choices = [("", "–"), *((slug, slug) for slug in templates)]
        if mine and mine not in templates:
            choices.append((mine, _("%s (not offered)") % mine))
        field.choices = choices

    def clean_position(self) -> int | None:
        """As it is kept: from 0."""
        place: int | None = self.cleaned_data["position"]
        return None if place is None else place - 1

    def spec(self) -> StepSpec:
        """The step as typed, once the form is valid."""
        data = self.cleaned_data
        return StepSpec(**{field.name: data[field.name] for field in fields(StepSpec)})


class StepFormSet(BaseInlineFormSet[Any, Any, Any]):
    """All steps together: each must be able to take what the one before it makes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.templates = templates_offered()

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        return super().get_form_kwargs(index) | {"templates": list(self.templates)}

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        forms_in_order = self.ordered()
        for problem in problems_of([form.spec() for form in forms_in_order], self.templates):
            self._tell(problem, forms_in_order)

    def _tell(self, problem: Problem, steps: list[Any]) -> None:
        place, _dot, name = problem.field.removeprefix("steps[").partition("].")
        if name and place.isdigit():
            steps[int(place)].add_error(name if name in steps[int(place)].fields else None, problem.message)
        else:
            # what Django keeps of a whole formset and gives no other door to (its types leave it out)
            self._non_form_errors.append(str(problem.message))  # type: ignore[attr-defined]

    def ordered(self) -> list[Any]:
        """The forms of the steps that stay, in the order of their places; equal places as they stand."""
        kept = [
            form
            for form in self.forms
            if form.cleaned_data.get("template") and not form.cleaned_data.get("DELETE")
        ]
        return sorted(kept, key=_place_of)

    def specs(self) -> list[StepSpec]:
        """The steps as typed."""
        return [form.spec() for form in self.ordered()]

    def validate_unique(self) -> None:
        """Places are only an order: two alike are no fault, the steps are numbered anew."""


def _place_of(form: Any) -> float:
    place = form.cleaned_data.get("position")
    return float("inf") if place is None else place


class StepInline(Tabular):
    model = RecipeStep
    form = StepForm
    formset = StepFormSet
    extra = 1
    hide_title = True
    fields = ("position", "template", "role", "also", "takes", "width", "height", "precision", "gate")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True  # whoever sees the recipe sees its steps


@admin.register(Recipe)
class RecipeAdmin(FarmAdmin):
    """Named chains of templates. Editing one changes no run until somebody renders what changed."""

    list_display = ("slug", "name", "chain", "sound", "active")
    list_filter = ("active", "builtin")
    search_fields = ("slug", "title", "title_ko")
    inlines = (StepInline,)
    fields = (("slug", "active"), ("title", "title_ko"), ("about", "about_ko"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Recipe]:
        return super().get_queryset(request).prefetch_related("steps")

    def dress(self, rows: list[Any], request: HttpRequest) -> None:
        templates = templates_offered()
        for row in rows:
            row.problems = problems_of(row.specs, templates)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # Releases know their recipes by name.
        return ("slug",) if obj is not None and obj.builtin else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        kept = obj is not None and (obj.builtin or obj.runs.exists())
        return not kept and super().has_delete_permission(request, obj)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """The steps are written as a whole: they are numbered by their order."""
        write_steps(form.instance, formset.specs())
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []

    @admin.display(description=gettext_lazy("title"), ordering="title")
    def name(self, recipe: Recipe) -> SafeString:
        told = spoken(recipe, "about")
        return format_html("{}<br><small>{}</small>", spoken(recipe, "title"), told)

    @admin.display(description=pgettext_lazy("recipe", "steps"))
    def chain(self, recipe: Recipe) -> SafeString:
        return chain_cell(recipe.specs)

    @admin.display(description=gettext_lazy("can be rendered"))
    def sound(self, recipe: Any) -> SafeString:
        if not recipe.problems:
            return badge(_("yes"), "green")
        first = recipe.problems[0]
        return format_html(
            '{} <span class="sf-why">{}</span>', badge(_("no"), "red"), f"{first.value} {first.message}"
        )


def chain_cell(specs: list[StepSpec]) -> SafeString:
    """Show the templates in order, and where people are waited for."""
    gate = _("approval")
    parts: list[tuple[str]] = []
    for spec in specs:
        takes = f" × {spec.takes}" if spec.takes > 1 else ""
        also = "".join(f" + {number}" for number in spec.also.values())
        parts.append((f"{spec.template}{also}{takes}",))
        if spec.gate == Gate.APPROVAL:
            parts.append((f"✓ {gate}",))
    return format_html(
        '<span class="sf-chips">{}</span>', format_html_join(" → ", '<span class="sf-chip">{}</span>', parts)
    )

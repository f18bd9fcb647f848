"""Forms of the plan: what belongs together, and what excludes each other."""

from __future__ import annotations

from collections.abc import Sequence as Listed
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.characters.models import Character
from apps.common.admin_forms import CodedForm
from apps.common.errors import Refused
from apps.presets.picker import PickedPresets
from apps.presets.rules import LookFacts, broken, broken_when_rendered
from apps.presets.selectors import chosen, rules_in
from apps.presets.services.choosing import exclusive_problems
from apps.productions.continuity import candidates, check_continuity, shot_called
from apps.productions.editing import RULED
from apps.productions.models import Episode, Location, Sequence, Shot, ShotCharacter
from apps.productions.preset_apply import used_by
from apps.productions.preset_facts import check, refusals, year_of
from apps.workflows.selectors import handing_latents_on


class SequenceForm(CodedForm[Sequence]):
    """Left blank, the code is the project's next (SQ010, SQ020 …)."""

    may_be_blank = True

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        project = data.get("project") or (self.instance.project if self.instance.project_id else None)
        episode = data.get("episode")
        if project and episode and episode.project_id != project.pk:
            told = _("“%(episode)s” belongs to another project than the sequence.")
            self.add_error("episode", told % {"episode": episode})
        return data


class EpisodeForm(CodedForm[Episode]):
    """Left blank, the code is the project's next (EP01, EP02 …)."""

    may_be_blank = True


class LocationForm(CodedForm[Location]):
    """The code is typed."""


class CastingForm(forms.ModelForm[ShotCharacter]):
    """A costume is one of the character's own. Who is in the archive may stay, and is not newly cast."""

    def clean_character(self) -> Character:
        character: Character = self.cleaned_data["character"]
        if character.archived and character.pk != self.initial.get("character"):
            told = _(
                "“%(character)s” is in the archive: take this character out of it first, or cast another."
            )
            raise forms.ValidationError(told % {"character": character}, code="archived")
        return character

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        character, costume = data.get("character"), data.get("costume")
        if character and costume and costume.character_id != character.pk:
            self.add_error(
                "costume",
                _("“%(costume)s” belongs to another character; choose one of %(character)s's.")
                % {"costume": costume, "character": character},
            )
        return data


if TYPE_CHECKING:
    from django.forms import TextInput as TextWidget
else:
    from unfold.widgets import UnfoldAdminTextInputWidget as TextWidget


class Offering(TextWidget):
    """A text field that offers what may be typed."""

    def __init__(self, offered: Listed[str] = (), attrs: dict[str, Any] | None = None) -> None:
        super().__init__({**(attrs or {}), "list": "offered-shots", "autocomplete": "off"})
        self.offered = offered

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        options = format_html_join("", '<option value="{}"></option>', ((one,) for one in self.offered))
        field = super().render(name, value, attrs, renderer)
        return format_html('{}<datalist id="offered-shots">{}</datalist>', field, options)


class ShotForm(CodedForm[Shot]):
    """Sequence and location belong to one project, and the shot to it; what it continues, too. Presets go
    with each other, with the shot's weather, time and place, and the year, or somebody says why not."""

    may_be_blank = True
    picked = PickedPresets()
    continues = forms.CharField(
        label=capfirst(gettext_lazy("continues")),
        required=False,
        widget=Offering,
        help_text=gettext_lazy(
            "The shot whose selected clip this one goes on from, such as SQ010_SH0020; empty for none."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shot = self.instance
        field = self.fields.get("continues")
        if field is not None and not shot._state.adding:
            field.widget = Offering(candidates(shot))
            if shot.continuity_from is not None:
                self.initial["continues"] = shot.continuity_from.full_code
        if keeps := self.fields.get("continuity_keep"):
            keeps.help_text = _keeping()
        picker = self.fields.get("picked")
        if isinstance(picker, PickedPresets):
            used = used_by([shot])[shot.pk] if shot.project_id else []
            picker.about(shot.project_id, [preset.pk for preset in used])
            self.initial["picked"] = picker.initial
            picker.widget.check_at = reverse("admin:productions_shot_preset_check")
            if shot.project_id and not self.is_bound:
                picker.widget.problems = check(shot, used, rules_in([shot.project_id])[shot.project_id])

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        sequence = data.get("sequence") or (self.instance.sequence if self.instance.sequence_id else None)
        location = data.get("location")
        if sequence and location and location.project_id != sequence.project_id:
            self.add_error(
                "location",
                _("“%(location)s” belongs to another project than the sequence %(sequence)s.")
                % {"location": location, "sequence": sequence.code},
            )
        if sequence:
            self.instance.project_id = sequence.project_id
            if "continues" in self.fields:
                self._continue(data, sequence.project_id)
            self._check_presets(data, sequence)
        return data

    def _check_presets(self, data: dict[str, Any], sequence: Sequence) -> None:
        """One of an exclusive category; and the rules, where what they look at has changed."""
        if "picked" not in data:
            return
        presets = data["picked"]
        for problem in exclusive_problems(presets):
            self.add_error("picked", str(problem.message))
        facts = LookFacts(
            presets=chosen(presets),
            weather=data.get("weather", ""),
            time_of_day=data.get("time_of_day", ""),
            setting=data["location"].setting if data.get("location") else "",
            year=year_of(sequence),
        )
        rules = rules_in([sequence.project_id])[sequence.project_id]
        broken_now = broken(rules, facts)
        if isinstance(picker := self.fields["picked"], PickedPresets):
            picker.widget.problems = broken_when_rendered(rules, facts)
        if RULED.union({"picked", "sequence"}) & set(self.changed_data):
            reason = data.get("preset_override", "")
            for problem in refusals(broken_now, reason, field="picked"):
                self.add_error("picked", str(problem.message))

    def _continue(self, data: dict[str, Any], project: UUID) -> None:
        """Find what it continues; whether it may is looked at under a lock that lasts until it is saved."""
        code = str(data.get("continues") or "").strip()
        found = shot_called(code, project) if code else None
        if code and found is None:
            told = _("There is no shot %s in this project; write it as SQ010_SH0020.")
            self.add_error("continues", told % code)
            return
        adding = self.instance._state.adding
        try:
            check_continuity(
                shot=None if adding else self.instance.pk,
                project=project,
                continues=found,
            )
        except Refused as refused:
            for problem in refused.problems:
                field = "continues" if problem.field == "continuity_from" else problem.field
                self.add_error(field if field in self.fields else None, str(problem.message))
            return
        self.instance.continuity_from = found


def _keeping() -> str:
    """Which templates hand latents over, for whoever chooses between them and frames."""
    slugs = ", ".join(handing_latents_on())
    if not slugs:
        return _("No template that is offered hands latents over: choose frames.")
    return _("Latents are handed over by %s alone; both shots are rendered with it, in one size.") % slugs

"""Forms of the plan: what belongs together, and what excludes each other."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.models import BaseInlineFormSet
from django.utils.translation import gettext as _

from apps.common.admin_forms import CodedForm
from apps.common.show import spoken
from apps.productions.models import Episode, Location, Sequence, Shot, ShotCharacter, ShotPreset


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
    """A costume is one of the character's own."""

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


class PresetFormSet(BaseInlineFormSet[ShotPreset, Shot, forms.ModelForm[ShotPreset]]):
    """At most one preset of an exclusive category."""

    def clean(self) -> None:
        super().clean()
        seen: dict[Any, ShotPreset] = {}
        for form in self.forms:
            data = getattr(form, "cleaned_data", {})
            preset = data.get("preset")
            if not preset or data.get("DELETE") or not preset.category.exclusive:
                continue
            if preset.category_id in seen:
                first = seen[preset.category_id]
                form.add_error(
                    "preset",
                    ValidationError(
                        _("“%(category)s” allows one per shot, and “%(first)s” is chosen already.")
                        % {"category": spoken(preset.category, "name"), "first": first}
                    ),
                )
            seen.setdefault(preset.category_id, preset)


class ShotForm(CodedForm[Shot]):
    """Sequence and location belong to one project, and the shot to it."""

    may_be_blank = True

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
        return data

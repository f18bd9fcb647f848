"""Presets picked from the library by category: radio buttons and boxes, no script needed.

The script (static/shotfarm/presets.js) adds a search and says at once what is chosen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils.datastructures import MultiValueDict
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.common.show import spoken
from apps.presets.models import CinematicPreset
from apps.presets.rules import Broken
from apps.presets.selectors import Group, Option, groups_for, offered_presets
from apps.presets.words import shown

TEMPLATE = "admin/presets/picker.html"


class PresetPicker(forms.Widget):
    """Exclusive categories are radio buttons, the others boxes; each category's inputs share a name.

    A request that does not hold the picker at all leaves the presets as they are.
    """

    class Media:
        js = ("shotfarm/presets.js",)

    def __init__(self) -> None:
        super().__init__()
        self.project: UUID | None = None
        self.kept: list[UUID] = []
        self.problems: tuple[Broken, ...] = ()
        self.check_at = ""
        """The address that says which rules are broken by what is chosen; "" where nothing is checked."""

    def value_from_datadict(self, data: Any, files: MultiValueDict[str, Any], name: str) -> list[str]:
        if f"{name}-shown" not in data:
            return [str(key) for key in self.kept]
        found = [value for key in data if key.startswith(f"{name}-of-") for value in data.getlist(key)]
        return [value for value in found if value]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False  # nothing ticked is an answer, and no picker is another

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        chosen = {str(key) for key in value or ()}
        groups = [_Shown(group, chosen, name) for group in groups_for(self.project, self.kept)]
        problems = shown(self.problems, self.project)
        context = {"name": name, "groups": groups, "problems": problems, "check_at": self.check_at}
        return render_to_string(TEMPLATE, context)


class _Shown:
    """A category as the picker shows it."""

    def __init__(self, group: Group, chosen: Collection[str], name: str) -> None:
        self.title = spoken(group.category, "name")
        self.field = f"{name}-of-{group.category.pk}"
        self.options = [_Pick(option, chosen) for option in group.options]
        self.picked = [option for option in self.options if option.checked]
        # A shot from before its category became exclusive may have two: both are shown, to be chosen from.
        self.one = group.category.exclusive and len(self.picked) < 2


class _Pick:
    """A preset as the picker shows it."""

    def __init__(self, option: Option, chosen: Collection[str]) -> None:
        self.key = str(option.preset.pk)
        self.title = spoken(option.preset, "name")
        self.names = f"{option.preset.name} {option.preset.name_ko} {option.preset.slug}".lower()
        self.says = option.texts.prompt or option.texts.prompt_ko
        self.withdrawn = option.withdrawn
        self.checked = self.key in chosen


class PickedPresets(forms.ModelMultipleChoiceField[CinematicPreset]):
    """The presets of a shot or a look, those it had first and in their order, new ones in the library's."""

    widget = PresetPicker

    def __init__(self, **kwargs: Any) -> None:
        none = CinematicPreset.objects.none()
        super().__init__(none, required=False, label=_("presets"), **kwargs)

    def about(self, project: UUID | None, kept: Sequence[UUID]) -> None:
        """Say in which film they are picked (None: the studio's alone), and which are there already."""
        rows = CinematicPreset.objects.select_related("category").order_by("category__order", "order")
        offered = offered_presets(project).order_by().values("pk")
        self.queryset = rows.filter(Q(pk__in=offered) | Q(pk__in=kept))
        self.initial = list(kept)
        self.widget.project, self.widget.kept = project, list(kept)

    def clean(self, value: Any) -> Any:
        rows: Iterable[CinematicPreset] = super().clean(value)
        kept = [str(key) for key in self.initial]
        place = {key: index for index, key in enumerate(kept)}
        return sorted(rows, key=lambda row: place.get(str(row.pk), len(kept)))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return {str(key) for key in initial or ()} != {str(key) for key in data or ()}

"""A select box of places that is quick to draw, however many inputs the graph has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.workflows.wizard.places import Place, Places, read, written


class PlaceSelect(forms.Widget):
    """Django's own select draws every option by a template: thousands of them take seconds."""

    def __init__(self, offered: Sequence[Place], places: Places) -> None:
        super().__init__({"class": "sf-input"})
        self.offered, self.places = offered, places

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        chosen = read(str(value or ""))
        offered = list(self.offered)
        if chosen and chosen not in offered:
            offered.insert(0, chosen)
        options = format_html_join(
            "",
            '<option value="{}"{}>{}</option>',
            (
                (written(place), SafeString(" selected") if place == chosen else "", self.places.named(place))
                for place in offered
            ),
        )
        told = self.build_attrs(self.attrs, attrs)
        return format_html(
            '<select name="{}" id="{}" class="{}"><option value="">–</option>{}</select>',
            name,
            told.get("id", ""),
            told["class"],
            options,
        )


class PlaceField(forms.CharField):
    """An input of the graph; any that fits the role may be named, also one the box does not offer."""

    def __init__(self, label: Any, role: str, offered: Sequence[Place], places: Places, initial: str) -> None:
        widget: Any = PlaceSelect(offered, places)
        super().__init__(label=label, required=False, initial=initial, widget=widget)
        self.role, self.offered, self.places = role, offered, places

    def validate(self, value: Any) -> None:
        super().validate(value)
        place = read(value) if value else None
        if value and (place is None or not (place in self.offered or self.places.fits(self.role, place))):
            raise ValidationError(_("no input that takes this role; choose one of those offered"))

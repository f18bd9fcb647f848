"""Plain fields of the wizard, each with its box."""

from __future__ import annotations

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget


def text(label: Any, initial: Any = None, *, most: int = 400, required: bool = False) -> forms.CharField:
    """A line of text."""
    return forms.CharField(
        label=label, initial=initial, max_length=most, required=required, widget=UnfoldAdminTextInputWidget()
    )


def long_text(label: Any, initial: Any = None) -> forms.CharField:
    """A few lines of text."""
    widget = UnfoldAdminTextareaWidget(attrs={"rows": 2})
    return forms.CharField(label=label, initial=initial, max_length=20_000, required=False, widget=widget)


def whole(label: Any, initial: Any = None, *, low: int = 0) -> forms.IntegerField:
    """A whole number."""
    widget = UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"})
    return forms.IntegerField(
        label=label, initial=initial, min_value=low, max_value=2**53, required=False, widget=widget
    )


def number(label: Any, initial: Any = None) -> forms.FloatField:
    """Any number."""
    widget = UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"})
    return forms.FloatField(label=label, initial=initial, required=False, widget=widget)


def select(
    label: Any, choices: list[tuple[str, Any]], initial: Any = None, *, required: bool = False
) -> forms.ChoiceField:
    """One of several."""
    return forms.ChoiceField(
        label=label, choices=choices, initial=initial, required=required, widget=UnfoldAdminSelectWidget()
    )

"""Form fields for when and where a job renders, shared by Render and by the form that changes jobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.nodes.models import Node, Pool

MINUTES = "%Y-%m-%dT%H:%M"


class MomentInput(forms.DateTimeInput):
    """The browser's own calendar and clock, to the minute."""

    input_type = "datetime-local"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs={"class": "sf-input", **(attrs or {})}, format=MINUTES)


class MomentField(forms.DateTimeField):
    """A time by the farm's clock, to the minute; empty is none."""

    widget = MomentInput

    def __init__(self, label: Any, **kwargs: Any) -> None:
        super().__init__(label=label, required=False, input_formats=[MINUTES, "%Y-%m-%dT%H:%M:%S"], **kwargs)


class WordsField(forms.CharField):
    """Words with spaces or commas between them; the value is a tuple of them."""

    def __init__(self, label: Any, *, placeholder: Any = "", **kwargs: Any) -> None:
        widget = UnfoldAdminTextInputWidget(attrs={"placeholder": placeholder})
        super().__init__(label=label, required=False, max_length=1_000, widget=widget, **kwargs)

    def to_python(self, value: Any) -> Any:
        return tuple(str(super().to_python(value)).replace(",", " ").split())

    def run_validators(self, value: Any) -> None:
        super().run_validators(" ".join(value))


def choice(label: Any, **kwargs: Any) -> forms.ChoiceField:
    """A choice whose offers are known when the form is made."""
    return forms.ChoiceField(label=label, required=False, widget=UnfoldAdminSelectWidget(), **kwargs)


def set_choices(field: forms.Field, choices: Sequence[tuple[str, Any]]) -> None:
    """Offer these: values with their labels, or headings with the choices below them."""
    if not isinstance(field, forms.ChoiceField):
        raise TypeError(f"{field!r} offers no choices")
    field.choices = list(choices)


def pools() -> list[tuple[str, str]]:
    """Every pool, with what is special of it."""
    return [
        (pool.name, f"{pool.name} · {_('dedicated')}" if pool.dedicated else pool.name)
        for pool in Pool.objects.all()
    ]


def nodes() -> list[tuple[str, str]]:
    """Every node, with its tier."""
    rows = Node.objects.order_by("name").values_list("name", "tier_gb")
    return [(name, f"{name} · {tier} GB" if tier else name) for name, tier in rows]


def clock() -> str:
    """Say by which clock times are read."""
    return _("times are in %s") % timezone.get_current_timezone_name()

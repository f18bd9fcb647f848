"""Pieces of admin forms: rows with codes, and rows that a service creates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from apps.common.numbering import CODE_RULE, is_code

M = TypeVar("M", bound=Model)


def name_choices(field: forms.ModelChoiceField[Any], words: Callable[[Any], str]) -> None:
    """Have a field say its choices in these words."""
    field.label_from_instance = words  # type: ignore[method-assign,assignment]  # Django's way


class CodedForm(forms.ModelForm[M]):
    """A form with a ``code``. Where ``may_be_blank``, a new row without one gets the next."""

    may_be_blank = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.may_be_blank and self.instance._state.adding and "code" in self.fields:
            self.fields["code"].required = False
            self.fields["code"].help_text = _("Leave it empty for the next one.")

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        if code and not is_code(code):
            raise ValidationError(CODE_RULE)
        return code


def become(row: Model, created: Model) -> None:
    """Make the form's unsaved row the one a service has created, so that the admin goes on with it."""
    row.pk = created.pk
    row._state.adding = False
    row.refresh_from_db()

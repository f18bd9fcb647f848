"""Pieces of admin forms: rows with codes, rows that a service creates, rows that swap their names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.forms.models import BaseInlineFormSet
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


class TakingOver(BaseInlineFormSet[Any, Any, Any]):
    """Rows that may take over each other's names, also that of a row which is deleted in the same save.

    ``keys``: what is unique among them; the first is a text.
    """

    keys: ClassVar[Sequence[str]]

    def save_existing_objects(self, commit: bool = True) -> list[Any]:
        """Let go of the old names first: else two rows would hold the same one meanwhile."""
        if commit:
            for form in self.initial_forms:
                if form in self.deleted_forms or set(self.keys) & set(form.changed_data):
                    row = form.instance
                    type(row)._default_manager.filter(pk=row.pk).update(**{self.keys[0]: str(row.pk)})
        return super().save_existing_objects(commit)


def become(row: Model, created: Model) -> None:
    """Make the form's unsaved row the one a service has created, so that the admin goes on with it."""
    row.pk = created.pk
    row._state.adding = False
    row.refresh_from_db()

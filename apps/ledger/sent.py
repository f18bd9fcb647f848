"""What a form that was sent says, in the words of its object's document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import Any, Final

from django.db.models import Model

from apps.common.lines import lines
from apps.ledger.documents import Children, Document, Reference, Row, plain

_NOTHING: Final[tuple[Any, ...]] = (None, "", [])
_UNREADABLE: Final = object()
"""Stands for what was not sent, and for what was typed and is no value: nobody left that as it was."""


class Sent:
    """A form (None: there is none) and its inlines. ``stands_for``: names that the form calls otherwise."""

    def __init__(
        self, document: Document, form: Any, formsets: Sequence[Any], stands_for: Mapping[str, str]
    ) -> None:
        self._document = document
        self._said = {} if form is None else form.cleaned_data
        self._formsets = {formset.model: formset for formset in formsets}
        self._stands_for = stands_for

    def name_of(self, name: str) -> str:
        """The form's field for a name of the document; for a list, the inline's model."""
        children = self._document.children.get(name)
        if children is not None and children.model in self._formsets:
            return str(children.model._meta.model_name)
        return self._stands_for.get(name, name)

    def told(self, name: str) -> Any:
        """What the form says; None where it says nothing of it that can be read."""
        value = self._value(name)
        return None if value is _UNREADABLE else value

    def says(self, name: str, old: Any) -> bool:
        """Whether the form says just this: whoever sent it changed nothing here."""
        value = self._value(name)
        if value is _UNREADABLE:
            return False
        return lines(value) == lines(old) or (value in _NOTHING and old in _NOTHING)

    def _value(self, name: str) -> Any:
        children = self._document.children.get(name)
        if children is not None and children.model in self._formsets:
            return _list_told(children, self._formsets[children.model])
        found = self._said.get(self.name_of(name), _UNREADABLE)
        if found is _UNREADABLE:
            return found
        if children is not None:
            reference = children.references[children.key[0]]
            return [_words(one, reference) for one in found]
        computed = self._document.row.computed.get(name)
        if computed is not None and computed.columns == (self.name_of(name),):
            return computed.read(found)
        return _column_told(self._document.row, name, found)


def _list_told(children: Children, formset: Any) -> Any:
    """The rows of an inline as a document lists them: in their order, else by their keys."""
    rows = []
    for form in formset.forms:
        gone = formset.can_delete and formset._should_delete_form(form)
        if gone or (form.instance._state.adding and not form.has_changed()):
            continue
        if form.errors:
            return _UNREADABLE
        said = form.cleaned_data
        told = {
            name: _column_told(children.row, name, said.get(name, getattr(form.instance, name)))
            for name in children.row.fields
        }
        rows.append((said.get(children.ordered, 0) if children.ordered else str(told[children.key[0]]), told))
    return [told for _place, told in sorted(rows, key=lambda row: row[0])]


def _column_told(row: Row, name: str, value: Any) -> Any:
    reference = row.references.get(name)
    return _words(value, reference) if reference and isinstance(value, Model) else plain(value)


def _words(row: Model, reference: Reference) -> str | None:
    return reference.words(_reached(row, step.split("__")) for step in reference.steps)


def _reached(row: Any, path: Iterable[str]) -> Any:
    return reduce(lambda at, name: None if at is None else getattr(at, name), path, row)

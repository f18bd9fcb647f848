"""Bodies of writing requests: what is not known is refused, and what would be right is named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, NoReturn

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

_JSON_NAMES: Final = {
    type(None): "null",
    bool: "true/false",
    int: "number",
    float: "number",
    str: "string",
    list: "array",
}


class Strict(serializers.Serializer[Any]):
    """A request's body, or a part of it. A key it does not know is a fault, never a silent nothing.

    What is read-only counts as unknown: setting it would do nothing either.
    """

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        # REST framework tells of a null body that "No data" came; it is the wrong type like any other.
        return (False, data) if data is None and self.root is self else super().validate_empty_values(data)

    def to_internal_value(self, data: Any) -> Any:
        known = [name for name, field in self.fields.items() if not field.read_only]
        listed = ", ".join(known)
        if not isinstance(data, Mapping):
            told = _("send an object in braces here, not %(sent)s; its fields are %(known)s") % {
                "sent": _JSON_NAMES.get(type(data), type(data).__name__),
                "known": listed,
            }
            raise serializers.ValidationError({"non_field_errors": [ErrorDetail(told, code="invalid")]})
        fault = ErrorDetail(_("not a field here; known are %s") % listed, code="unknown_field")
        unknown: dict[str, Any] = {key: [fault] for key in data if key not in known}
        try:
            read = super().to_internal_value(data)
        except serializers.ValidationError as exc:
            raise serializers.ValidationError({**_by_field(exc.detail), **unknown}) from exc
        if unknown:
            raise serializers.ValidationError(unknown)
        return read


class OneOf(serializers.ChoiceField):
    """A choice that names the choices when it is none of them."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid_choice": gettext_lazy("choose one of {known}")
    }

    def fail(self, key: str, **kwargs: Any) -> NoReturn:
        known = ", ".join(_said(value, label) for value, label in self.choices.items())
        super().fail(key, known=known, **kwargs)


def _said(value: Any, label: Any) -> str:
    return str(value) if str(value) == str(label) else f"{value} ({label})"


def _by_field(detail: Any) -> dict[str, Any]:
    return dict(detail) if isinstance(detail, Mapping) else {"non_field_errors": detail}

"""Django's model validation, spoken in the farm's error format."""

from __future__ import annotations

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Model

from apps.common.errors import Problem, Refused


def clean(row: Model) -> None:
    """Raise Refused with one Problem per fault unless the row may be saved as it is."""
    try:
        row.full_clean()
    except ValidationError as exc:
        raise Refused(
            *(
                Problem(_shown_field(row, field), _shown_value(row, field), fault, code="invalid")
                for field, faults in exc.message_dict.items()
                for fault in faults
            )
        ) from exc


def _shown_field(row: Model, field: str) -> str:
    return str(row._meta.verbose_name) if field == NON_FIELD_ERRORS else field


def _shown_value(row: Model, field: str) -> str:
    return str(row) if field == NON_FIELD_ERRORS else str(getattr(row, field, ""))

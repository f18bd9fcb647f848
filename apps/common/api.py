"""What all parts of the API share: pages, and how errors look in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.db.models import QuerySet
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.common.pages import KeyedRows
from apps.common.problems import CONTENT_TYPE

_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "description": "What went wrong (RFC 9457), and each field it is about.",
    "required": ["type", "title", "status", "detail", "errors"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "value", "message", "code"],
                "properties": {
                    "field": {"type": "string", "description": "A path, such as steps[0].takes"},
                    "value": {"type": "string", "description": "What was sent"},
                    "message": {"type": "string", "description": "What would be right"},
                    "code": {"type": "string"},
                },
            },
        },
        "row_version": {
            "type": "integer",
            "description": "409 only: the version the row is at now",
        },
        "changed": {
            "type": "array",
            "description": "409 only: what others changed since the version you sent, if that is known",
            "items": {
                "type": "object",
                "required": ["field", "was", "now", "by", "at"],
                "properties": {
                    "field": {"type": "string"},
                    "was": {"description": "What it said in your version"},
                    "now": {"description": "What it says now"},
                    "by": {"type": "string", "description": "Who changed it last"},
                    "at": {"type": "string", "format": "date-time"},
                },
            },
        },
    },
}
_METHODS: Final = frozenset({"get", "put", "post", "patch", "delete"})


class Pages(LimitOffsetPagination):
    """``?limit=50&offset=100``; at most 500 rows at once."""

    default_limit = 50
    max_limit = 500

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: APIView | None = None
    ) -> list[Any] | None:
        """Return the rows of the page that was asked for."""
        rows: Any = KeyedRows(queryset) if isinstance(queryset, QuerySet) else queryset
        return super().paginate_queryset(rows, request, view)


def document_problems(result: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
    """Say of every operation in the OpenAPI document what its errors look like."""
    result["components"].setdefault("schemas", {})["Problem"] = _PROBLEM
    answer = {
        "description": "A problem",
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for path in result["paths"].values():
        for method in _METHODS & path.keys():
            path[method]["responses"].setdefault("default", answer)
    return result
